//! Attacks on status lists (draft-ietf-oauth-status-list).

use std::collections::BTreeMap;

use sealgate::StatusList;
use sealgate_tests::vectors;
use serde_json::Value;

use crate::stand::Fixtures;

pub(crate) fn stat_01_lists_are_read_bit_by_bit(_: &Fixtures) {
    let folder = vectors::folder("status lists").unwrap();
    let read = vectors::read(&folder, "status-list/vectors.json");
    let mut compared = 0;
    for told in read["vectors"].as_array().unwrap() {
        let number = |value: &Value| value.as_u64().unwrap();
        let (id, bits, entries) = (&told["id"], number(&told["bits"]), number(&told["entries"]));
        let list = StatusList::decode(bits, told["lst"].as_str().unwrap()).unwrap();
        assert!(list.entries() >= entries, "{id}");
        let expected = told["expected"].as_array().unwrap().iter();
        let expected: BTreeMap<u64, u64> = expected
            .map(|one| (number(&one["idx"]), number(&one["status"])))
            .collect();
        // Every one of the others is 0.
        for index in 0..entries {
            let status = expected.get(&index).copied().unwrap_or(0);
            assert_eq!(
                list.get(index).map(u64::from),
                Some(status),
                "{id}: {index}"
            );
        }
        compared += expected.len();
        for beyond in [0, 7, 1 << 53, u64::MAX - list.entries()] {
            assert_eq!(list.get(list.entries() + beyond), None, "{id}: {beyond}");
        }
    }
    assert_eq!(compared, 50);
}
