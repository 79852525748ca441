use super::{Code, Error};

#[test]
fn an_error_is_at_most_24_bytes() {
    assert!(size_of::<Error>() <= 24);
    assert!(size_of::<Result<u64, Error>>() <= 32);
}

#[test]
fn a_gate_that_is_gone_is_an_answer_and_no_misuse() {
    assert!(Error::new(Code::Usage).is_misuse());
    assert!(Error::about(Code::Usage, "required_scopes").is_misuse());
    for answer in [
        Error::no_gate(),
        Error::new(Code::Internal),
        Error::new(Code::Expired),
    ] {
        assert!(!answer.is_misuse(), "{answer}");
    }
}

#[test]
fn spellings_are_unique_and_found_again() {
    for (position, code) in Code::ALL.iter().enumerate() {
        let name = code.as_str();
        assert_eq!(Code::from_name(name), Some(*code));
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{name}"
        );
        assert!(
            !Code::ALL[position + 1..]
                .iter()
                .any(|later| later.as_str() == name),
            "{name}"
        );
    }
    assert_eq!(Code::from_name("no_such_code"), None);
}

#[test]
fn display_names_code_reason_and_claim_only() {
    let error = Error::about(Code::MissingClaim, "jti");
    assert_eq!(
        error.to_string(),
        "missing_claim: a claim this kind of token must have is missing (jti)"
    );
    // What `?` in `main` prints.
    assert_eq!(
        format!("{error:?}"),
        "Error(missing_claim: a claim this kind of token must have is missing (jti))"
    );
}
