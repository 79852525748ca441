//! A JWK Set by its URL, for `compat/jose`: one fetch, under the limits that verifiers have.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use napi::bindgen_prelude::{Buffer, Either, Object};
use napi::{Env, Error, Result};
use napi_derive::napi;
use sealgate::remote::{Client, FetchError};
use serde_json::json;

/// A promise of the text of the JWK Set at `url`, which has been read strictly; or of `{why,
/// text}`, see [`why`]. `hosts` may be at addresses that are not public; plain http reaches only
/// this machine. The fetch has a thread of its own for as long as it takes, and an end of its own.
#[napi(catch_unwind)]
pub(crate) fn fetch_jwks(env: &Env, url: String, hosts: Vec<String>) -> Result<Object<'_>> {
    let client = Client::new().allow_loopback_http(true);
    let client = hosts
        .iter()
        .fold(client, |client, host| client.allow_host(host));
    let (deferred, promise) = env.create_deferred()?;
    let thread = thread::Builder::new().name("sealgate-fetch".to_owned());
    let started = thread.spawn(move || {
        let fetch = || match client.key_set(&url) {
            Ok(set) => Either::A(Buffer::from(set.text)),
            Err(error) => {
                let told = json!({ "why": why(&error), "text": error.to_string() });
                Either::B(told.to_string())
            }
        };
        match catch_unwind(AssertUnwindSafe(fetch)) {
            Ok(fetched) => deferred.resolve(move |_| Ok(fetched)),
            Err(_) => deferred.reject(Error::from_reason("panicked")),
        }
    });
    match started {
        Ok(_) => Ok(promise),
        Err(error) => Err(Error::from_reason(error.to_string())),
    }
}

/// What jose tells apart: a URL that nobody may fetch from (`url`), an answer that came too late
/// (`late`), that is no key set (`set`) or none to be used (`answer`), and none (`outage`).
const fn why(error: &FetchError) -> &'static str {
    match error {
        FetchError::BadUrl(_)
        | FetchError::NotHttps(_)
        | FetchError::HostNotAllowed(_)
        | FetchError::PrivateAddress { .. } => "url",
        FetchError::Timeout(_) => "late",
        FetchError::KeySet(_) => "set",
        FetchError::Redirected(_) | FetchError::Status { .. } | FetchError::TooLarge => "answer",
        _ => "outage",
    }
}
