//! A proxy between a process and its server that does what networks do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

pub(crate) struct Proxy {
    port: u16,
    wire: Arc<Wire>,
}

#[derive(Default)]
struct Wire {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Nothing gets through, and nobody is told.
    parted: bool,
    /// A byte at a time.
    crumbles: bool,
    over: bool,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// Listens, and connects whoever comes with this port.
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = Arc::new(Wire::default());
        let own = Arc::clone(&wire);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                if own.state().over {
                    return;
                }
                // A server that is away is a connection that ends at once.
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                own.join(&client, &server);
            }
        });
        Self { port, wire }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Nothing gets through from now on; connections seem to be well.
    pub(crate) fn part(&self) {
        self.wire.change(|state| state.parted = true);
    }

    pub(crate) fn heal(&self) {
        self.wire.change(|state| state.parted = false);
    }

    /// What comes is handed on a byte at a time.
    pub(crate) fn crumble(&self) {
        self.wire.change(|state| state.crumbles = true);
    }

    /// Ends all connections there are.
    pub(crate) fn cut(&self) {
        self.wire.change(State::cut);
    }
}

impl State {
    fn cut(&mut self) {
        for stream in self.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn join(self: &Arc<Self>, client: &TcpStream, server: &TcpStream) {
        for (from, to) in [(client, server), (server, client)] {
            // A byte goes when it comes, not when others join it.
            to.set_nodelay(true).unwrap();
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            self.state().open.push(from.try_clone().unwrap());
            let own = Arc::clone(self);
            thread::spawn(move || own.carry(from, &to));
        }
    }

    /// Hands on what comes, until either side ends.
    fn carry(&self, mut from: TcpStream, mut to: &TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(size @ 1..) = from.read(&mut buffer) {
            let parted = |state: &mut State| state.parted && !state.over;
            let state = self.changed.wait_while(self.state(), parted).unwrap();
            let crumbles = state.crumbles;
            drop(state);
            let step = if crumbles { 1 } else { size };
            let mut pieces = buffer[..size].chunks(step);
            if !pieces.all(|piece| to.write_all(piece).is_ok()) {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.wire.change(|state| {
            state.over = true;
            state.cut();
        });
        // Lets the listener see it.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
