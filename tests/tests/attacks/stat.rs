//! Attacks on status lists: what each entry of one is. The rest of the family is built over real
//! connections.

use sealgate::StatusList;
use sealgate_tests::vectors;
use sealgate_tests::workshop::b64u;

use crate::stand::Fixtures;

pub(crate) fn stat_01_every_listed_index(_: &Fixtures) {
    let Some(folder) = vectors::folder("the status lists of the draft") else {
        return;
    };
    let lists = vectors::read(&folder, "status-list/vectors.json");
    let mut checked = 0;
    for vector in lists["vectors"].as_array().unwrap() {
        let bits = vector["bits"].as_u64().unwrap();
        let list = StatusList::decode(bits, vector["lst"].as_str().unwrap()).unwrap();
        let entries = vector["entries"].as_u64().unwrap();
        assert!(
            (entries..entries + 8).contains(&list.entries()),
            "{}",
            vector["id"]
        );
        let expected = vector["expected"].as_array().unwrap();
        let expected: Vec<(u64, u8)> = expected
            .iter()
            .map(|one| {
                let status = one["status"].as_u64().unwrap();
                (one["idx"].as_u64().unwrap(), u8::try_from(status).unwrap())
            })
            .collect();
        for (index, status) in &expected {
            assert_eq!(list.get(*index), Some(*status), "{} {index}", vector["id"]);
            checked += 1;
        }
        if let Some(others) = vector["all_other_indices"].as_u64() {
            for index in (0..entries).filter(|index| !expected.iter().any(|(own, _)| own == index))
            {
                assert_eq!(list.get(index).map(u64::from), Some(others));
            }
        }
        assert_eq!(list.get(list.entries()), None);
    }
    assert!(checked >= 50, "{checked} are too few");
    // The control of the encoding itself: the same text with another alphabet is no list.
    assert!(StatusList::decode(1, &b64u("eNrbuRgAAhcBXQ")).is_err());
}
