//! Where keys come from, and which are refused (user experience 2.3, refusals 5, 9 and 11).

use super::super::{Format, LoadOptions};
use super::refusals::{JWKS, issuer, loads, refuses, refuses_as};
use super::{load, load_as, with};

#[test]
fn refusal_5_two_key_sources_or_none() {
    refuses(
        &issuer("jwks_push = \"process\""),
        &["3:1 issuers.corp: jwks and jwks_push both name keys. Keep one"],
    );
    refuses(
        &with(JWKS, "discovery = \"oauth\"\njwks_uri = \"https://x\""),
        &["3:1 issuers.corp: discovery and jwks_uri both name keys. Keep one"],
    );
    // Keys that are nowhere are asked for.
    let discovered = load(&with(JWKS, "")).unwrap();
    assert_eq!(
        discovered.summary().gates[0].issuers[0].keys,
        "keys by discovery"
    );
    assert_eq!(
        discovered.effective()["issuers"]["corp"]["discovery"],
        "auto"
    );
    let refresh = &discovered.effective()["issuers"]["corp"]["refresh"];
    assert_eq!(
        (&refresh["cooldown"], &refresh["ahead"]),
        (&"30s".into(), &"5m".into())
    );
    let kept = load(&with("", "")).unwrap().effective();
    assert_eq!(kept["issuers"]["corp"].get("discovery"), None);
    assert_eq!(kept["issuers"]["corp"].get("refresh"), None);
    loads(
        &with(JWKS, "jwks_push = \"process\""),
        &["issuers.corp.jwks_push: reaches one process; every other worker needs its own publish"],
    );
}

/// Of an issuer that is asked about opaque tokens alone nothing has to be published.
#[cfg(feature = "remote")]
#[test]
fn an_issuer_that_is_asked_may_have_no_keys() {
    let asked = |members: &str| {
        with(
            JWKS,
            &format!(
                "keys = []\n[issuers.corp.introspection]\nclient_id = \"rs\"\n\
                 client_secret = {{ env = \"PATH\" }}\n{members}"
            ),
        )
    };
    loads(&asked("endpoint = \"https://login.example.com/ask\""), &[]);
    let none = "6:8 issuers.corp.keys: no key in it can be used";
    refuses(&asked(""), &[none]);
    refuses(
        &asked("endpoint = \"https://login.example.com/ask\"\ntokens = \"all\""),
        &[none],
    );
    refuses(&with(JWKS, "keys = []"), &[none]);
}

#[test]
fn fetched_keys_come_over_https_from_hosts_that_are_written_down() {
    let fetched = |members: &str| with(JWKS, members);
    loads(&fetched("jwks_uri = \"https://keys.example.com/set\""), &[]);
    refuses(
        &fetched("jwks_uri = \"http://keys.example.com/set\""),
        &["6:12 issuers.corp.jwks_uri: must be https. Write \"https://keys.example.com/set\""],
    );
    refuses(
        &fetched("jwks_uri = \"https://keys.example.com/set?tenant=1\""),
        &["6:12 issuers.corp.jwks_uri: must have no query"],
    );
    refuses(
        &fetched("[issuers.corp.refresh]\nallow_hosts = [\"keys.example.com\"]"),
        &[
            "7:15 issuers.corp.refresh.allow_hosts: lacks \"login.example.com\", where the fetch begins",
        ],
    );
    refuses(
        &fetched("[issuers.corp.refresh]\nallow_hosts = [\"https://login.example.com\"]"),
        &[
            "7:15 issuers.corp.refresh.allow_hosts: lacks \"login.example.com\", where the fetch begins",
            "7:16 issuers.corp.refresh.allow_hosts[0]: \"https://login.example.com\" is not a host. \
             Write its name alone, as \"keys.example.com\"",
        ],
    );
    refuses(
        &fetched("[issuers.corp.refresh]\ncooldown = \"0s\"\nstale_if_error = \"30d\""),
        &[
            "7:12 issuers.corp.refresh.cooldown: at least \"1s\": this is what keeps strangers from making you fetch",
            "8:18 issuers.corp.refresh.stale_if_error: at most \"604800s\"",
        ],
    );
    refuses(
        &with(
            "[gates.tools]",
            "[issuers.corp.refresh]\nahead = \"5m\"\n[gates.tools]",
        ),
        &["7:1 issuers.corp.refresh: goes with discovery and jwks_uri; these keys are not fetched"],
    );
    let several = fetched("")
        .replace("issuer = ", "issuer = [\"https://a.example\", ")
        .replace("login.example.com\"\n", "login.example.com\"]\n");
    assert!(
        load(&several).unwrap_err()[0]
            .to_string()
            .contains("several, and metadata is of one")
    );
}

