//! Reads the header of a GGUF file, without loading it, and says what is in it.

mod card;
mod error;
mod facts;
mod header;
mod kind;
mod layers;
mod look;
mod parts;
mod shape;
mod sheet;
mod source;
mod tensors;
mod types;
mod value;
mod values;
mod window;

pub use card::card;
pub use error::GgufError;
pub use facts::{AdapterFacts, ProjectorFacts};
pub use header::{Header, read};
pub use kind::check;
pub use parts::{whole, whole_card};
pub use sheet::{Rope, Sheet, SpecialTokens, TensorShare, sheet};
pub use tensors::Tensor;
pub use types::TensorType;
pub use value::{Array, Value, ValueType};
