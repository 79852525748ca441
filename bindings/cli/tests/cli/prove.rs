//! `sealgate prove` and `--request`: every kind of evidence that a request carries, made and judged
//! by the command line alone.

use serde_json::Value;

use super::server::Server;
use super::{Folder, code, complaint, sealgate, text};

const AT: &str = "1800000000";
const POLICY: &str = r#"
version = 1
[issuers.corp]
issuer     = "https://corp.example"
jwks_file  = "public.json"
algorithms = ["ES256"]
profiles   = ["access_token", "client_attestation", "capability"]
[issuers.td]
issuer     = "wimse://td.example"
jwks_file  = "public.json"
algorithms = ["ES256"]
profiles   = ["wit"]
[issuers.tts]
issuer     = "https://tts.example"
jwks_file  = "public.json"
algorithms = ["ES256"]
profiles   = ["txn_token"]
[issuers.agent]
issuer          = "agent-a"
jwks_file       = "agent.json"
algorithms      = ["ES256"]
profiles        = ["actor_proof"]
actor_namespace = "https://corp.example"
[gates.tools]
profile    = "access_token"
audience   = "https://api.example.com/mcp"
issuers    = ["corp"]
public_url = "https://api.example.com"
delegation = "agents"
context    = { actor_proof = "allowed" }
[gates.workloads]
profile    = "wit"
issuers    = ["td"]
public_url = "https://api.example.com"
[gates.clients]
profile    = "client_attestation"
issuers    = ["corp"]
public_url = "https://api.example.com"
[gates.calls]
profile    = "txn_token"
audience   = "td.example"
issuers    = ["tts"]
public_url = "https://api.example.com"
context    = { wit = "required" }
[gates.capabilities]
profile    = "capability"
typ        = "aat+jwt"
issuers    = ["corp"]
public_url = "https://api.example.com"
[delegation.agents]
allow = [{ actor = { iss = "https://corp.example" } }]
[dpop]
[replay]
store = "process"
[limits]
max_string_size = "4KiB"
"#;

struct World {
    folder: Folder,
    policy: String,
    issuer: String,
    holder: String,
}

impl World {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let (issuer, holder) = (folder.path("issuer.json"), folder.path("holder.json"));
        let public =
            |private: &str| sealgate(&["jwks", "generate", "--private", private], "").stdout;
        folder.write("public.json", public(&issuer));
        folder.write("agent.json", public(&holder));
        let policy = folder.write("policy.toml", POLICY);
        Self {
            folder,
            policy,
            issuer,
            holder,
        }
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = sealgate(arguments, "");
        assert_eq!(code(&output), 0, "{arguments:?} {}", complaint(&output));
        text(&output)
    }

    /// A token of this kind, bound to the holder's key, in a file.
    fn token(&self, kind: &str, more: &[&str]) -> String {
        let own = ["mint", "--key", &self.issuer, "--kind", kind, "--now", AT];
        let token = self.run(&[&own[..], more].concat());
        self.folder.write(kind, token)
    }

    /// A request with a proof of this kind, in a file.
    fn proven(&self, kind: &str, token: &str, more: &[&str]) -> String {
        let url = "https://api.example.com/mcp?session=1";
        let own = [
            "prove",
            "--kind",
            kind,
            "--key",
            &self.holder,
            "--url",
            url,
            "--now",
            AT,
            token,
        ];
        let request = self.run(&[&own[..], more].concat());
        assert!(request.starts_with("POST /mcp?session=1 HTTP/1.1\r\nHost: api.example.com\r\n"));
        self.folder.write("request.http", request)
    }

    /// What a command says of the request, and how it exits.
    fn judged(&self, command: &str, gate: &str, request: &str, more: &[&str]) -> (i32, String) {
        let own = [
            command,
            "-p",
            &self.policy,
            "-g",
            gate,
            "--now",
            AT,
            "--request",
            request,
        ];
        let output = sealgate(&[&own[..], more].concat(), "");
        (code(&output), text(&output) + &complaint(&output))
    }

    /// It is accepted, and explained as such.
    fn holds(&self, gate: &str, request: &str, how: Option<&str>, more: &[&str]) {
        let (exit, said) = self.judged("verify", gate, request, &[more, &["--json"]].concat());
        assert_eq!(exit, 0, "{said}");
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["sender_constrained"].as_str(), how, "{said}");
        let (exit, said) = self.judged("explain", gate, request, more);
        assert_eq!(exit, 0, "{said}");
    }

    fn fails(&self, gate: &str, request: &str, code: &str, more: &[&str]) {
        let (exit, said) = self.judged("verify", gate, request, more);
        assert_eq!(exit, 1, "{said}");
        assert!(said.contains(code), "{said}");
        let (exit, said) = self.judged("explain", gate, request, more);
        assert_eq!(exit, 1, "{said}");
        assert!(said.contains(code), "{said}");
    }

    /// The request with another text in place of one of its own.
    fn altered(&self, request: &str, from: &str, to: &str) -> String {
        let text = std::fs::read_to_string(request).unwrap();
        assert!(text.contains(from), "{text}");
        self.folder
            .write("altered.http", text.replacen(from, to, 1))
    }
}

