//! What the RSA and HMAC algorithms are called by ring, and by aws-lc-rs, which has its interface.

/// Defines `rsa` and `mac` over the `signature` and `hmac` that are in scope.
macro_rules! families {
    () => {
        fn rsa(algorithm: Algorithm) -> Option<&'static signature::RsaParameters> {
            Some(match algorithm {
                Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
                Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
                _ => return None,
            })
        }

        pub(super) fn mac(algorithm: Algorithm) -> Option<hmac::Algorithm> {
            Some(match algorithm {
                Algorithm::Hs256 => hmac::HMAC_SHA256,
                Algorithm::Hs384 => hmac::HMAC_SHA384,
                Algorithm::Hs512 => hmac::HMAC_SHA512,
                _ => return None,
            })
        }
    };
}

pub(super) use families;
