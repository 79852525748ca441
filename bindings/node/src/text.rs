//! Tokens read where JavaScript keeps them. The only file with unsafe code.
//!
//! A string is read as UTF-16 into the stack: one call, no allocation. Reading it as latin1 would
//! cost less and be wrong, since that drops the upper half of wide characters: U+0141 would become
//! `A`, and a text that is no token a valid one.
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
/// Nothing longer is a token under any policy; one more than that shows that it is too long.
const MOST: usize = Limits::CEILING.token_size + 1;

/// Calls `read` with the bytes of a string, or with those of its beginning when it is longer than
/// any token may be. What is not ASCII arrives as UTF-8, which no token is.
pub(crate) fn with_text<R>(text: JsString<'_>, read: impl FnOnce(&[u8]) -> R) -> Result<R> {
    let mut units = [const { MaybeUninit::<u16>::uninit() }; ROOM];
    // SAFETY: the buffer has room for `ROOM` units, the end mark included.
    let len = unsafe { copy(text, units.as_mut_ptr().cast(), ROOM)? };
    if len < ROOM - 1 {
        let mut bytes = [const { MaybeUninit::<u8>::uninit() }; ROOM];
        // SAFETY: `copy` has written this many units.
        let units = unsafe { units.as_slice().get_unchecked(..len).assume_init_ref() };
        return Ok(match narrow(units, &mut bytes) {
            Some(bytes) => read(bytes),
            None => read(String::from_utf16_lossy(units).as_bytes()),
        });
    }
    // It may have been cut.
    let len = text.utf16_len()?.min(MOST);
    let mut units = vec![0_u16; len + 1];
    // SAFETY: the vector has `len + 1` units.
    let len = unsafe { copy(text, units.as_mut_ptr(), units.len())? };
    units.truncate(len);
    Ok(read(String::from_utf16_lossy(&units).as_bytes()))
}

/// Calls `read` with a copy of the bytes: what another thread does to shared memory meanwhile, or
/// the caller to a buffer under a batch, changes nothing.
pub(crate) fn with_bytes<R>(bytes: &Uint8ArraySlice<'_>, read: impl FnOnce(&[u8]) -> R) -> R {
    let bytes = bytes.get(..MOST).unwrap_or(bytes);
    let mut room = [const { MaybeUninit::uninit() }; ROOM];
    match room.get_mut(..bytes.len()) {
        Some(room) => read(room.write_copy_of_slice(bytes)),
        None => {
            let copy: Box<[u8]> = bytes.into();
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

/// The units as ASCII bytes, unless one is none.
fn narrow<'b>(units: &[u16], bytes: &'b mut [MaybeUninit<u8>; ROOM]) -> Option<&'b [u8]> {
    let mut seen = 0;
    let bytes = bytes.get_mut(..units.len())?;
    for (byte, unit) in bytes.iter_mut().zip(units) {
        seen |= *unit;
        let [low, _] = unit.to_le_bytes();
        byte.write(low);
    }
    // SAFETY: the slice is as long as `units`, and each byte was written.
    (seen <= 0x7F).then(|| unsafe { bytes.assume_init_ref() })
}
