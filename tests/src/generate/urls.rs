//! The URL that a request is for and the one its proof is for (DP-09), and where a request may have
//! been sent at all (D8).

use serde_json::{Value, json};

use super::possession::{CODE, Call, ORIGIN, URL, client, kind};
use super::{File, with};

/// DP-09: RFC 3986 §6.2.2 and §6.2.3, and nothing beyond.
pub(super) fn normalised(file: &mut File) {
    let good = |id: &str| format!("url/{id}");
    let near = "url/good";
    file.accept(near, &Call::new().request(), json!({}));
    for (id, htu) in [
        ("case", "HTTPS://RS.Example/mcp"),
        ("default-port", "https://rs.example:443/mcp"),
        ("empty-port", "https://rs.example:/mcp"),
        ("query-ignored", "https://rs.example/mcp?a=b"),
        ("fragment-ignored", "https://rs.example/mcp#f"),
        ("escaped-unreserved", "https://rs.example/%6dc%70"),
        ("dot-segments", "https://rs.example/x/../mcp"),
    ] {
        let call = Call::new().claims(json!({ "htu": htu }));
        file.accept(&good(id), &call.request(), json!({}));
    }
    for (id, uri, htu) in [
        ("sent-with-query", "/mcp?q=https://x/../y", URL),
        ("sent-whole", "https://rs.example/mcp?q", URL),
        (
            "sent-whole-other-spelling",
            "HTTPS://RS.EXAMPLE:443/./mcp",
            URL,
        ),
        ("sent-escaped", "/%7Eu/a%2fb", "https://rs.example/~u/a%2Fb"),
        ("root", "/", "https://rs.example"),
        ("root-spelled-out", "/", "https://rs.example/"),
        (
            "two-slashes",
            "//evil.example/mcp",
            "https://rs.example//evil.example/mcp",
        ),
    ] {
        let call = Call::new().claims(json!({ "htu": htu })).uri(uri);
        file.accept(&good(id), &call.request(), json!({}));
    }
    for (id, htu) in [
        ("other-host", "https://evil.example/mcp"),
        ("suffix-host", "https://rs.example.evil.example/mcp"),
        ("subdomain", "https://a.rs.example/mcp"),
        ("look-alike-host", "https://rs.ex\u{430}mple/mcp"),
        ("other-path", "https://rs.example/other"),
        ("longer-path", "https://rs.example/mcp/x"),
        ("trailing-slash", "https://rs.example/mcp/"),
        ("path-case", "https://rs.example/MCP"),
        ("other-port", "https://rs.example:8443/mcp"),
        ("http", "http://rs.example/mcp"),
        ("user-information", "https://rs.example@evil.example/mcp"),
        ("user-information-of-ours", "https://u@rs.example/mcp"),
        ("backslash", "https://rs.example\\mcp"),
        ("backslash-host", "https://evil.example\\@rs.example/mcp"),
        ("escaped-slash", "https://rs.example%2Fmcp"),
        ("escaped-slash-in-path", "https://rs.example/x%2F..%2Fmcp"),
        ("dot-segments-elsewhere", "https://rs.example/mcp/../other"),
        ("relative", "/mcp"),
        ("without-scheme", "//rs.example/mcp"),
        ("bad-escape", "https://rs.example/mcp%"),
        ("space", " https://rs.example/mcp"),
    ] {
        let call = Call::new().claims(json!({ "htu": htu }));
        file.refuse(&good(id), near, CODE, &call.request());
    }
    let array = Call::new().claims(json!({ "htu": [URL] }));
    file.refuse("url/array", near, CODE, &array.request());
    let elsewhere = Call::new().uri("/other").request();
    file.refuse("url/called-elsewhere", near, CODE, &elsewhere);
    // D8: what the request says of its host, its sender has chosen.
    let call = Call::new().claims(json!({ "htu": "https://evil.example/mcp" }));
    let fields = json!([
        ["Host", "evil.example"],
        ["X-Forwarded-Host", "evil.example"],
        ["Forwarded", "host=evil.example"],
        ["Authorization", call.authorization()],
        ["DPoP", call.proof()],
    ]);
    file.refuse(
        "url/host-of-the-request",
        near,
        CODE,
        &call.with_fields(fields),
    );
}

/// A request that was sent to this target.
type Sent<'s> = &'s dyn Fn(&str) -> Value;

/// D8: what is no path must lie under `public_url`, whatever its token is. A proof changes nothing
/// in this, and neither does a token that needs none.
pub(super) fn targets(file: &mut File) {
    let token = kind().token(&kind().claims());
    let plain = Call::with_token(client("ES256"), token.clone());
    let fields = json!([["Authorization", format!("Bearer {token}")]]);
    let plain = plain.with_fields(fields);
    let bearer = |uri: &str| with(&plain, json!({ "uri": uri }));
    let bound = |uri: &str| Call::new().uri(uri).request();
    let ways: [(&str, Sent<'_>); 2] = [("bearer", &bearer), ("dpop", &bound)];
    let under =
        json!({ "policy": { "gates": { "g": { "public_url": format!("{ORIGIN}/mcp") } } } });
    for (scheme, sent) in ways {
        let name = |id: &str| format!("target/{scheme}/{id}");
        let near = name("whole");
        file.accept(&near, &sent(URL), json!({}));
        file.accept(&name("path"), &sent("/mcp"), json!({}));
        let spelled = sent("HTTPS://RS.example:443/%6Dcp?x=1");
        file.accept(&name("whole-other-spelling"), &spelled, json!({}));
        for (id, uri) in [
            ("elsewhere", "https://evil.example/mcp"),
            ("longer-host", "https://rs.example.evil.example/mcp"),
            ("subdomain", "https://a.rs.example/mcp"),
            ("user-information", "https://rs.example@evil.example/mcp"),
            ("other-port", "https://rs.example:8443/mcp"),
            ("other-scheme", "http://rs.example/mcp"),
            ("no-scheme-of-servers", "ftp://rs.example/mcp"),
            ("authority", "rs.example:443"),
            ("star", "*"),
            ("no-form", "mcp"),
            ("empty", ""),
            ("space-first", " https://rs.example/mcp"),
        ] {
            file.refuse(&name(id), &near, "malformed_request", &sent(uri));
        }
        // A path of its own is the gate's; a path that was sent is whatever the server routed here.
        let at = |uri: &str| with(&sent(uri), under.clone());
        let near = name("under-a-path");
        file.accept(&near, &at(URL), json!({}));
        for (id, uri) in [
            ("beside-the-path", "https://rs.example/other"),
            ("longer-segment", "https://rs.example/mcpx"),
            ("above-by-dots", "https://rs.example/mcp/../other"),
        ] {
            file.refuse(&name(id), &near, "malformed_request", &at(uri));
        }
    }
    // Without a public URL nobody knows where the gate is, and no proof can be for it.
    let nowhere = json!({ "policy": {
        "gates": { "g": { "public_url": null } }, "dpop": null, "replay": null,
    } });
    let unknown = with(&bearer("https://evil.example/mcp"), nowhere);
    file.accept("target/no-public-url", &unknown, json!({}));
    // What is no credential says nothing of where it went (RFC 6750 §3.1).
    let none = with(
        &bearer("https://evil.example/mcp"),
        json!({ "headers": [] }),
    );
    file.refuse("target/no-token", "target/bearer/whole", "no_token", &none);
}
