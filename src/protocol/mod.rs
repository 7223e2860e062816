//! The words that layers exchange: plain data, no behaviour.

pub mod engine;