#[test]
fn keys_of_the_program_take_the_place_of_every_source() {
    let options = LoadOptions::new().push_all_keys(true);
    for source in [
        "jwks_file = \"no-such-file.json\"",
        "jwks_uri = \"http://x\"",
        "discovery = \"oauth\"\njwks_uri = \"https://x\"",
    ] {
        let document = with(JWKS, source);
        assert!(load(&document).is_err(), "{source}");
        let policy = load_as(&document, Format::Toml, &options).unwrap();
        let issuer = &policy.effective()["issuers"]["corp"];
        assert_eq!(issuer["jwks_push"], "process", "{source}");
    }
    // Nor is a store opened that is there for others.
    let stored = |store: &str| {
        let more = format!("[dpop]\n[replay]\nstore = \"{store}\"\nnamespace = \"edge\"");
        let document = super::possession::document("", &more);
        format!("{document}\n[stores.local]\nkind = \"file\"\npath = \"/nowhere\"")
    };
    for (store, effective) in [
        ("local", "process"),
        ("process", "process"),
        ("external", "external"),
    ] {
        let policy = load_as(&stored(store), Format::Toml, &options).unwrap();
        let replay = &policy.effective()["replay"];
        assert_eq!(replay["store"], effective);
        assert_eq!(replay["namespace"], "edge");
    }
}

#[test]
fn refusal_9_keys_that_are_private_broken_or_double() {
    refuses(
        &with(
            "kid = \"k1\"",
            "kid = \"k1\", d = \"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\"",
        ),
        &["6:18 issuers.corp.jwks.keys[0]: private key where a public key belongs"],
    );
    let double = JWKS.replace("[{", "[{ kty = \"EC\", crv = \"P-256\", kid = \"k1\", x = \"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\", y = \"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\" }, {");
    let problems = load(&with(JWKS, &double)).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "issuers.corp.jwks.keys[1]: kid \"k1\" for ES256 is already at issuers.corp.jwks.keys[0]"
    );
    loads(&with(JWKS, &double.replacen("k1", "k2", 1)), &[]);
    let problems = load(&with(JWKS, &double.replace("kid = \"k1\",", ""))).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "issuers.corp.jwks.keys[1]: a second key for ES256 without kid, after issuers.corp.jwks.keys[0]"
    );
    refuses(
        &with(JWKS, "jwks = { keys = \"k1\" }"),
        &["6:8 issuers.corp.jwks: not a JWK Set: it has no array \"keys\""],
    );
    refuses(
        &with(JWKS, "jwks = { keys = [] }"),
        &["6:8 issuers.corp.jwks: no key in it can be used"],
    );
}

#[test]
fn keys_of_others_in_a_set_are_passed_over_with_a_warning() {
    let set = JWKS.replace("[{", "[{ kty = \"XYZ\" }, {");
    let policy = load(&with(JWKS, &set)).unwrap();
    let warning = policy.warnings()[0].to_string();
    assert!(
        warning.starts_with("issuers.corp.jwks.keys[0]: passed over: "),
        "{warning}"
    );
    assert_eq!(policy.key_path("corp", 0), "issuers.corp.jwks.keys[1]");
}

