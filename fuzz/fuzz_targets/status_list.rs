//! A status list of any bytes: it unpacks to what another reader makes of the same stream, or not
//! at all, and each entry is where the draft says.
#![no_main]

use std::io::Read;

use flate2::bufread::ZlibDecoder;
use libfuzzer_sys::fuzz_target;
use sealgate::{StatusList, StatusListError};
use sealgate_fuzz::naive;

const MOST: u64 = 16 * 1024 * 1024;

fuzz_target!(|data: &[u8]| {
    let Some((first, packed)) = data.split_first() else {
        return;
    };
    let bits = u64::from(first % 10);
    let list = StatusList::decode(bits, &naive::encode(packed));
    if ![1, 2, 4, 8].contains(&bits) {
        assert_eq!(list, Err(StatusListError::Bits));
        return;
    }
    let mut decoder = ZlibDecoder::new(packed).take(MOST + 1);
    let mut bytes = Vec::new();
    let read = decoder.read_to_end(&mut bytes);
    let size = u64::try_from(bytes.len()).unwrap();
    let all = decoder.into_inner().total_in() == u64::try_from(packed.len()).unwrap();
    let Ok(list) = list else {
        assert!(read.is_err() || !all || size > MOST, "{list:?}");
        return;
    };
    assert!(read.is_ok() && all && size <= MOST);
    let entries = size * 8 / bits;
    assert_eq!(list.entries(), entries);
    assert_eq!(list.get(entries), None);
    for index in (0..entries).step_by(usize::try_from(entries / 64 + 1).unwrap()) {
        let at = |bit: u64| {
            let byte = bytes[usize::try_from((index * bits + bit) / 8).unwrap()];
            byte >> ((index * bits + bit) % 8) & 1
        };
        let expected = (0..bits).fold(0, |all, bit| all | at(bit) << bit);
        assert_eq!(list.get(index), Some(expected), "{index}");
    }
});
