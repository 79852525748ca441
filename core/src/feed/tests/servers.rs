//! Real servers on loopback, for tests: found, started on free ports in folders of their own,
//! killed, held, started again, and gone when the test ends.
//!
//! Used by the tests of the crate and by those of the repository.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Redis, with every write on disk before it is answered.
    Redis,
    /// Redis that forgets all when it ends.
    ForgetfulRedis,
    /// NATS with JetStream.
    Nats,
    /// NATS without.
    PlainNats,
}

pub(crate) struct Server {
    kind: Kind,
    program: PathBuf,
    /// Further arguments.
    arguments: Vec<String>,
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts one. `None`, and says so, where the program is not installed; in CI that is a
    /// failure.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, Vec::new())
    }

    /// With further arguments.
    pub(crate) fn start_with(kind: Kind, arguments: Vec<String>) -> Option<Self> {
        let name = match kind {
            Kind::Redis | Kind::ForgetfulRedis => "redis-server",
            Kind::Nats | Kind::PlainNats => "nats-server",
        };
        let Some(program) = find(name) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "{name} is not installed: `tests/run servers` gets it"
            );
            eprintln!("skipped: {name} is not installed; `tests/run servers` gets it");
            return None;
        };
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = format!("sealgate-{name}-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let mut server = Self {
            kind,
            program,
            arguments,
            folder,
            port: 0,
            child: None,
        };
        // Somebody else may take the port between its choice and its use.
        for _ in 0..10 {
            server.port = free_port();
            if server.run() {
                return Some(server);
            }
        }
        panic!("{name} does not start");
    }

    pub(crate) fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same server through another port: a proxy's.
    pub(crate) fn url_at(&self, port: u16) -> String {
        match self.kind {
            Kind::Redis | Kind::ForgetfulRedis => format!("redis://127.0.0.1:{port}"),
            Kind::Nats | Kind::PlainNats => format!("nats://127.0.0.1:{port}"),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Ends it, and starts it on its port with nothing.
    pub(crate) fn lose_everything(&mut self) {
        self.kill();
        std::fs::remove_dir_all(&self.folder).unwrap();
        std::fs::create_dir_all(&self.folder).unwrap();
        self.restart();
    }

    /// Ends it, and starts it again with what it has on disk, of which a copy is kept.
    pub(crate) fn keep(&mut self) {
        self.kill();
        let copied = Command::new("cp")
            .arg("-r")
            .args([&self.folder, &self.kept()])
            .status();
        assert!(copied.unwrap().success());
        self.restart();
    }

    /// Ends it, and starts it with the copy.
    pub(crate) fn go_back(&mut self) {
        self.kill();
        std::fs::remove_dir_all(&self.folder).unwrap();
        std::fs::rename(self.kept(), &self.folder).unwrap();
        self.restart();
    }

    fn kept(&self) -> PathBuf {
        self.folder.with_extension("kept")
    }

    /// A command of Redis, past everybody.
    pub(crate) fn say(&self, command: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "{command}\r\n").unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert!(!answer.starts_with('-'), "{command}: {answer}");
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again, on its port, with what it has on disk.
    pub(crate) fn restart(&mut self) {
        self.kill();
        assert!(self.run(), "{:?} does not start again", self.kind);
    }

    /// It neither answers nor closes its connections, until [`Server::go_on`].
    pub(crate) fn hold(&self) {
        self.signal("-STOP");
        // A signal is under way for a while, and longer to each of many threads.
        let tasks = format!("/proc/{}/task", self.child.as_ref().unwrap().id());
        let runs = |task: std::io::Result<std::fs::DirEntry>| {
            let state = std::fs::read_to_string(task.unwrap().path().join("stat"));
            state.is_ok_and(|state| !state.contains(") T "))
        };
        while std::fs::read_dir(&tasks).is_ok_and(|mut tasks| tasks.any(runs)) {
            std::thread::yield_now();
        }
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let child = self.child.as_ref().unwrap();
        let mut kill = Command::new("kill");
        let status = kill.arg(signal).arg(child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Waits until it says that it is ready; `false` if it ends before.
    fn run(&mut self) -> bool {
        let mut command = Command::new(&self.program);
        let port = self.port.to_string();
        let ready = match self.kind {
            Kind::Redis | Kind::ForgetfulRedis => {
                command.args(["--bind", "127.0.0.1", "--port", &port, "--save", ""]);
                command
                    .args(["--loglevel", "notice", "--dir"])
                    .arg(&self.folder);
                if self.kind == Kind::Redis {
                    command.args(["--appendonly", "yes", "--appendfsync", "always"]);
                }
                "Ready to accept connections"
            }
            Kind::Nats | Kind::PlainNats => {
                command.args(["--addr", "127.0.0.1", "--port", &port]);
                if self.kind == Kind::Nats {
                    command.arg("--jetstream");
                    command.arg("--store_dir").arg(&self.folder);
                }
                "Server is ready"
            }
        };
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = match self.kind {
            Kind::Redis | Kind::ForgetfulRedis => command.stdout(Stdio::piped()),
            Kind::Nats | Kind::PlainNats => command.stderr(Stdio::piped()),
        }
        .spawn()
        .unwrap();
        let log: Box<dyn std::io::Read + Send> = match (child.stdout.take(), child.stderr.take()) {
            (Some(out), _) => Box::new(out),
            (_, Some(err)) => Box::new(err),
            _ => unreachable!("one of them is piped"),
        };
        let mut lines = BufReader::new(log).lines();
        let is_ready = lines.any(|line| line.is_ok_and(|line| line.contains(ready)));
        // What it says later goes nowhere, and never fills a pipe.
        std::thread::spawn(move || lines.for_each(drop));
        if is_ready {
            self.child = Some(child);
        } else {
            let _ = child.kill();
            let _ = child.wait();
        }
        is_ready
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = std::fs::remove_dir_all(self.kept());
    }
}

/// In the folders of programs, and where `tests/run` puts what it gets.
fn find(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let own = own.map(|folder| folder.join("target/tools/bin"));
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).chain(own).collect();
    let places = folders.iter().map(|folder| folder.join(name));
    places.into_iter().find(|place| place.is_file())
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
