//! What to do where something cannot be known now: keys, stores, lists or answers.

use super::Context;
use crate::policy::KeySource;
use crate::time::Span;

impl Context<'_> {
    /// How fresh the issuer's keys are, for a key that is not among them.
    pub(super) fn freshness(&self) -> String {
        let Some(place) = self.place else {
            return String::new();
        };
        let generation = self.live.keys.generation(place);
        let report = self.live.keys.watch(place).map(|watch| watch.report());
        match report.and_then(|report| report.fetched_at) {
            Some(fetched) => {
                let age = self.call.now.relative(fetched);
                format!("Keys are fresh (fetched {age}, generation {generation}). ")
            }
            None => format!("Keys are of generation {generation}. "),
        }
    }

    pub(super) fn outage(&self, name: &str) -> String {
        match self.issuer.map(|issuer| &issuer.keys) {
            Some(KeySource::Fetched(_)) => {
                format!(
                    "The keys of {name} could not be fetched.{}",
                    self.last_error()
                )
            }
            Some(KeySource::Static(_) | KeySource::Push) | None => {
                format!("No keys were published for {name} yet.")
            }
        }
    }

    /// Who remembers used proofs, and why there was no answer.
    pub(super) fn silent_proofs(&self) -> String {
        let fleet = self.live.replay.fleet.as_ref();
        let told = fleet.and_then(|fleet| Some((&fleet.store.name, fleet.trouble()?)));
        let who = match told {
            Some((name, why)) => format!("The store {name} of used proofs did not answer ({why})"),
            None => "The store of used proofs did not answer".to_owned(),
        };
        // A question on its way when the answer failed may have used the proof up.
        format!(
            "{who}. Not the caller's fault; they may retry, with a new proof (or token, where each is good once)."
        )
    }

    /// Why nothing is heard of the store that processes share.
    pub(super) fn no_news(&self) -> String {
        let held = self.live.revocations.sharing();
        let Some(sharing) = held.get() else {
            return "The policy names no store any more; ask again.".to_owned();
        };
        let report = sharing.news.report();
        let why = match &report.reading {
            Some(reason) => format!("it cannot be read: {reason}"),
            None => "nobody has read it for too long, or not yet".to_owned(),
        };
        let name = &sharing.shared.store.name;
        format!(
            "The store {name} of the policy has no news: {why}. Not the caller's fault; they may retry."
        )
    }

    /// Why the list is not here that the token refers to.
    pub(super) fn status(&self, name: &str) -> String {
        let Some(status) = &self.rules.revocation.status else {
            return "The token refers to a status list, and nobody may fetch it. Write [revocation.status_lists], and add status_list_token to its issuer's profiles.".to_owned();
        };
        if status.door(name).is_none() {
            return format!(
                "The token refers to a status list. Add status_list_token to issuers.{name}.profiles, whose keys must sign it."
            );
        }
        let lists = &self.live.status;
        let error = self
            .issuer
            .and_then(|issuer| lists.last_error(issuer.into()));
        let why = match error {
            Some(error) => format!("It could not be fetched: {error}."),
            None => "It is being fetched, or it refers to another kind of status.".to_owned(),
        };
        format!("{why} Not the caller's fault; they may retry.")
    }

    pub(super) fn unasked(&self, name: &str, about: Option<&str>) -> String {
        let rest = "Not the caller's fault; they may retry.";
        if let Some(claim) = about {
            return format!(
                "What {name} answers about the token is malformed in {claim}, or differs there from \
                 what the token says. {rest}"
            );
        }
        match self
            .place
            .and_then(|place| self.live.answers.of(place)?.last_error())
        {
            Some(error) => format!("{name} could not be asked about the token: {error}. {rest}"),
            None => format!("{name} could not be asked about the token. {rest}"),
        }
    }

    pub(super) fn refreshing(&self) -> String {
        let watch = self.place.and_then(|place| self.live.keys.watch(place));
        let pause = watch.and_then(|watch| watch.pause(self.call.now));
        let pause = pause.unwrap_or(Span::ZERO);
        let (name, rest) = (self.name(), "Not the caller's fault; they may retry.");
        let what = match pause {
            Span::ZERO => format!(
                "A fetch of {name}'s keys is allowed or running; the answer is known in a moment."
            ),
            pause => format!(
                "The next fetch of {name}'s keys may begin in {}; whether it has this key is known \
                 after it.",
                pause.in_words()
            ),
        };
        format!("{what} {rest}{}", self.last_error())
    }

    /// What an operator has to know of the network, and no caller.
    fn last_error(&self) -> String {
        let watch = self.place.and_then(|place| self.live.keys.watch(place));
        let error = watch.and_then(|watch| watch.report().last_error.clone());
        error.map_or_else(String::new, |error| format!(" Last fetch: {error}."))
    }
}
