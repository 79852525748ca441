//! Every attack of `attacks/attacks.json`, here, in a suite that is named, or with a reason: built
//! from its recipe, each beside a control that must be accepted: else the rejection proves nothing.
//!
//! What the recipes ask for and cannot be built, and why:
//!
//! * ALG-18: HashML-DSA signatures and signatures with a context. AWS-LC signs pure ML-DSA with
//!   the empty context only; the `wycheproof` vectors of the primitives carry both.
//! * SIG-04: BER variants of other people's ECDSA files are the primitives' suite as well.
//! * SIG-07: the speccheck points need Edwards arithmetic; `wycheproof` carries their like, and
//!   small-order keys are refused when a key is loaded (KEY-14 here).

mod act;
mod alg;
mod clm;
mod dpop;
mod enc;
mod hdr;
mod key;
mod rev;
mod sig;
mod stand;
mod stat;
mod state;

use std::path::Path;

use sealgate_tests::vectors;
use serde_json::Value;
use stand::Fixtures;

macro_rules! attacks {
    ($($id:literal $module:ident :: $name:ident)+) => {
        /// Every attack that is built, with the name of its function.
        const BUILT: &[(&str, &str)] = &[$(($id, stringify!($name)),)+];

        $(
            #[test]
            fn $name() {
                if let Some(folder) = vectors::folder(stringify!($name)) {
                    $module::$name(&Fixtures::read(&folder));
                }
            }
        )+
    };
}

attacks! {
    "ALG-01" alg::alg_01_none_with_an_empty_signature
    "ALG-02" alg::alg_02_spellings_of_none
    "ALG-03" alg::alg_03_alg_that_is_missing_or_no_string
    "ALG-04" alg::alg_04_rs256_to_hs256_with_the_public_key
    "ALG-05" alg::alg_05_other_public_keys_as_hmac_secrets
    "ALG-10" alg::alg_10_no_allow_list
    "ALG-14" alg::alg_14_curve_confusion
    "ALG-18" alg::alg_18_ml_dsa_parameter_sets
    "KEY-01" key::key_01_the_attackers_key_in_the_header
    "KEY-02" key::key_02_jku_and_x5u_are_never_fetched
    "KEY-03" key::key_03_x5c_chooses_no_key
    "KEY-05" key::key_05_kid_of_the_wrong_type
    "KEY-07" key::key_07_right_key_wrong_issuer
    "KEY-09" key::key_09_no_kid_with_many_keys
    "KEY-11" key::key_11_use_and_key_ops_forbid_verification
    "KEY-13" key::key_13_private_keys_in_a_set
    "KEY-14" key::key_14_invalid_points
    "KEY-19" key::key_19_empty_short_or_guessable_secrets
    "SIG-01" sig::sig_01_psychic_signatures
    "SIG-02" sig::sig_02_r_and_s_out_of_range
    "SIG-03" sig::sig_03_ecdsa_signatures_of_the_wrong_length
    "SIG-04" sig::sig_04_der_signatures
    "SIG-07" sig::sig_07_ed25519_malleability
    "SIG-09" sig::sig_09_pkcs1_encodings
    "SIG-10" sig::sig_10_rsa_representatives_out_of_range
    "SIG-11" sig::sig_11_pss_salt_and_mask
    "SIG-12" sig::sig_12_truncated_and_extended_macs
    "ENC-01" enc::enc_01_padding
    "ENC-02" enc::enc_02_trailing_bits
    "ENC-04" enc::enc_04_whitespace_and_controls
    "ENC-06" enc::enc_06_characters_that_look_alike
    "ENC-07" enc::enc_07_wrong_number_of_parts
    "ENC-09" enc::enc_09_json_serialization
    "ENC-11" enc::enc_11_dot_flood
    "HDR-01" hdr::hdr_01_unknown_critical_extensions
    "HDR-03" hdr::hdr_03_duplicate_members
    "HDR-05" hdr::hdr_05_whitespace_is_legal
    "HDR-06" hdr::hdr_06_type_confusion
    "CLM-01" clm::clm_01_dates_of_the_wrong_type
    "CLM-03" clm::clm_03_time_boundaries
    "CLM-06" clm::clm_06_audience_confusion
    "CLM-07" clm::clm_07_audience_arrays
    "CLM-09" clm::clm_09_issuer_confusion
    "CLM-12" clm::clm_12_duplicate_claims
    "CLM-13" clm::clm_13_malformed_json
    "CLM-14" clm::clm_14_deep_nesting
    "CLM-15" clm::clm_15_huge_claims
    "CLM-18" clm::clm_18_no_patterns
    "JWKS-03" state::jwks_03_a_removed_key_is_not_trusted
    "JWKS-08" state::jwks_08_one_trial_at_most
    "CACHE-01" state::cache_01_a_shared_prefix_is_no_hit
    "CACHE-03" state::cache_03_a_hit_is_judged_anew
    "CACHE-04" state::cache_04_refusals_are_not_remembered
    "CACHE-08" state::cache_08_the_whole_token_is_compared
    "DPOP-01" dpop::dpop_01_typ_missing_or_wrong
    "DPOP-02" dpop::dpop_02_alg_none_symmetric_or_not_allowed
    "DPOP-03" dpop::dpop_03_jwk_that_is_no_public_key
    "DPOP-05" dpop::dpop_05_missing_claims
    "DPOP-06" dpop::dpop_06_htm_mismatch
    "DPOP-07" dpop::dpop_07_htu_mismatch_and_normalisation
    "DPOP-08" dpop::dpop_08_ath_wrong
    "DPOP-09" dpop::dpop_09_key_not_bound_to_the_token
    "DPOP-11" dpop::dpop_11_jti_replay
    "DPOP-12" dpop::dpop_12_iat_window
    "DPOP-14" dpop::dpop_14_several_or_combined_fields
    "DPOP-18" dpop::dpop_18_extra_members_are_ignored
    "BIND-02" dpop::bind_02_results_that_look_valid_on_failure
    "ACT-01" act::act_01_the_outermost_act_is_the_current_actor
    "ACT-02" act::act_02_malformed_act_is_never_no_actor
    "ACT-03" act::act_03_chains_end
    "ACT-05" act::act_05_an_actor_is_issuer_and_subject
    "REV-01" rev::rev_01_the_bytes_of_a_token_are_no_name
    "REV-03" rev::rev_03_what_starts_after_a_revocation_sees_it
    "REV-04" rev::rev_04_names_are_exact_and_an_issuers_own
    "REV-10" rev::rev_10_a_long_list_costs_what_is_documented
    "REV-11" rev::rev_11_no_process_is_said_to_speak_for_others
    "STAT-01" stat::stat_01_every_listed_index
    "DOS-01" state::dos_01_very_large_tokens
    "DOS-03" state::dos_03_no_mutation_panics
}

