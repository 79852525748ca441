//! Keys whose private half everyone has: examples in RFCs and on websites, our own demonstration
//! and test vectors.
//!
//! Such keys reach production by way of copied examples. A policy that holds one is refused by its
//! thumbprint (RFC 7638), so that no key is in this file.

/// Thumbprints, and where the private half is printed.
const PUBLISHED: &[(&str, &str)] = &[
    (
        "y_x3gCJnL6oKGBBIXScabduwxTVy2Wd2bzRVEUbdUzc",
        "RFC 7515 A.1",
    ),
    (
        "IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8",
        "RFC 7515 A.2",
    ),
    (
        "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
        "RFC 7515 A.3",
    ),
    (
        "u5YUSjQ2-2chBi51NSk3t3g7IM4o2KYcnPqPtCNGd3U",
        "RFC 7515 A.4",
    ),
    (
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        "RFC 7517 A.2",
    ),
    (
        "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
        "RFC 7517 A.2",
    ),
    (
        "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI",
        "RFC 7520 3.4",
    ),
    (
        "dHri3SADZkrush5HU_50AoRhcKFryN-PI6jPBtPL55M",
        "RFC 7520 3.2",
    ),
    (
        "RtoRur_1Dir5M4wuOfqNkDYOf9O_4RJ-aHkTA75RLA8",
        "RFC 7520 3.5",
    ),
    (
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "RFC 8037 A.1",
    ),
    (
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        "RFC 9449 4.1",
    ),
    (
        "ydQXMtvbsOsZyFir-Y7A8t7fKEM1gbKPvyFkdpu4fvI",
        "RFC 9421 B.1.3",
    ),
    (
        "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",
        "RFC 9421 B.1.4",
    ),
    (
        "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o",
        "RFC 9964 A.1",
    ),
    (
        "Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM",
        "RFC 9964 A.1",
    ),
    (
        "tRn1JNIkgMsABVQBlXeDHxAIcclh-2IX0UdDEzPt5XU",
        "RFC 9964 A.1",
    ),
    ("LXkAyqcFEoI5pkMzfWjsAWbChzHfxtqD4Te31pAwA1s", "jwt.io"),
    ("r_yA-eRBZHgB72n4pG3-Kagz7a6rejsUkz_qC_tlgZU", "jwt.io"),
    ("Ms_j2vzAFNOrwb94le4wNiqMXglp4UyBvhTvbdY7a3g", "jwt.io"),
    ("oGDmHqCJ7yzMkWEkrlZVHkvrHIyQwtlDmeq5ForUHeY", "jwt.io"),
    ("3Sh8jwxtGAUg1j6_4BIuuT-0fsyXeym9VQpxNRGTJFs", "jwt.io"),
    ("19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8", "jwt.io"),
    ("iTqXXI0zbAnJCKDaobfhkM1f-6rMSpTfyZMRp_2tKI8", "jwt.io"),
    ("zFHVsM9dc4OlHIwvEnVqfKzRj1ujqYGsZnXAcgn_CqI", "jwt.io"),
    (
        "7BkRsheDE3OazRizOeS-0_QwUGF3e5xDtXCslLpszAI",
        "sealgate demo",
    ),
    (
        "qSGVmoFiAId04BagjReGcseTrDXXfuK1bgJltviAQpY",
        "sealgate demo",
    ),
    (
        "YFDPQPwgsYAom7Cm0CNbI37MKCerYCwhfys_X4rQp04",
        "sealgate demo",
    ),
    (
        "fcSDmzFSxYnQPwl6v-EZJ9UANH-Fjs-wiI0s0vsYLCM",
        "sealgate demo",
    ),
    (
        "kSOQqou0fMq1Gdt3YsleUONMWLkbpeESFeg5yWxzmT8",
        "sealgate demo",
    ),
    (
        "dcBPvGD7Xut38NVgNxQaQ-IKjLeULxvbcJ50mZHp7hM",
        "sealgate demo",
    ),
    (
        "MjGY1u2L-u6lDfgyBOPkyD-hirLYzRVcQ3xq1RQGSIU",
        "sealgate demo",
    ),
    (
        "q30ub_0K_ZStEe33ksDAzV_miY-bs3qyxZGePernGCo",
        "sealgate demo",
    ),
    (
        "XzpRFZOAI6rGfGMm7rKkCIQ_JHVfQX2tXQNViWHNxDQ",
        "sealgate demo",
    ),
    (
        "xsOHTwAVQJfu0WOiPWyGwmq8BOwYa3JNPPlt0oiUkro",
        "sealgate demo",
    ),
    (
        "mJG4Ql4DyedhapwWYC7LTbrlD-My7ysWdsnH7aCFx0s",
        "sealgate demo",
    ),
    (
        "YOoozn9HW61LqTP8beRDDD_Vogyl_2_Ju6M-8TpQTi8",
        "sealgate demo",
    ),
    (
        "8qhgz2CZ_yzXazK6Vds9XeSRd2hBdgfH2HjIK5o7MC8",
        "sealgate test vectors",
    ),
    (
        "-bkj-usqo65GkUij13eVEgZuQGPaXq0Zy5JA-CHtdkE",
        "sealgate test vectors",
    ),
    (
        "Hf39i1rSMMWatO6Pe_MlLidfKgZ83-RNlm6_2d1bHKs",
        "sealgate test vectors",
    ),
    (
        "9KGp6s_Z0cMWCgE3uo10rUNReqZ7v7aJO6nM-RmGn-g",
        "sealgate test vectors",
    ),
    (
        "-feCsq-LQDZBPcHTErxL7TsUORFacg95NckCllxDm-A",
        "sealgate test vectors",
    ),
    (
        "lj38SA939s1Sqage6vgXcABIJSGPkef5ZFZt9S8Vp6A",
        "sealgate test vectors",
    ),
    (
        "fJtcjZ4GnCLbK7akcwwC-MptJkpHgzBw6F95arlduts",
        "sealgate test vectors",
    ),
    (
        "1m18dYU4fZnppnMlYfDItjDNH0aHAshEO1C7mEe2Mv0",
        "sealgate test vectors",
    ),
    (
        "T1BDm_HZCUe3kpuPstYAhX0irFNPacUP1ksdmAYnl-I",
        "sealgate test vectors",
    ),
    (
        "wkyMYe3-oshE1sKGkMCR6V8UfvFb8niBfC7mFrP3kTU",
        "sealgate test vectors",
    ),
    (
        "EU8psRoYQ0bRL8WEY9zfjbiM2RDSqIuzBF70C_JmA-Q",
        "sealgate test vectors",
    ),
    (
        "eVnb5btS_kiCrJFlB3h38NB9g3eUQ_nBJPztNBLLOg4",
        "sealgate test vectors",
    ),
    (
        "WLybeGTxNYECybs7PL6jIqQ_z2hsxbBajNytbFEfvnw",
        "sealgate test vectors",
    ),
    (
        "zO8OlhrNV1pbnHm1nPoIEtxQB1r0e5FcuSiIxdsBSOE",
        "sealgate test vectors",
    ),
    (
        "TpYm9yGa6Xzm0-HlgCNfMBbBI79RyhOlcZIQmCFnJbU",
        "sealgate test vectors",
    ),
    (
        "UN6i2jN3mXTPw3NQyiy59m0V7JraeAq49Y9PPrEjG2g",
        "sealgate test vectors",
    ),
    (
        "u0YnFSl1BvHhZCYVquwNUr4NmydiULVdF7-CZZ9KrxU",
        "sealgate test vectors",
    ),
    (
        "6KXanhJhnwJ8_408nqBMMp1LNLQc9d8BT3SyyA20adw",
        "sealgate test vectors",
    ),
    (
        "D8jfM2RfwpFB9Gw3cLSya6_zGXQTkt41kPaSL-kKjzM",
        "sealgate test vectors",
    ),
    (
        "buCzve-J7pgrmoDotGYV8eBHYIb07WAgcRaGrpCo4XU",
        "sealgate test vectors",
    ),
    (
        "9Bkq6XfQtLvOlfJY4LbLj8CId0cwFYNVzZvv0zcMlJU",
        "sealgate test vectors",
    ),
];

/// Where the private half of the key with this thumbprint is published.
#[must_use]
pub fn label_of(thumbprint: &str) -> Option<&'static str> {
    PUBLISHED
        .iter()
        .find(|(known, _)| *known == thumbprint)
        .map(|(_, label)| *label)
}

#[cfg(test)]
mod tests {
    use super::{PUBLISHED, label_of};
    use crate::encoding::base64url;

    #[test]
    fn a_published_key_is_named_and_another_is_not() {
        assert_eq!(
            label_of("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
            Some("RFC 8037 A.1")
        );
        assert_eq!(
            label_of("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4K"),
            None
        );
        for (at, (thumbprint, label)) in PUBLISHED.iter().enumerate() {
            let hash = base64url::decode(thumbprint.as_bytes());
            assert_eq!(hash.map(|hash| hash.len()), Some(32), "{thumbprint}");
            assert!(!label.is_empty());
            let twice = PUBLISHED
                .iter()
                .skip(at + 1)
                .any(|(other, _)| other == thumbprint);
            assert!(!twice, "{thumbprint} is listed twice");
        }
    }
}