#[test]
fn a_dpop_request() {
    let world = World::new("prove-dpop");
    let aud = [
        "--iss",
        "https://corp.example",
        "--sub",
        "u1",
        "--aud",
        "https://api.example.com/mcp",
    ];
    let held = ["--holder", &world.holder];
    let token = world.token("access_token", &[&aud[..], &held].concat());
    let request = world.proven("dpop", &token, &[]);
    world.holds("tools", &request, Some("dpop"), &[]);
    world.fails(
        "tools",
        &world.altered(&request, "POST", "PUT"),
        "pop_invalid",
        &[],
    );
    world.fails(
        "tools",
        &world.altered(&request, "/mcp", "/x"),
        "pop_invalid",
        &[],
    );
    let whole = world.altered(&request, " /mcp", " https://evil.example/mcp");
    world.fails("tools", &whole, "malformed_request", &[]);
    world.fails(
        "tools",
        &world.altered(&request, "DPoP: ", "X: "),
        "pop_required",
        &[],
    );
    // Its fields alone, and the rest on the command line.
    let text = std::fs::read_to_string(&request).unwrap();
    let (_, fields) = text.split_once("\r\n").unwrap();
    let fields = format!("@{}", world.folder.write("fields", fields));
    let own = ["verify", "-p", &world.policy, "-g", "tools", "--now", AT];
    let sent = ["--method", "POST", "--uri", "/mcp", "-H", &fields];
    let accepted = world.run(&[&own[..], &sent].concat());
    assert!(accepted.contains("yes, by DPoP"), "{accepted}");
}

#[test]
fn a_workload_and_what_it_covers() {
    let world = World::new("prove-wpt");
    let held = ["--holder", &world.holder];
    let own = ["--sub", "wimse://td.example/agent-a"];
    let token = world.token("wit", &[&own[..], &held].concat());
    let request = world.proven("wpt", &token, &[]);
    world.holds("workloads", &request, Some("wpt"), &[]);
    world.fails(
        "workloads",
        &world.altered(&request, "/mcp", "/x"),
        "pop_invalid",
        &[],
    );

    let txn = ["--aud", "td.example", "--sub", "u1", "--scope", "trade"];
    let own = [
        "--claim",
        "txn=\"x1\"",
        "--claim",
        "req_wl=\"gw.td.example\"",
    ];
    let txn = world.token("txn_token", &[&txn[..], &own].concat());
    let txn = format!(
        "Txn-Token: {}",
        std::fs::read_to_string(txn).unwrap().trim()
    );
    let request = world.proven("wpt", &token, &["-H", &txn]);
    world.holds("calls", &request, None, &[]);
    let uncovered = world.proven("wpt", &token, &[]);
    world.fails("calls", &uncovered, "pop_invalid", &["-H", &txn]);
    let alone = world.altered(&request, "Workload-Identity-Token", "X");
    world.fails("calls", &alone, "no_token", &[]);
}

