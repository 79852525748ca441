//! A transmitter of our own: it pushes events over HTTP (RFC 8935) to a receiver behind a small
//! server, and is polled for them (RFC 8936).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use sealgate::remote::Client;
use sealgate::{HandleKind, Receiver, Verdict};
use sealgate_tests::workshop::b64u;
use serde_json::{Value, json};

use super::stand::{Stand, T, key};

const ISS: &str = "https://as.example";
const DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";

fn open() -> Stand {
    let gate = |profile: &str, audience: &str| json!({ "profile": profile, "audience": audience, "issuers": ["as"] });
    let policy = json!({
        "version": 1,
        "revocation": { "store": "process" },
        "issuers": { "as": {
            "issuer": ISS, "algorithms": ["Ed25519"], "jwks": { "keys": [key("a").jwk] },
            "profiles": ["access_token", "logout_token", "set"],
        } },
        "gates": {
            "g": gate("access_token", "https://rs.example"),
            "signals": gate("set", "https://rs.example/events"),
            "sessions": gate("logout_token", "client1"),
        },
    });
    Stand::open(&policy, Path::new("."))
}

fn signed(kid: &str, typ: &str, claims: &Value) -> String {
    let header = json!({ "alg": "Ed25519", "typ": typ, "kid": kid });
    let input = format!("{}.{}", b64u(header.to_string()), b64u(claims.to_string()));
    format!("{input}.{}", b64u(key(kid).sign(input.as_bytes())))
}

/// The account of `sub` is disabled.
fn set(jti: &str, sub: &str, more: &Value) -> String {
    let mut claims = json!({
        "iss": ISS, "aud": "https://rs.example/events", "iat": T, "jti": jti,
        "sub_id": { "format": "iss_sub", "iss": ISS, "sub": sub },
        "events": { DISABLED: { "event_timestamp": T } },
    });
    claims
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    signed("a", "secevent+jwt", &claims)
}

fn says(stand: &Stand, sub: &str) -> &'static str {
    let claims = json!({ "iss": ISS, "sub": sub, "client_id": "c1", "jti": "j1", "sid": format!("s-{sub}"),
                         "aud": "https://rs.example", "iat": T, "exp": T + 3600 });
    let token = signed("a", "at+jwt", &claims);
    Verdict::code(&stand.verifier.gate("g").unwrap().judge(token))
}

/// One request as it came: first line, fields by lower-case name, body.
fn request(stream: &TcpStream) -> (String, BTreeMap<String, String>, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut fields) = (String::new(), BTreeMap::new());
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = fields
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (first, fields, body)
}

/// A server that hands each request to `handle` and writes its status, content type and body.
fn serve(
    handle: impl Fn(&BTreeMap<String, String>, &[u8]) -> (u16, Vec<(String, String)>, String)
    + Send
    + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (_, fields, body) = request(&stream);
            let (status, headers, answer) = handle(&fields, &body);
            let mut text = format!(
                "HTTP/1.1 {status} -\r\nContent-Length: {}\r\nConnection: close\r\n",
                answer.len()
            );
            for (name, value) in headers {
                text += &format!("{name}: {value}\r\n");
            }
            let _ = stream.write_all(format!("{text}\r\n{answer}").as_bytes());
        }
    });
    port
}

/// A receiver's endpoint, as a program would write it.
fn endpoint(receiver: Receiver) -> u16 {
    serve(move |fields, body| {
        let delivery = receiver.push(fields.get("content-type").map(String::as_str), body);
        let headers = delivery
            .answer
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        (
            delivery.answer.status,
            headers.collect(),
            delivery.answer.body,
        )
    })
}

