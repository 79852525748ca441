//! [`FakeMembers`]: what a fake is told to put into a JSON object, as it is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Members of a JSON object, each as its JSON text: a number keeps its digits, whatever number
/// types hold. `null` leaves a member out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FakeMembers(BTreeMap<String, Box<RawValue>>);

impl FakeMembers {
    /// Has this member, in place of another of its name.
    pub(super) fn insert(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let text = RawValue::from_string(value.to_string());
        let text = text.unwrap_or_else(|_| RawValue::NULL.to_owned()); // a `Value` is JSON
        self.0.insert(name.to_owned(), text);
    }

    /// These members with those of `changes` in place of theirs, without any that is `null`, as
    /// JSON: the same for the same members.
    pub(super) fn merged(mut self, changes: &Self) -> Vec<u8> {
        self.0.extend(changes.0.clone());
        self.0.retain(|_, text| text.get() != "null");
        serde_json::to_vec(&self).unwrap_or_default()
    }
}

impl<const N: usize> From<[(&str, Value); N]> for FakeMembers {
    fn from(members: [(&str, Value); N]) -> Self {
        let mut own = Self::default();
        for (name, value) in members {
            own.insert(name, value);
        }
        own
    }
}

impl From<Map<String, Value>> for FakeMembers {
    fn from(members: Map<String, Value>) -> Self {
        let mut own = Self::default();
        for (name, value) in members {
            own.insert(&name, value);
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::FakeMembers;

    #[test]
    fn numbers_keep_their_digits_and_null_leaves_out() {
        let told = r#"{"z":123456789012345678901234567890,"a":{"n":[1e400,-0.10]},"sub":null}"#;
        let told: FakeMembers = serde_json::from_str(told).unwrap();
        let own = FakeMembers::from([("sub", json!("u1")), ("b", json!(1)), ("z", json!(2))]);
        let merged = String::from_utf8(own.merged(&told)).unwrap();
        let expected = r#"{"a":{"n":[1e400,-0.10]},"b":1,"z":123456789012345678901234567890}"#;
        assert_eq!(merged, expected);
    }
}