/// Attacks that other suites build, with the file, under the repository's root, and the test's name
/// in it.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "JWKS-01",
        "tests/tests/remote/hostile.rs",
        "fn jwks_01_a_flood_of_unknown_kids_is_one_fetch()",
    ),
    (
        "JWKS-02",
        "tests/tests/remote/hostile.rs",
        "fn jwks_02_a_bad_answer_changes_nothing_and_says_why()",
    ),
    (
        "JWKS-10",
        "tests/tests/remote/hostile.rs",
        "fn jwks_10_metadata_does_not_lead_to_other_issuers_or_hosts()",
    ),
    (
        "JWKS-11",
        "tests/tests/remote/hostile.rs",
        "fn jwks_11_all_who_wait_for_the_first_fetch_pass_with_one()",
    ),
    (
        "BIND-06",
        "bindings/python/tests/test_conformance.py",
        "def test_as_rust(",
    ),
    (
        "BIND-07",
        "bindings/node/test/vectors.test.mjs",
        "the core answers the same, line by line",
    ),
    (
        "STAT-02",
        "tests/tests/remote/status.rs",
        "fn stat_02_the_list_says_what_becomes_of_each_token()",
    ),
    (
        "STAT-03",
        "tests/tests/remote/status.rs",
        "fn stat_03_what_is_not_the_issuers_list_of_this_address_is_none()",
    ),
    (
        "STAT-08",
        "tests/tests/remote/status.rs",
        "fn stat_08_no_address_of_a_token_leads_anywhere_it_should_not()",
    ),
];

/// Attacks that do not apply yet, or that no test can settle.
const PENDING: &[(&str, &str)] = &[(
    "SIG-13",
    "timing is settled by review: both providers compare MACs with the library's own \
         constant-time `hmac::verify`",
)];

#[test]
fn every_intent_of_openid_has_its_line() {
    if let Some(folder) = vectors::folder("the intents of OpenID") {
        dpop::openid_intents(&vectors::read(&folder, "openid-dpop/intents.json"));
    }
}

#[test]
fn every_attack_is_built_or_listed_with_a_reason() {
    for (id, name) in BUILT {
        let prefix = id.to_lowercase().replace('-', "_") + "_";
        assert!(name.starts_with(&prefix), "{name} is not named after {id}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (id, file, name) in ELSEWHERE {
        let text = std::fs::read_to_string(root.join(file)).expect("a file of tests");
        assert!(text.contains(name), "{id}: {file} has no {name}");
    }
    let Some(folder) = vectors::folder("the registry of attacks") else {
        return;
    };
    let attacks = vectors::read(&folder, "attacks/attacks.json");
    let ids: Vec<&str> = attacks.as_array().unwrap().iter().map(id_of).collect();
    let built = BUILT.iter().map(|(id, _)| *id);
    let elsewhere = ELSEWHERE.iter().map(|(id, ..)| *id);
    let known: Vec<&str> = built
        .chain(elsewhere)
        .chain(PENDING.iter().map(|(id, _)| *id))
        .collect();
    for id in &ids {
        let times = known.iter().filter(|known| *known == id).count();
        assert_eq!(times, 1, "{id} has no test or reason, or more than one");
    }
    for id in &known {
        assert!(ids.contains(id), "{id} is no attack of the registry");
    }
    assert!(ids.len() >= 89, "{} attacks are too few", ids.len());
}

fn id_of(attack: &Value) -> &str {
    attack["id"].as_str().unwrap()
}