/// Delivers, as a transmitter does; status and body of the answer.
fn deliver(port: u16, content_type: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: rs.example\r\nContent-Type: {content_type}\r\nAccept: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

const SET: &str = "application/secevent+jwt";

#[test]
fn rfc_8935_a_push_is_in_force_before_it_is_answered() {
    let stand = open();
    let port = endpoint(stand.verifier.receiver("signals").unwrap());
    assert_eq!(says(&stand, "u1"), "accepted");
    let event = set("e1", "u1", &json!({}));
    assert_eq!(deliver(port, SET, &event), (202, String::new()));
    assert_eq!(
        (says(&stand, "u1"), says(&stand, "u2")),
        ("revoked", "accepted")
    );
    // SET-07: told again, acknowledged again, and nothing has changed.
    let epoch = stand.verifier.revocations().epoch();
    let again = stand
        .verifier
        .receiver("signals")
        .unwrap()
        .push(Some(SET), event.as_bytes());
    assert_eq!(again.answer.status, 202);
    assert!(
        again
            .event
            .is_some_and(|event| event.duplicate && event.changes.is_empty())
    );
    assert_eq!(
        deliver(port, "Application/SecEvent+JWT; charset=utf-8", &event),
        (202, String::new())
    );
    assert_eq!(stand.verifier.revocations().epoch(), epoch);
}

#[test]
fn rfc_8935_what_is_refused_says_why_in_the_words_of_the_standard() {
    let stand = open();
    let port = endpoint(stand.verifier.receiver("signals").unwrap());
    let elsewhere = json!({ "aud": "https://other.example/events" });
    let other = json!({ "iss": "https://evil.example" });
    let forged = signed("evil", "secevent+jwt", &json!({ "iss": ISS }));
    for (err, body) in [
        ("invalid_request", "not a token".to_owned()),
        ("invalid_request", String::new()),
        (
            "invalid_request",
            set("e1", "u1", &json!({ "exp": T + 60 })),
        ),
        ("invalid_request", set("e1", "u1", &json!({ "sub": "u1" }))),
        (
            "invalid_request",
            set("e1", "u1", &json!({ "sub_id": { "format": "x" } })),
        ),
        (
            "invalid_request",
            set("e1", "u1", &json!({ "iat": T - 8 * 86_400 })),
        ),
        ("invalid_audience", set("e1", "u1", &elsewhere)),
        ("invalid_issuer", set("e1", "u1", &other)),
        ("invalid_key", forged),
    ] {
        let (status, answer) = deliver(port, SET, &body);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, answer["err"].as_str()), (400, Some(err)), "{body}");
        assert!(answer["description"].is_string());
    }
    let (status, answer) = deliver(port, "application/json", &set("e1", "u1", &json!({})));
    assert_eq!(status, 400);
    assert!(answer.contains("invalid_request"));
    assert_eq!(says(&stand, "u1"), "accepted");
}

#[test]
fn a_logout_token_comes_in_a_form() {
    let stand = open();
    let port = endpoint(stand.verifier.receiver("sessions").unwrap());
    let logout = signed(
        "a",
        "logout+jwt",
        &json!({
            "iss": ISS, "aud": "client1", "iat": T, "exp": T + 120, "jti": "l1", "sid": "s-u1",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        }),
    );
    let form = "application/x-www-form-urlencoded";
    for (content_type, body) in [
        (form, logout.clone()),
        (form, format!("logout_token={logout}&logout_token={logout}")),
        (form, "logout_token=".to_owned()),
        ("application/json", format!("logout_token={logout}")),
        (
            form,
            format!("logout_token={}", set("e1", "u1", &json!({}))),
        ),
    ] {
        let (status, answer) = deliver(port, content_type, &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer.contains("\"error\":\"invalid_request\""), "{answer}");
    }
    assert_eq!(says(&stand, "u1"), "accepted");
    assert_eq!(
        deliver(port, form, &format!("logout_token={logout}")),
        (200, String::new())
    );
    assert_eq!(
        (says(&stand, "u1"), says(&stand, "u2")),
        ("revoked", "accepted")
    );
}

#[test]
fn only_gates_of_events_receive() {
    let stand = open();
    let refused = |gate: &str| stand.verifier.receiver(gate).unwrap_err().to_string();
    assert!(
        refused("g").contains("profile access_token"),
        "{}",
        refused("g")
    );
    assert!(refused("nowhere").contains("no gate nowhere"));
}

/// What a transmitter has to tell, until it is acknowledged.
struct Stream {
    sets: BTreeMap<String, String>,
    requests: Vec<Value>,
    /// How many answers it loses.
    loses: usize,
}

/// A transmitter that is polled.
fn transmitter(stream: &Arc<Mutex<Stream>>) -> u16 {
    let stream = Arc::clone(stream);
    serve(move |fields, body| {
        let mut stream = stream.lock().unwrap();
        if fields.get("authorization").map(String::as_str) != Some("Bearer x") {
            return (401, Vec::new(), String::new());
        }
        let request: Value = serde_json::from_slice(body).unwrap();
        for jti in request["ack"].as_array().unwrap() {
            stream.sets.remove(jti.as_str().unwrap());
        }
        for jti in request["setErrs"].as_object().into_iter().flatten() {
            stream.sets.remove(jti.0);
        }
        let most = usize::try_from(request["maxEvents"].as_u64().unwrap()).unwrap();
        stream.requests.push(request);
        if stream.loses > 0 {
            stream.loses -= 1;
            return (500, Vec::new(), String::new());
        }
        let sets: BTreeMap<_, _> = stream.sets.iter().take(most).collect();
        let more = stream.sets.len() > most;
        let answer = json!({ "sets": sets, "moreAvailable": more }).to_string();
        (
            200,
            vec![("Content-Type".to_owned(), "application/json".to_owned())],
            answer,
        )
    })
}

