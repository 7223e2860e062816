//! The Hugging Face hub: finding models, choosing one that fits, downloading it.
//!
//! `target` reads what the person wrote, `api` asks the hub what there is,
//! `choose` takes one model, `plan` says which files that is, `pull` has them
//! brought, and `fetch` brings each: `probe` asks about it, `parts` and `stream`
//! download, `disk` writes and computes the digest in a thread of its own,
//! `partial` keeps what is not whole yet.

mod api;
mod choose;
mod command;
mod disk;
mod error;
mod fault;
mod fetch;
mod net;
mod pace;
mod partial;
mod parts;
mod place;
mod plan;
mod probe;
mod pull;
mod quant;
mod report;
mod run;
mod settings;
mod shapes;
mod spans;
mod stream;
mod target;
mod writer;

pub use choose::choose;
pub use error::HubError;
pub use pace::Pace;
pub use partial::discard;
pub use pull::{Hub, Order};
pub use settings::Settings;
pub use target::Target;
