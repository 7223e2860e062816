//! What a model takes of a machine's memory, and how it is best loaded there:
//! arithmetic over its measures, before a byte of its weights is read.

mod memory;
mod plan;
mod room;
mod trial;

pub use memory::{Load, bits, cache, compute, read_per_token};
pub use plan::{LEAST_CONTEXT, Unfit, batches, plan, smaller};
pub use room::available_memory;

use plan::STEP;
