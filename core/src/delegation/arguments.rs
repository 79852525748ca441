//! [`Arguments`]: what a tool is called with, read once as strictly as a token's claims.

use std::fmt;
use std::sync::Arc;

use crate::encoding::json::{Json, JsonKind, Value};
use crate::limits::Limits;

/// The arguments of a call: a JSON object, or what the program took for one.
#[derive(Clone)]
pub(crate) struct Arguments(Option<Arc<Json>>);

impl Arguments {
    pub(super) fn parse(text: &[u8]) -> Self {
        let json = Json::parse(text.to_vec(), Limits::CEILING.into()).ok();
        let json = json.filter(|json| json.root().kind() == JsonKind::Object);
        Self(json.map(Arc::new))
    }

    /// The object; `None` for what is none.
    pub(crate) fn value(&self) -> Option<Value<'_>> {
        self.0.as_ref().map(|json| json.root())
    }
}

impl PartialEq for Arguments {
    fn eq(&self, other: &Self) -> bool {
        match (self.value(), other.value()) {
            (Some(one), Some(other)) => one.same_as(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl Eq for Arguments {}

impl fmt::Debug for Arguments {
    /// What a tool is called with stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Arguments").finish_non_exhaustive()
    }
}
