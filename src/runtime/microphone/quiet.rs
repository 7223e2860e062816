//! Keeps ALSA's complaints off the screen: it prints them on standard error.

use alsa_sys::{__va_list_tag, snd_lib_error_set_local};
use std::ffi::{c_char, c_int};

/// From now on ALSA prints nothing from the calling thread. Its handler is one
/// for each thread, so each that calls ALSA has to say it; it costs one write.
///
/// The handler for all threads would have to take C's `...`, which Rust cannot
/// write. alsa-lib up to 1.2.14 and from 1.2.15 on ask this one first.
pub(super) fn hush() {
    // SAFETY: sets a variable of the calling thread to a function that lives
    // for ever and reads none of what it is given.
    unsafe {
        snd_lib_error_set_local(Some(say_nothing));
    }
}

unsafe extern "C" fn say_nothing(
    _file: *const c_char,
    _line: c_int,
    _function: *const c_char,
    _error: c_int,
    _format: *const c_char,
    _arguments: *mut __va_list_tag,
) {
}
