//! [`Line`]: one connection, on which nothing waits for ever.

use std::time::Duration;

use redis::{
    Client, Cmd, Connection, ConnectionAddr, ConnectionInfo, ConnectionLike, ErrorKind,
    FromRedisValue, Pipeline, RedisError, RedisResult, TlsCertificates,
};

use crate::feed::{ANSWER, CONNECT, FeedError};
use crate::tls;

/// Names of fields that are no handle begin so.
const OWN: u8 = b'#';

/// A field of a hash, and what is there.
pub(super) type Field = (Vec<u8>, Vec<u8>);

pub(super) struct Line {
    connection: Connection,
    /// Host and port, for error texts.
    server: String,
}

impl Line {
    /// Connects to the node that holds `key`: of a cluster, any node may be named.
    pub(super) fn open(server: &ConnectionInfo, key: &str) -> Result<Self, FeedError> {
        let mut line = Self::connect(server.clone())?;
        let asked: RedisResult<bool> = redis::cmd("EXISTS").arg(key).query(&mut line.connection);
        let Err(error) = asked else {
            return Ok(line);
        };
        match elsewhere(&error, server.addr()) {
            Some(node) => Self::connect(server.clone().set_addr(node)),
            None => Err(line.explain("asking", &error)),
        }
    }

    fn connect(server: ConnectionInfo) -> Result<Self, FeedError> {
        let shown = server.addr().to_string();
        let is_tls = matches!(server.addr(), ConnectionAddr::TcpTls { .. });
        let client = if is_tls {
            let trusted = tls::Authorities::get().map_err(|text| FeedError {
                text: format!("redis at {shown}: connecting: {text}"),
                passes: false,
            })?;
            tls::install();
            let certificates = TlsCertificates {
                client_tls: None,
                root_cert: trusted.pem(),
            };
            Client::build_with_tls(server, certificates)
        } else {
            Client::open(server)
        };
        let connected = client.and_then(|client| {
            let connection = client.get_connection_with_timeout(CONNECT)?;
            connection.set_write_timeout(Some(ANSWER))?;
            connection.set_read_timeout(Some(ANSWER))?;
            Ok(connection)
        });
        match connected {
            Ok(connection) => Ok(Self {
                connection,
                server: shown,
            }),
            Err(error) if is_tls && error.is_timeout() => Err(FeedError {
                text: format!(
                    "redis at {shown}: connecting: no answer in time, as from a server that does \
                     not speak TLS (redis://)"
                ),
                passes: true,
            }),
            Err(error) => Err(explain(&shown, "connecting", &error)),
        }
    }

    /// `what` is what the command is for, for error texts.
    pub(super) fn ask<T: FromRedisValue>(
        &mut self,
        what: &str,
        command: &Cmd,
    ) -> Result<T, FeedError> {
        let answer = command.query(&mut self.connection);
        answer.map_err(|error| self.explain(what, &error))
    }

    /// The last of them may block for so long.
    pub(super) fn ask_all<T: FromRedisValue>(
        &mut self,
        what: &str,
        commands: &Pipeline,
        block: Duration,
    ) -> Result<T, FeedError> {
        let patience = Some(ANSWER.saturating_add(block));
        let answer = self.connection.set_read_timeout(patience);
        let answer = answer.and_then(|()| commands.query(&mut self.connection));
        answer.map_err(|error| self.explain(what, &error))
    }

    /// Some states of handles, about so many, and where to go on: at 0 when all have been seen.
    pub(super) fn scan(
        &mut self,
        what: &str,
        hash: &str,
        cursor: u64,
        about: usize,
    ) -> Result<(u64, Vec<Field>), FeedError> {
        let mut scan = redis::cmd("HSCAN");
        scan.arg(hash).arg(cursor).arg("COUNT").arg(about);
        let (next, mut fields): (u64, Vec<Field>) = self.ask(what, &scan)?;
        fields.retain(|(name, _)| name.first() != Some(&OWN));
        Ok((next, fields))
    }

    /// Whether the connection is of no use any more.
    pub(super) fn has_ended(&self) -> bool {
        !self.connection.is_open()
    }

    /// That something is wrong with what the server holds.
    pub(super) fn complain(&self, text: &str) -> FeedError {
        FeedError {
            text: format!("redis at {}: {text}", self.server),
            passes: true,
        }
    }

    fn explain(&self, what: &str, error: &RedisError) -> FeedError {
        explain(&self.server, what, error)
    }
}

/// A script of these keys, to which what it needs beyond them is added.
pub(super) fn script(text: &str, keys: &[&str]) -> Cmd {
    let mut script = redis::cmd("EVAL");
    script.arg(text).arg(keys.len()).arg(keys);
    script
}

/// Names no key and no value: neither does a server in its errors.
fn explain(server: &str, what: &str, error: &RedisError) -> FeedError {
    let of_tls = tls::explain(error, tls::OF_PROCESS);
    let passes = of_tls.is_none() && !needs_somebody(error);
    let text = if let Some(text) = of_tls {
        text
    } else if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.kind() == ErrorKind::Parse {
        // Its own words are long.
        "what answers there is no server of Redis or Valkey, or speaks TLS (rediss://)".to_owned()
    } else {
        said(error)
    };
    FeedError {
        text: format!("redis at {server}: {what}: {text}"),
        passes,
    }
}

/// A server's words, without where in a script it had them.
fn said(error: &RedisError) -> String {
    let text = error.to_string();
    // In a transaction the code is in quotes, and before version 7 a script's is inside its error.
    let is = |code: &str| {
        error.code() == Some(code)
            || text.contains(&format!("\"{code}\""))
            || text.contains(&format!("-{code} "))
    };
    if is("OOM") {
        return "it is out of memory (maxmemory), and takes no writes".to_owned();
    }
    if is("READONLY") {
        return "it is a replica, and takes no writes: name its primary".to_owned();
    }
    let (words, _) = text.split_once(" script: ").unwrap_or((&text, ""));
    words.to_owned()
}

/// What stays so until somebody changes the policy or the server: whatever it answers, but that it
/// is not ready yet.
fn needs_somebody(error: &RedisError) -> bool {
    let kind = error.kind();
    let answers = matches!(kind, ErrorKind::Server(_) | ErrorKind::Extension);
    kind == ErrorKind::AuthenticationFailed
        || kind == ErrorKind::InvalidClientConfig
        || kind == ErrorKind::Parse // it is no such server
        || answers && !NOT_YET.contains(&error.code().unwrap_or_default())
}

/// What servers answer while they start, and clusters while they change.
const NOT_YET: [&str; 9] = [
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MOVED",
    "NOREPLICAS",
    "TRYAGAIN",
    "UNKILLABLE",
];

/// The node of a cluster that has the key, if `asked` has not.
fn elsewhere(error: &RedisError, asked: &ConnectionAddr) -> Option<ConnectionAddr> {
    let (address, _) = error.redirect_node()?;
    let (node, port) = address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let node = |host: &str| if node.is_empty() { host } else { node }.to_owned();
    match asked {
        ConnectionAddr::Tcp(host, _) => Some(ConnectionAddr::Tcp(node(host), port)),
        ConnectionAddr::TcpTls {
            host, tls_params, ..
        } => Some(ConnectionAddr::TcpTls {
            host: node(host),
            port,
            insecure: false,
            tls_params: tls_params.clone(),
        }),
        ConnectionAddr::Unix(_) | _ => None,
    }
}
