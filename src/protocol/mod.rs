//! The words that layers exchange: plain data.

pub mod engine;
pub mod library;
pub mod store;
