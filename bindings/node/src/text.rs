//! Tokens read where JavaScript keeps them.
//!
//! A string is read as UTF-16 into the stack, without allocation. Reading it as latin1 would cost
//! less and be wrong, since that drops the upper half of wide characters: U+0141 would become `A`,
//! and a text that is no token a valid one. What is longer than any token may be is not read at
//! all.
#![allow(
    unsafe_code,
    reason = "Node-API offers no safe way into a caller's buffer"
)]

use std::mem::MaybeUninit;

use napi::bindgen_prelude::Uint8ArraySlice;
use napi::{JsString, JsValue, Result, Status, sys};
use sealgate::Limits;

/// Characters that fit on the stack, the end mark included. Tokens of agents have 500 to 1,500.
const ROOM: usize = 4096;
/// Nothing as long is a token under any policy.
pub(crate) const TOO_LONG: usize = Limits::CEILING.token_size + 1;
/// Stands for whatever is as long: its size is the first that is looked at, and the last.
pub(crate) static ENDLESS: [u8; TOO_LONG] = [0; TOO_LONG];
/// Stands for a character that is not ASCII: no token has this byte, nor has any UTF-8.
const FOREIGN: u8 = 0xFF;

/// Calls `read` with the characters of a string as bytes.
pub(crate) fn with_text<R>(text: JsString<'_>, read: impl FnOnce(&[u8]) -> R) -> Result<R> {
    let len = text.utf16_len()?;
    if len >= TOO_LONG {
        return Ok(read(&ENDLESS));
    }
    if len < ROOM {
        let mut units = [const { MaybeUninit::<u16>::uninit() }; ROOM];
        let mut bytes = [const { MaybeUninit::<u8>::uninit() }; ROOM];
        // SAFETY: the buffer has room for `ROOM` units, the end mark included.
        let len = unsafe { copy(text, units.as_mut_ptr().cast(), ROOM)? };
        // SAFETY: `copy` has written this many units, fewer than `ROOM`.
        let units = unsafe { units.as_slice().get_unchecked(..len).assume_init_ref() };
        return Ok(match bytes.get_mut(..len) {
            Some(bytes) => read(narrow(units, bytes)),
            None => read(&ENDLESS),
        });
    }
    let mut units = vec![0_u16; len + 1];
    // SAFETY: the vector has `len + 1` units.
    let len = unsafe { copy(text, units.as_mut_ptr(), units.len())? };
    let mut bytes = vec![MaybeUninit::uninit(); len];
    units.truncate(len);
    Ok(read(narrow(&units, &mut bytes)))
}

/// Calls `read` with a copy of the bytes: what another thread does to shared memory meanwhile, or
/// the caller to a buffer under a batch, changes nothing.
pub(crate) fn with_bytes<R>(bytes: &Uint8ArraySlice<'_>, read: impl FnOnce(&[u8]) -> R) -> R {
    if bytes.len() >= TOO_LONG {
        return read(&ENDLESS);
    }
    let mut room = [const { MaybeUninit::uninit() }; ROOM];
    match room.get_mut(..bytes.len()) {
        Some(room) => read(room.write_copy_of_slice(bytes)),
        None => {
            let copy: Box<[u8]> = (**bytes).into();
            read(&copy)
        }
    }
}

/// Copies a string's UTF-16 units and an end mark; returns how many units, without the mark.
///
/// # Safety
///
/// `to` must be valid for writing `room` units, and `room` must not be 0.
unsafe fn copy(text: JsString<'_>, to: *mut u16, room: usize) -> Result<usize> {
    let value = text.value();
    let mut len = 0;
    // SAFETY: `value` is a live handle of this environment, as `text` borrows its scope; Node-API
    // checks that it is a string, and writes at most `room` units and the length.
    let status =
        unsafe { sys::napi_get_value_string_utf16(value.env, value.value, to, room, &raw mut len) };
    if status == sys::Status::napi_ok {
        Ok(len)
    } else {
        Err(napi::Error::new(Status::StringExpected, "not a string"))
    }
}

/// A byte a unit, in `bytes`, which is as long.
fn narrow<'b>(units: &[u16], bytes: &'b mut [MaybeUninit<u8>]) -> &'b [u8] {
    assert_eq!(units.len(), bytes.len());
    for (byte, unit) in bytes.iter_mut().zip(units) {
        let [low, _] = unit.to_le_bytes();
        byte.write(if *unit <= 0x7F { low } else { FOREIGN });
    }
    // SAFETY: the slices are as long as one another, and each byte was written.
    unsafe { bytes.assume_init_ref() }
}
