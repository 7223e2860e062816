//! The words that layers exchange: plain data.

pub mod engine;
pub mod hub;
pub mod library;
pub mod quantization;
pub mod store;
pub mod tuning;
