//! The engine "nats": a key-value bucket of NATS JetStream, from server 2.11 on.
//!
//! The bucket `sealgate-NAMESPACE` has the state of each handle, as [`Held`](super::held) writes
//! it, under the handle's kind and a digest of its name. It is made where it is missing, with one
//! copy: whoever wants more makes it before, with times to live for messages. What nobody needs to
//! be told any more, the server removes.
//!
//! The bucket is the log, too: each state says which letters have gone into it of late. A reader
//! may miss states that others have followed, and misses nothing.

mod proofs;
mod reader;
mod talk;
mod writer;

use async_nats::ServerAddr;

use super::seen::{MISSES, Seen};
use super::{Engine, FeedError, Reader, Writer};
pub(crate) use proofs::NatsProofs;
use talk::Talk;

/// A server, and whose data we read there.
#[derive(Clone, Debug)]
pub(crate) struct Nats {
    servers: Vec<ServerAddr>,
    bucket: String,
    /// The bucket of used proofs.
    proofs: String,
    sha256: fn(&[u8]) -> [u8; 32],
    seen: Seen,
}

impl Nats {
    /// `url` is `nats://` or `tls://` (with the authorities that the system trusts), or several of
    /// one cluster, separated by commas: one of `tls://` asks TLS of all, and user and password, or
    /// a token, of the first that has them count for all. `namespace` is of letters, digits, `_`
    /// and `-`.
    pub(crate) fn new(
        url: &str,
        namespace: &str,
        sha256: fn(&[u8]) -> [u8; 32],
    ) -> Result<Self, FeedError> {
        let servers: Result<_, _> = url.split(',').map(str::parse).collect();
        // What a URL is wrong by may be its password: the text says nothing of it.
        let servers = servers.map_err(|_| FeedError {
            text: "nats: no client takes its url".to_owned(),
            passes: false,
        })?;
        Ok(Self {
            servers,
            bucket: format!("sealgate-{namespace}"),
            proofs: format!("sealgate_proofs_{namespace}"),
            sha256,
            seen: Seen::new(),
        })
    }
}

impl Engine for Nats {
    fn reader(&self) -> Result<Box<dyn Reader>, FeedError> {
        let talk = Talk::open(&self.servers, &self.bucket)?;
        Ok(Box::new(reader::NatsReader::new(talk, self.seen.clone())))
    }

    fn writer(&self) -> Result<Box<dyn Writer>, FeedError> {
        let talk = Talk::open(&self.servers, &self.bucket)?;
        Ok(Box::new(writer::NatsWriter::new(talk, self.sha256)))
    }

    fn is_local(&self) -> bool {
        false
    }

    fn trouble(&self) -> Option<FeedError> {
        self.seen.misses_some().then(|| FeedError {
            passes: false,
            ..talk::complain(&talk::host(&self.servers), "looking", &MISSES)
        })
    }

    fn losses(&self) -> u64 {
        self.seen.losses()
    }
}
