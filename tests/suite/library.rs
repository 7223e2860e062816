//! The library of models: what is found where, references to it, what is
//! remembered, and what may be removed.

#[path = "library/cached.rs"]
mod cached;
#[path = "library/found.rs"]
mod found;
#[path = "library/made.rs"]
mod made;
#[path = "library/ollama.rs"]
mod ollama;
#[path = "library/paired.rs"]
mod paired;
#[path = "library/programs.rs"]
mod programs;
#[path = "library/referred.rs"]
mod referred;
#[path = "library/removed.rs"]
mod removed;
