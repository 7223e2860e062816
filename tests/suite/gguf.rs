//! Headers of GGUF files: what is read, what is refused, and what is told of a
//! model.

mod cards;
mod hostile;
mod memory;
mod reading;
mod refusing;
mod shapes;
mod writer;
