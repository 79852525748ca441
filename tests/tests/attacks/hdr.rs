//! Attacks through the header.

use sealgate_tests::workshop::compact;
use serde_json::{Value, json};

use crate::stand::Fixtures;

pub(crate) fn hdr_01_unknown_critical_extensions(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_RSA");
    let token = |more: &str| compact(key.header(more), f.payload(), |input| key.sign(input));
    stand.accepts(token(r#","x-custom-policy":"require-mfa""#));
    for more in [
        r#","crit":["x-custom-policy"],"x-custom-policy":"require-mfa""#,
        r#","crit":["cnf"],"cnf":{"jkt":"x"}"#,
        r#","crit":["exp"],"exp":1893456300"#,
        r#","crit":["b64"],"b64":false"#,
        r#","crit":["b64"],"b64":true"#,
        r#","b64":false"#,
        r#","crit":["alg"]"#,
        r#","crit":["absent"]"#,
        r#","crit":[]"#,
    ] {
        stand.gives("unsupported_crit", token(more));
    }
    for more in [
        r#","crit":"exp""#,
        r#","crit":null"#,
        r#","crit":[1]"#,
        r#","zip":"DEF""#,
    ] {
        stand.gives("malformed_token", token(more));
    }
}

pub(crate) fn hdr_03_duplicate_members(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_RSA");
    let token = |header: &str| compact(header, f.payload(), |input| key.sign(input));
    stand.accepts(token(r#"{"alg":"RS256","kid":"rsa-1"}"#));
    // A member that differs in case is another member.
    stand.accepts(token(r#"{"alg":"RS256","Alg":"none","kid":"rsa-1"}"#));
    for header in [
        r#"{"alg":"none","alg":"RS256"}"#,
        r#"{"alg":"RS256","alg":"none"}"#,
        r#"{"alg":"RS256","alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":"ec-1","kid":"rsa-1"}"#,
        r#"{"alg":"RS256","crit":["x"],"crit":[]}"#,
        r#"{"alg":"RS256","a\u006cg":"none"}"#,
        r#"{"alg":"RS256","x":{"a":1,"a":1}}"#,
        r#"{"alg":"RS256","x":[{"y":{"a":1,"\u0061":1}}]}"#,
    ] {
        stand.gives("duplicate_member", token(header));
    }
}

pub(crate) fn hdr_05_whitespace_is_legal(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_RSA");
    for header in [
        " { \"alg\" : \"RS256\" , \"kid\" : \"rsa-1\" } ",
        "{\t\"alg\":\"RS256\",\r\n\"kid\":\"rsa-1\"\n}\n",
    ] {
        stand.accepts(compact(header, f.payload(), |input| key.sign(input)));
    }
    // Only JSON's own four characters are whitespace.
    for header in ["\u{b}{\"alg\":\"RS256\"}", "\u{a0}{\"alg\":\"RS256\"}"] {
        let token = compact(header, f.payload(), |input| key.sign(input));
        stand.gives("malformed_token", token);
    }
}

pub(crate) fn hdr_06_type_confusion(f: &Fixtures) {
    let mut policy = f.cfg_a();
    policy["issuers"]["issuer"]["profiles"] = json!(["access_token"]);
    policy["gates"]["api"]["profile"] = "access_token".into();
    let stand = f.stand(&policy);
    let key = f.key("K_RSA");
    let payload = f.with("client_id", "client-1");
    let token = |more: &str| compact(key.header(more), &payload, |input| key.sign(input));
    let typed = |typ: Value| token(&format!(",\"typ\":{typ}"));
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        stand.accepts(typed(typ.into()));
    }
    stand.gives("typ_mismatch", token(""));
    for typ in [
        "JWT",
        "dpop+jwt",
        "logout+jwt",
        "statuslist+jwt",
        "secevent+jwt",
        "vc+jwt",
        "oauth-id-jag+jwt",
        "txntoken+jwt",
        "",
        "at",
        "jwt+at",
        "at+jwt ",
        " at+jwt",
        "at+jwt;x=1",
        "at+jwt,JWT",
        "application/at+jwt;a=b",
    ] {
        stand.gives("typ_mismatch", typed(typ.into()));
    }
    for typ in [json!(5), json!(["at+jwt"]), json!(null), json!({})] {
        stand.gives("malformed_token", typed(typ));
    }
}