#[test]
fn refusal_9_an_rsa_key_for_two_algorithms() {
    let rsa = "jwks = { keys = [{ kty = \"RSA\", n = \"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\", e = \"AQAB\" }] }";
    let with_algorithms = |list: &str| with(JWKS, rsa).replace("[\"ES256\"]", list);
    refuses(
        &with_algorithms("[\"RS256\", \"PS256\"]"),
        &[
            "6:18 issuers.corp.jwks.keys[0]: an RSA key without alg, and algorithms has RS256 and \
           PS256. Write its alg, or keep one of them",
        ],
    );
    loads(&with_algorithms("[\"PS256\", \"ES256\"]"), &[]);
    loads(
        &with_algorithms("[\"RS256\"]"),
        &["issuers.corp.algorithms: RS256 only: ask the issuer for ES256 or Ed25519"],
    );
}

#[test]
fn refusal_11_secrets_stay_outside() {
    let custom = |keys: &str| {
        with("[\"ES256\"]", "[\"HS256\"]\nprofiles = [\"jwt_custom\"]")
            .replace("profile = \"access_token\"", "profile = \"jwt_custom\"")
            .replace(JWKS, keys)
    };
    let inline = custom(
        "jwks = { keys = [{ kty = \"oct\", k = \"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\", alg = \"HS256\" }] }",
    );
    refuses(
        &inline,
        &[
            "7:18 issuers.corp.jwks.keys[0]: a secret in the document. Write keys = [{ secret = \
           { env = \"NAME\" }, alg = \"HS256\" }]",
        ],
    );
    let allowed = LoadOptions::new().allow_test_keys(true);
    load_as(&inline, Format::Toml, &allowed).unwrap();
    refuses(
        &custom("keys = [{ secret = \"hunter2\", alg = \"HS256\" }]"),
        &[
            "7:20 issuers.corp.keys[0].secret: a secret in the document. Write { env = \"NAME\" } or \
           { file = \"path\" }",
        ],
    );
    refuses(
        &custom("keys = [{ secret = { env = \"SEALGATE_TEST_UNSET\" }, alg = \"HS256\" }]"),
        &["7:20 issuers.corp.keys[0].secret: environment variable SEALGATE_TEST_UNSET is not set"],
    );
    // PATH is set everywhere, and longer than 32 bytes wherever cargo runs.
    load(&custom(
        "keys = [{ secret = { env = \"PATH\" }, alg = \"HS256\" }]",
    ))
    .unwrap();
    refuses(
        &custom("keys = [{ secret = { env = \"PATH\" } }]"),
        &["7:9 issuers.corp.keys[0]: a secret needs its algorithm. Write alg = \"HS256\""],
    );
}

#[test]
fn refusal_11_secret_files_readable_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir("secret");
    let path = folder.join("key");
    std::fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
    let document = with("[\"ES256\"]", "[\"HS256\"]\nprofiles = [\"jwt_custom\"]")
        .replace("profile = \"access_token\"", "profile = \"jwt_custom\"")
        .replace(
            JWKS,
            "keys = [{ secret = { file = \"key\" }, alg = \"HS256\", kid = \"s\" }]",
        );
    let options = LoadOptions::new().folder(&folder);
    let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o644);
    refuses_as(
        &document,
        Format::Toml,
        &options,
        &["7:29 issuers.corp.keys[0].secret.file: others can read this secret. Write chmod o-rwx"],
    );
    mode(0o640);
    load_as(&document, Format::Toml, &options).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// A folder of this test process alone.
