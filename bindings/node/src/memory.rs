//! What verified tokens leave behind, and when the system has it back.
#![allow(
    unsafe_code,
    reason = "mimalloc's options are told through functions of C"
)]

use libmimalloc_sys::{mi_option_set_default, mi_option_t};

/// What is verified is freed when JavaScript collects garbage, by the thousand and long out of the
/// processor's caches: the system's allocator takes half a microsecond more for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h: milliseconds until freed memory goes back to the system.
const PURGE_DELAY: mi_option_t = 15;
/// As long as JavaScript may take from one collection to the next while tokens come at any rate.
/// After mimalloc's own second, memory that the next tokens need would have to be got again, page by
/// page: up to half a microsecond for each token.
const KEPT: std::ffi::c_long = 60_000;

#[napi_derive::module_init]
fn keep_freed() {
    // SAFETY: called once, while the library is loaded: no other thread is in it. What the
    // environment says (`MIMALLOC_PURGE_DELAY`) counts before this.
    unsafe { mi_option_set_default(PURGE_DELAY, KEPT) };
}