#[test]
fn rfc_8936_events_are_polled_and_acknowledged_once_they_are_in_force() {
    let stand = open();
    let sets = [
        ("e1", set("e1", "u1", &json!({}))),
        (
            "e2",
            set("e2", "u2", &json!({ "aud": "https://other.example" })),
        ),
        ("e3", set("e4", "u3", &json!({}))),
        ("e5", set("e5", "u5", &json!({}))),
    ];
    let sets = sets
        .into_iter()
        .map(|(jti, set)| (jti.to_owned(), set))
        .collect();
    let stream = Arc::new(Mutex::new(Stream {
        sets,
        requests: Vec::new(),
        loses: 1,
    }));
    let url = format!("http://localhost:{}/poll", transmitter(&stream));
    let client = Client::new()
        .allow_host("localhost")
        .allow_loopback_http(true);
    let mut poller = stand.verifier.receiver("signals").unwrap().poller(3);
    assert!(
        client
            .poll(&url, None, &mut poller)
            .unwrap_err()
            .to_string()
            .contains("401")
    );
    let lost = client
        .poll(&url, Some("Bearer x"), &mut poller)
        .unwrap_err();
    assert!(lost.to_string().contains("500"), "{lost}");

    let polled = client.poll(&url, Some("Bearer x"), &mut poller).unwrap();
    assert_eq!(
        (polled.accepted, polled.refused, polled.undecided),
        (1, 2, 0)
    );
    assert!(polled.more_available);
    let handles = polled.changes.iter().map(|made| made.change.handle());
    let handles: Vec<_> = handles.map(|own| (own.kind(), own.value())).collect();
    assert_eq!(handles, [(HandleKind::Disabled, "u1")]);
    assert_eq!(
        ["u1", "u3", "u5"].map(|sub| says(&stand, sub)),
        ["revoked", "accepted", "accepted"],
        "what was refused has done nothing"
    );
    // The answer to the request that acknowledges is lost: it is acknowledged again.
    stream.lock().unwrap().loses = 1;
    assert!(client.poll(&url, Some("Bearer x"), &mut poller).is_err());
    let polled = client.poll(&url, Some("Bearer x"), &mut poller).unwrap();
    assert_eq!((polled.accepted, polled.more_available), (1, false));
    assert_eq!(says(&stand, "u5"), "revoked");
    assert_eq!(
        client
            .poll(&url, Some("Bearer x"), &mut poller)
            .unwrap()
            .accepted,
        0
    );

    let stream = stream.lock().unwrap();
    assert!(stream.sets.is_empty());
    let [first, second, third, fourth, last] = stream.requests.as_slice() else {
        panic!("{} requests", stream.requests.len());
    };
    assert_eq!(first["ack"], json!([]));
    assert_eq!(first, second);
    assert_eq!(
        (&third["ack"], &fourth["ack"]),
        (&json!(["e1"]), &json!(["e1"]))
    );
    assert_eq!(third["setErrs"]["e2"]["err"], "invalid_audience");
    assert_eq!(third["setErrs"]["e3"]["err"], "invalid_request");
    assert_eq!(
        (&last["ack"], &last["setErrs"]),
        (&json!(["e5"]), &Value::Null)
    );
}

#[test]
fn an_answer_that_is_none_changes_nothing() {
    let stand = open();
    let mut poller = stand.verifier.receiver("signals").unwrap().poller(10);
    let sets = json!({ "sets": { "e1": set("e1", "u1", &json!({})) } });
    poller.take(sets.to_string().as_bytes()).unwrap();
    let request = poller.request();
    assert!(request.contains("\"ack\":[\"e1\"]"), "{request}");
    for body in [
        "",
        "[]",
        "{}",
        "{\"sets\":[]}",
        "{\"sets\":{},\"sets\":{}}",
        "{\"sets\":{},\"moreAvailable\":1}",
    ] {
        assert!(poller.take(body.as_bytes()).is_err(), "{body}");
        assert_eq!(poller.request(), request);
    }
    let polled = poller.take(b"{\"sets\":{\"e2\":7}}").unwrap();
    assert_eq!((polled.refused, polled.more_available), (1, false));
}