#[test]
fn an_attested_client() {
    let world = World::new("prove-client");
    let own = [
        "--iss",
        "https://corp.example",
        "--sub",
        "c1",
        "--holder",
        &world.holder,
    ];
    let token = world.token("client_attestation", &own);
    let request = world.proven("client_attestation_pop", &token, &[]);
    world.holds("clients", &request, Some("client_attestation_pop"), &[]);
    let elsewhere = ["--aud", "https://other.example"];
    let request = world.proven("client_attestation_pop", &token, &elsewhere);
    world.fails("clients", &request, "pop_invalid", &[]);
}

#[test]
fn a_capability_for_one_call() {
    let world = World::new("prove-capability");
    let details = r#"authorization_details=[{"type":"attenuating_agent_token","tools":{"read_file":{"path":{"constraint_type":"one_of","values":["/a","/b"]}}}}]"#;
    let own = [
        "--iss",
        "https://corp.example",
        "--holder",
        &world.holder,
        "--typ",
        "aat+jwt",
    ];
    let more = [
        "--claim",
        "del_depth=0",
        "--claim",
        "del_max_depth=2",
        "--claim",
        details,
    ];
    let token = world.token("capability", &[&own[..], &more].concat());
    let of = |path: &'static str| ["--operation", "tool=read_file", "--operation", path];
    let (a, b) = (
        of(r#"arguments={"path":"/a"}"#),
        of(r#"arguments={"path":"/b"}"#),
    );
    let request = world.proven("capability_pop", &token, &a);
    world.holds("capabilities", &request, Some("capability_pop"), &a);
    world.fails("capabilities", &request, "pop_invalid", &b);
    let (exit, said) = world.judged("verify", "capabilities", &request, &[]);
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("--operation tool="), "{said}");
}

#[test]
fn actors_who_sign_for_themselves() {
    let world = World::new("prove-actor");
    // The agent's own key signs its proof; `mint` takes it as any token.
    let proof = world.run(&[
        "mint",
        "--key",
        &world.holder,
        "--kind",
        "actor_proof",
        "--iss",
        "agent-a",
        "--sub",
        "u1",
        "--now",
        AT,
        "--act",
        "https://corp.example,agent-a",
        "--claim",
        r#"target={"aud":"https://api.example.com/mcp"}"#,
    ]);
    let proofs = format!("actor_proofs=[\"{}\"]", proof.trim());
    let own = [
        "--iss",
        "https://corp.example",
        "--sub",
        "u1",
        "--aud",
        "https://api.example.com/mcp",
        "--act",
        "agent-a",
        "--holder",
        &world.holder,
        "--claim",
        &proofs,
    ];
    let token = world.token("access_token", &own);
    let request = world.proven("dpop", &token, &[]);
    world.holds("tools", &request, Some("dpop"), &[]);
    let (exit, said) = world.judged("chain", "tools", &request, &["--json"]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("\"lineage\":\"cryptographic\""), "{said}");
}

#[test]
fn what_is_no_request_is_told() {
    let world = World::new("prove-wrong");
    for (text, line) in [
        ("", "line 1 of a request"),
        ("POST /mcp\r\n\r\n", "line 1 of a request"),
        (
            "POST /mcp HTTP/1.1\r\nAuthorization\r\n\r\n",
            "line 2: a field is",
        ),
        (
            "POST /mcp HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            "line 3: a field is",
        ),
    ] {
        let request = world.folder.write("wrong.http", text);
        let (exit, said) = world.judged("verify", "tools", &request, &[]);
        assert_eq!(exit, 2, "{text:?} {said}");
        assert!(said.contains(line), "{text:?} {said}");
    }
    for (url, key) in [("/mcp", &world.holder), ("https://", &world.holder)] {
        let output = sealgate(&["prove", "--key", key, "--url", url], "a.b.c");
        assert_eq!(code(&output), 2, "{url}");
    }
}

/// Whoever waits for an answer about a token asks with the request itself, whose proof is good
/// once.
#[test]
fn an_issuer_that_is_asked_about_a_request_answers_before_it_is_judged() {
    let world = World::new("prove-asked");
    let answer = serde_json::json!({
        "active": true, "iss": "https://corp.example", "sub": "u1", "token_type": "DPoP",
    });
    let server = Server::new(Box::new(move |_| {
        let fields = "content-type: application/json\r\n".to_owned();
        (200, fields, answer.to_string())
    }));
    let secret = world.folder.write("secret", "of a test");
    let only_ours = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&secret, only_ours).unwrap();
    let policy = format!(
        "version = 1\n[danger]\nhttp_loopback_issuers = true\n[issuers.corp]\nissuer = \"https://corp.example\"\n\
         algorithms = [\"ES256\"]\njwks_file = \"public.json\"\n[issuers.corp.introspection]\nclient_id = \"rs\"\n\
         client_secret = {{ file = \"secret\" }}\nendpoint = \"{}/\"\ntokens = \"all\"\n\
         allow_hosts = [\"127.0.0.1\"]\n[gates.tools]\nprofile = \"access_token\"\nissuers = [\"corp\"]\n\
         audience = \"https://api.example.com/mcp\"\npublic_url = \"https://api.example.com\"\n\
         sender_constrained = \"required\"\n[dpop]\n[replay]\nstore = \"process\"\n",
        server.url()
    );
    world.folder.write("policy.toml", policy);
    let own = [
        "--iss",
        "https://corp.example",
        "--sub",
        "u1",
        "--aud",
        "https://api.example.com/mcp",
        "--holder",
        &world.holder,
    ];
    let token = world.token("access_token", &own);
    let request = world.proven("dpop", &token, &[]);
    world.holds("tools", &request, Some("dpop"), &["--allow-danger"]);
    let (exit, said) = world.judged("chain", "tools", &request, &["--allow-danger"]);
    assert_eq!(exit, 0, "{said}");
}

