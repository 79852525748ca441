//! A small HTTP server that answers as it is told, and counts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// How to answer a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A whole answer, head and all.
    Raw(Vec<u8>),
    /// The same, on a connection that serves one more request after it, and breaks at the one after
    /// that.
    Kept(Vec<u8>),
    /// These bytes, and then nothing, with the connection left open.
    Stall(Vec<u8>),
    /// The connection is reset.
    Reset,
    /// By path; a path that is not among them is 404.
    ByPath(Vec<(&'static str, Self)>),
}

impl Answer {
    fn to(self, path: &str) -> Self {
        let Self::ByPath(answers) = self else {
            return self;
        };
        let found = answers.into_iter().find(|(own, _)| *own == path);
        found.map_or_else(|| http("404 Not Found", "", b""), |(_, answer)| answer)
    }
}

/// A whole answer with this status, further fields and body.
pub(crate) fn http(status: &str, fields: &str, body: &[u8]) -> Answer {
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{fields}\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    Answer::Raw(answer)
}

impl Answer {
    /// The same, and the connection stays.
    pub(crate) fn kept(self) -> Self {
        let Self::Raw(bytes) = self else {
            return self;
        };
        let text = String::from_utf8(bytes).unwrap();
        Self::Kept(text.replace("Connection: close\r\n", "").into_bytes())
    }
}

pub(crate) fn ok(body: &str) -> Answer {
    http(
        "200 OK",
        "Content-Type: application/jwk-set+json\r\n",
        body.as_bytes(),
    )
}

/// Serves until the test process ends.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    answer: Mutex<Answer>,
    asked: AtomicUsize,
    connections: AtomicUsize,
    /// The last request: its head in lower case, and its body.
    last: Mutex<(String, String)>,
    /// Connections that are left open.
    stalled: Mutex<Vec<Box<dyn Send>>>,
}

/// What turns a connection into one that can be read and written: TLS, or nothing.
pub(crate) trait Wrap: Send + Sync + 'static {
    type Stream: Read + Write + Send + 'static;
    fn wrap(&self, stream: TcpStream) -> Self::Stream;
}

pub(crate) struct Plain;

impl Wrap for Plain {
    type Stream = TcpStream;

    fn wrap(&self, stream: TcpStream) -> TcpStream {
        stream
    }
}

impl Server {
    pub(crate) fn start(answer: Answer) -> Self {
        Self::start_with(answer, Plain)
    }

    pub(crate) fn start_with<W: Wrap>(answer: Answer, wrap: W) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            answer: Mutex::new(answer),
            asked: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            last: Mutex::default(),
            stalled: Mutex::new(Vec::new()),
        });
        let own = Arc::clone(&state);
        let wrap = Arc::new(wrap);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, wrap) = (Arc::clone(&own), Arc::clone(&wrap));
                thread::spawn(move || state.serve(stream.unwrap(), &*wrap));
            }
        });
        Self { port, state }
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.state.answer.lock().unwrap() = answer;
    }

    /// The last request: its head, and its body.
    pub(crate) fn last(&self) -> (String, String) {
        self.state.last.lock().unwrap().clone()
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// How many connections brought them.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl State {
    fn serve<W: Wrap>(&self, stream: TcpStream, wrap: &W) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        if matches!(*self.answer.lock().unwrap(), Answer::Reset) {
            self.asked.fetch_add(1, Ordering::SeqCst);
            // Closing with unread data makes the system send RST.
            let _ = stream.peek(&mut [0]);
            return;
        }
        let mut reader = BufReader::new(wrap.wrap(stream));
        for _ in 0..2 {
            match self.serve_one(reader) {
                Some(kept) => reader = kept,
                None => return,
            }
        }
        // Breaks under the next request, which has been sent by then.
        let _ = reader.fill_buf();
    }

    /// The connection, where it is to be kept.
    fn serve_one<S: Read + Write + Send + 'static>(
        &self,
        mut reader: BufReader<S>,
    ) -> Option<BufReader<S>> {
        let (mut request, mut line) = (String::new(), String::new());
        // A handshake that fails ends here.
        if !reader.read_line(&mut request).is_ok_and(|read| read > 0) {
            return None;
        }
        let (mut head, mut length) = (request.clone(), 0);
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            let field = line.split_once(':');
            let sized = field.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            length = sized.map_or(length, |(_, value)| value.trim().parse().unwrap());
            head.push_str(&line);
            line.clear();
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return None;
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        *self.last.lock().unwrap() = (head, body);
        let path = request.split(' ').nth(1).unwrap_or_default();
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().unwrap().clone().to(path);
        if let Answer::Raw(bytes) | Answer::Kept(bytes) | Answer::Stall(bytes) = &answer {
            let stream = reader.get_mut();
            let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        }
        match answer {
            Answer::Kept(_) => return Some(reader),
            Answer::Stall(_) => self.stalled.lock().unwrap().push(Box::new(reader)),
            Answer::Raw(_) | Answer::Reset | Answer::ByPath(_) => {}
        }
        None
    }
}
