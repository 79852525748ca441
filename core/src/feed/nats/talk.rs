//! [`Talk`]: one connection and the runtime it lives in, which moves only while somebody waits for
//! an answer. Nothing waits for ever.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use async_nats::jetstream::context::{
    AccountError, AccountErrorKind, CreateKeyValueError, KeyValueErrorKind,
};
use async_nats::jetstream::{self, Context, ErrorCode, kv};
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;
use tokio::runtime::{Builder, Runtime};

use crate::feed::{ANSWER, CONNECT, FeedError};
use crate::tls;

/// For so long the server tells readers that it has removed a state. None needs to know.
const MARKERS: Duration = Duration::from_secs(60);

/// The client's own limits. Ours come first, and say so in one way.
const THEIRS: Duration = Duration::from_secs(10);
const LATE: &str = "no answer in time";

pub(super) struct Talk {
    /// `None` only while it is being dropped.
    runtime: Option<Runtime>,
    pub(super) context: Context,
    pub(super) bucket: kv::Store,
    /// Host and port, for error texts.
    server: String,
}

impl Talk {
    /// Connects, and makes the bucket where it is missing.
    pub(super) fn open(servers: &[ServerAddr], name: &str) -> Result<Self, FeedError> {
        let server = host(servers);
        // The server may ask for TLS whatever its address says.
        tls::install();
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| complain(&server, "starting", &error))?;
        let opened = runtime.block_on(async {
            let connecting = connect(servers.to_vec(), &server);
            let client = within(CONNECT, &server, "connecting", connecting).await?;
            let mut context = jetstream::new(client);
            context.set_timeout(THEIRS);
            let opening = bucket(&context, name, &server);
            let bucket = within(ANSWER + ANSWER, &server, "opening the bucket", opening).await?;
            Ok((context, bucket))
        });
        match opened {
            Ok((context, bucket)) => Ok(Self {
                runtime: Some(runtime),
                context,
                bucket,
                server,
            }),
            Err(error) => {
                // Not to wait for a host's name that is still being looked up.
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Runs until it is done; nothing of the connection moves in between.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, FeedError> {
        let runtime = self.runtime.as_ref();
        let runtime = runtime.ok_or_else(|| self.complain("waiting", &"it is being closed"))?;
        Ok(runtime.block_on(work))
    }

    /// The answer to one question. `what` is what it is for, for error texts.
    pub(super) async fn ask<T, E: Display>(
        &self,
        what: &str,
        question: impl IntoFuture<Output = Result<T, E>>,
    ) -> Result<T, FeedError> {
        let answer = async { question.await.map_err(|error| self.complain(what, &error)) };
        within(ANSWER, &self.server, what, answer).await
    }

    pub(super) fn late(&self, what: &str) -> FeedError {
        self.complain(what, &LATE)
    }

    pub(super) fn complain(&self, what: &str, error: &dyn Display) -> FeedError {
        complain(&self.server, what, error)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn connect(servers: Vec<ServerAddr>, server: &str) -> Result<Client, FeedError> {
    let needs_somebody = |text: String| FeedError {
        passes: false,
        ..complain(server, "connecting", &text)
    };
    let mut options = ConnectOptions::new()
        .name("sealgate")
        .connection_timeout(CONNECT)
        .request_timeout(Some(THEIRS));
    if servers.iter().any(ServerAddr::tls_required) {
        let trusted = tls::Authorities::get().map_err(needs_somebody)?;
        let config = tls::config(trusted.roots()).map_err(needs_somebody)?;
        // One address that asks for TLS asks it of all of them. What a server says of others of its
        // cluster it says before TLS, so that anybody on the way could name one of their own.
        options = options
            .tls_client_config(config)
            .require_tls(true)
            .ignore_discovered_servers();
    }
    options = match servers.iter().find_map(credentials) {
        Some((user, Some(password))) => options.user_and_password(user, password),
        Some((token, None)) => options.token(token),
        None => options,
    };
    let connected = options.connect(servers).await;
    connected.map_err(|error: ConnectError| {
        if let Some(text) = tls::explain(&error, tls::OF_PROCESS) {
            return needs_somebody(text);
        }
        if error.kind() == ConnectErrorKind::TimedOut {
            return complain(server, "connecting", &LATE);
        }
        let refused = [
            ConnectErrorKind::Authentication,
            ConnectErrorKind::AuthorizationViolation,
            ConnectErrorKind::ServerParse,
            ConnectErrorKind::Tls,
        ];
        FeedError {
            passes: !refused.contains(&error.kind()),
            ..complain(server, "connecting", &error)
        }
    })
}

/// What stands before the host in an address, as NATS reads it: user and password, or a token. The
/// client leaves both where they are.
fn credentials(server: &ServerAddr) -> Option<(String, Option<String>)> {
    let said = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((said(server.username()?), server.password().map(said)))
}

async fn bucket(context: &Context, name: &str, server: &str) -> Result<kv::Store, FeedError> {
    let explain = |error: &dyn Display| complain(server, "opening the bucket", error);
    let bucket = match context.get_key_value(name).await {
        Ok(bucket) => bucket,
        Err(error) if error.kind() == KeyValueErrorKind::GetBucket => {
            let made = context.create_key_value(kv::Config {
                bucket: name.to_owned(),
                description: "sealgate".to_owned(),
                history: 1,
                limit_markers: Some(MARKERS),
                ..kv::Config::default()
            });
            made.await.map_err(|error| match is_off(&error) {
                true => FeedError {
                    passes: false,
                    ..explain(&"it has no JetStream for this user: start it with --jetstream")
                },
                false => explain(&error),
            })?
        }
        Err(error) => return Err(explain(&error)),
    };
    if !bucket.stream.cached_info().config.allow_message_ttl {
        return Err(FeedError {
            passes: false,
            ..explain(&"somebody made it without times to live for messages (allow_msg_ttl)")
        });
    }
    Ok(bucket)
}

/// Whether the server, or the user's account, has no JetStream.
fn is_off(error: &CreateKeyValueError) -> bool {
    let account = error
        .source()
        .and_then(|source| source.downcast_ref::<AccountError>());
    match account.map(AccountError::kind) {
        Some(AccountErrorKind::JetStreamUnavailable) => true,
        Some(AccountErrorKind::JetStream(answer)) => [
            ErrorCode::JETSTREAM_NOT_ENABLED,
            ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT,
        ]
        .contains(&answer.error_code()),
        Some(AccountErrorKind::TimedOut | AccountErrorKind::Other) | None => false,
    }
}

async fn within<T>(
    limit: Duration,
    server: &str,
    what: &str,
    work: impl Future<Output = Result<T, FeedError>>,
) -> Result<T, FeedError> {
    let done = tokio::time::timeout(limit, work).await;
    done.unwrap_or_else(|_| Err(complain(server, what, &LATE)))
}

/// Of the first of them, for error texts.
pub(super) fn host(servers: &[ServerAddr]) -> String {
    let first = servers.first();
    first.map_or_else(String::new, |server| {
        format!("{}:{}", server.host(), server.port())
    })
}

pub(super) fn complain(server: &str, what: &str, error: &dyn Display) -> FeedError {
    FeedError {
        text: format!("nats at {server}: {what}: {error}"),
        passes: true,
    }
}
