//! Keeps a panic of somebody else's decoder from ending the program.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Fault;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether a decoder runs on this thread right now. A panic there is caught
/// and becomes a [`Fault`], so a panic hook should neither print it nor give
/// up the terminal for it.
pub fn guarded() -> bool {
    DEPTH.get() > 0
}

struct Inside;

impl Inside {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Runs a decoder that is not ours. Decoders index slices by what the file
/// says and can panic on a hostile one; that is a fault of the file for us.
///
/// Unwind safety: the closure owns or only reads what it touches, and all that
/// it was building is dropped with the panic.
pub(super) fn guard<T>(
    format: &'static str,
    run: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Fault> {
    let inside = Inside::enter();
    let result = catch_unwind(AssertUnwindSafe(run));
    drop(inside);
    result.unwrap_or(Err(Fault::DecoderFailed { format }))
}
