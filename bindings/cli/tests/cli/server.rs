//! A small HTTP server on this machine, which plays an issuer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// What it answers: status, further header fields, body.
type Answer = (u16, String, String);
type Respond = dyn Fn(&str) -> Answer + Send + Sync;

pub(crate) struct Server {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    /// Requests so far.
    pub(crate) asked: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn new(respond: Box<Respond>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (is_over, asked) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (over, count) = (Arc::clone(&is_over), Arc::clone(&asked));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away is its own business.
                let _ = serve(stream.unwrap(), &*respond, &count);
            }
        });
        Self {
            address,
            is_over,
            asked,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, respond: &Respond, asked: &AtomicUsize) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    // What is left unread would reset the connection, answer and all.
    reader.read_exact(&mut vec![0; length])?;
    let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
    let (status, fields, body) = respond(&path);
    asked.fetch_add(1, Ordering::SeqCst);
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n{fields}\r\n{body}",
        body.len()
    )
}

/// An issuer whose keys may change while it runs.
pub(crate) struct Issuer {
    pub(crate) server: Server,
    keys: Arc<Mutex<Value>>,
}

impl Issuer {
    /// With OpenID Connect metadata, as `edit` changes it, and these keys.
    pub(crate) fn new(keys: Value, fields: &str, edit: fn(&mut Value)) -> Self {
        let keys = Arc::new(Mutex::new(keys));
        let (set, fields) = (Arc::clone(&keys), fields.to_owned());
        let own = Arc::new(Mutex::new(String::new()));
        let base = Arc::clone(&own);
        let server = Server::new(Box::new(move |path| match path {
            "/.well-known/openid-configuration" => {
                let base = base.lock().unwrap();
                let mut metadata = json!({
                    "issuer": *base, "jwks_uri": format!("{base}/keys"),
                    "id_token_signing_alg_values_supported": ["ES256"],
                });
                edit(&mut metadata);
                (200, fields.clone(), metadata.to_string())
            }
            "/keys" => (200, fields.clone(), set.lock().unwrap().to_string()),
            _ => (404, String::new(), String::new()),
        }));
        *own.lock().unwrap() = server.url();
        Self { server, keys }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn publish(&self, keys: Value) {
        *self.keys.lock().unwrap() = keys;
    }
}
