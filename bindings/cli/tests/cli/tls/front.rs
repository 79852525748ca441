//! A port that speaks TLS before one that does not.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection};

/// Listens until the test process ends, and hands on what comes to this port of this machine; the
/// port to come to.
pub(super) fn before(server: u16, config: &Arc<ServerConfig>) -> u16 {
    let config = Arc::clone(config);
    listen(move |client| {
        // A server that is away is a connection that ends at once.
        if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
            join(&client, &server, Arc::clone(&config));
        }
    })
}

/// Serves each connection on a thread of its own; the port to come to.
pub(super) fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for client in listener.incoming() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(client.unwrap()));
        }
    });
    port
}

fn join(client: &TcpStream, server: &TcpStream, config: Arc<ServerConfig>) {
    let tls = Mutex::new(ServerConnection::new(config).unwrap());
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = outward(server, client, &tls);
            end(client, server);
        });
        let _ = inward(client, server, &tls);
        end(client, server);
    });
}

fn end(client: &TcpStream, server: &TcpStream) {
    for stream in [client, server] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn inward(
    mut client: &TcpStream,
    mut server: &TcpStream,
    tls: &Mutex<ServerConnection>,
) -> std::io::Result<()> {
    let mut bytes = [0; 16 * 1024];
    while let size @ 1.. = client.read(&mut bytes)? {
        let mut tls = tls.lock().unwrap();
        let (mut left, mut plain) = (&bytes[..size], Vec::new());
        while !left.is_empty() {
            tls.read_tls(&mut left)?;
            let read = tls.process_new_packets();
            send(&mut tls, client)?;
            read.map_err(std::io::Error::other)?;
            // What there is, and then that there is no more yet.
            let _ = tls.reader().read_to_end(&mut plain);
        }
        server.write_all(&plain)?;
    }
    Ok(())
}

fn outward(
    mut server: &TcpStream,
    client: &TcpStream,
    tls: &Mutex<ServerConnection>,
) -> std::io::Result<()> {
    let mut bytes = [0; 16 * 1024];
    while let size @ 1.. = server.read(&mut bytes)? {
        let mut tls = tls.lock().unwrap();
        tls.writer().write_all(&bytes[..size])?;
        send(&mut tls, client)?;
    }
    let mut tls = tls.lock().unwrap();
    tls.send_close_notify();
    send(&mut tls, client)
}

fn send(tls: &mut ServerConnection, mut client: &TcpStream) -> std::io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(&mut client)?;
    }
    Ok(())
}