#[cfg(unix)]
fn tempdir(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("sealgate-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn key_files_are_found_beside_the_document() {
    let folder = tempdir("jwks");
    let set = r#"{"keys": [{"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
    let path = folder.join("policy.toml");
    std::fs::write(folder.join("jwks.json"), set).unwrap();
    std::fs::write(&path, with(JWKS, "jwks_file = \"jwks.json\"")).unwrap();
    let policy = super::Policy::load(&path).unwrap();
    assert_eq!(policy.key_path("corp", 0), "issuers.corp.jwks_file");
    std::fs::write(
        folder.join("jwks.json"),
        set.replace("\"x\"", "\"d\": \"\", \"x\""),
    )
    .unwrap();
    let error = super::Policy::load(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}   refused   1 problem\n  6:13   issuers.corp.jwks_file   keys[0] of the file: \
             private key where a public key belongs",
            path.display()
        )
    );
    std::fs::write(&path, with(JWKS, "jwks_file = \"absent.json\"")).unwrap();
    let error = super::Policy::load(&path).unwrap_err().to_string();
    assert!(
        error.contains("cannot read") && error.contains("absent.json"),
        "{error}"
    );
    let error = super::Policy::load(folder.join("policy.yaml")).unwrap_err();
    assert_eq!(
        error.problems[0].text,
        "its name must end in .toml or .json"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

const PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6xv4VL56modLzWI44I0JmnBCMHyA\n\
    8GDXkfVPYetjWXP4CBbCSnYynWIK79SrH6fNJAHKjnos+aQ/aFTef38RCA==\n\
    -----END PUBLIC KEY-----\n";

const WEAK_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC+Ctas7qIHo6OPGpUHO6mg6Fuz\n\
    940z6ReF/XDkeDNifHAKWBTNw/odvzS0NG/TT68MqznzMkPR0MKWY96w7hhWwr83\n\
    qkSmU6tKf4rIIyCkF2UhdDYbj+1yw9GVNKbcFMdeCn1NYSh8sAg/CoLJrwPi+Zg3\n\
    FhuO2+AAEXcdSCMSowIDAQAB\n\
    -----END PUBLIC KEY-----\n";

#[test]
fn refusal_9_key_files() {
    let folder = tempdir("pem");
    let document = with(JWKS, "keys = [{ pem_file = \"key.pem\", kid = \"k\" }]");
    let options = LoadOptions::new().folder(&folder);
    let write = |text: &str| std::fs::write(folder.join("key.pem"), text).unwrap();
    write(PEM);
    load_as(&document, Format::Toml, &options).unwrap();
    refuses_as(
        &document.replace("[\"ES256\"]", "[\"ES384\"]"),
        Format::Toml,
        &options,
        &["6:9 issuers.corp.keys[0]: a key for ES256, and algorithms has no ES256"],
    );
    write(&PEM.replace("PUBLIC", "PRIVATE"));
    let text = "6:22 issuers.corp.keys[0].pem_file: a private key where a public key belongs";
    refuses_as(&document, Format::Toml, &options, &[text]);
    write(WEAK_PEM);
    let weak = document.replace("[\"ES256\"]", "[\"PS256\"]");
    let problems = load_as(&weak, Format::Toml, &options).unwrap_err();
    assert!(problems[0].text.contains("2048"), "{problems:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn keys_of_a_spiffe_bundle_have_their_own_use() {
    let used = |usage: &str| JWKS.replace("kty =", &format!("use = \"{usage}\", kty ="));
    let svid = |usage: &str| {
        with("https://login.example.com", "spiffe://td.example")
            .replace("issuer = ", "profiles = [\"jwt_svid\"]\nissuer = ")
            .replace("access_token", "jwt_svid")
            .replace(JWKS, &used(usage))
    };
    loads(&svid("jwt-svid"), &[]);
    refuses(
        &svid("sig"),
        &["7:18 issuers.corp.jwks.keys[0]: passed over: its use is not for this issuer's tokens"],
    );
    loads(&with(JWKS, &used("sig")), &[]);
    let problem =
        "6:18 issuers.corp.jwks.keys[0]: passed over: its use is not for this issuer's tokens";
    refuses(&with(JWKS, &used("jwt-svid")), &[problem]);
}