/// Whoever looks at what a service will be sent does not spend it.
#[test]
fn a_request_that_is_judged_here_is_new_to_those_who_share_the_store() {
    let world = World::new("prove-unspent");
    let policy = POLICY.replace(
        "[replay]\nstore = \"process\"",
        "[stores.host]\nkind = \"file\"\npath = \"shared\"\n[replay]\nstore = \"host\"",
    );
    assert_ne!(policy, POLICY);
    world.folder.write("policy.toml", policy);
    let own = ["--iss", "https://corp.example", "--sub", "u1", "--aud"];
    let bound = ["https://api.example.com/mcp", "--holder", &world.holder];
    let token = world.token("access_token", &[&own[..], &bound].concat());
    let request = world.proven("dpop", &token, &[]);
    for _ in 0..2 {
        world.holds("tools", &request, Some("dpop"), &[]);
        let (exit, said) = world.judged("chain", "tools", &request, &[]);
        assert_eq!(exit, 0, "{said}");
    }
    assert!(!std::path::Path::new(&world.folder.path("shared")).exists());
}

#[test]
fn a_token_for_a_key_that_only_its_holder_has() {
    let world = World::new("prove-public");
    let public = world.folder.path("agent.json");
    let own = ["--iss", "https://corp.example", "--sub", "u1", "--aud"];
    let bound = ["https://api.example.com/mcp", "--holder", &public];
    let token = world.token("access_token", &[&own[..], &bound].concat());
    let request = world.proven("dpop", &token, &[]);
    world.holds("tools", &request, Some("dpop"), &[]);
    // The near miss: nobody signs with it.
    let output = sealgate(&["jwks", "public", &public], "");
    assert_eq!(code(&output), 2);
    assert!(
        complaint(&output).contains("private ones are needed"),
        "{}",
        complaint(&output)
    );
}
