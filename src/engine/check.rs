//! Whether a file can be a model to chat with: a look at its header, before
//! anything is given up for it.

use crate::gguf;
use crate::protocol::library::{Card, Kind};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Says what is wrong with a model's path or file, and what to do.
pub fn model_file(path: &Path) -> Result<(), String> {
    let shown = path.display();
    if path.to_str().is_none() {
        return Err(format!(
            "the path {shown} is not valid Unicode; rename the file"
        ));
    }
    let meta =
        std::fs::metadata(path).map_err(|e| format!("cannot open {shown}: {e}; check the path"))?;
    if meta.is_dir() {
        return Err(format!(
            "{shown} is a folder; name the .gguf file inside it"
        ));
    }
    let mut magic = Vec::new();
    File::open(path)
        .and_then(|f| f.take(4).read_to_end(&mut magic))
        .map_err(|e| format!("cannot read {shown}: {e}; check its permissions"))?;
    match magic.as_slice() {
        b"GGUF" => Ok(()),
        [] => Err(format!("{shown} is empty; download the model again")),
        _ => Err(format!(
            "{shown} is not a GGUF file; Parlor runs models in GGUF format"
        )),
    }
}

/// What a model to chat with says of itself, with all its parts.
pub fn chat_model(path: &Path) -> Result<Card, String> {
    model_file(path)?;
    let shown = path.display();
    let card = gguf::whole_card(path).map_err(|e| format!("{shown}: {e}"))?;
    match card.kind {
        // An embedding model's kind is told by signs that can be wrong.
        Kind::Chat | Kind::Embedding | Kind::Reranker => Ok(card),
        Kind::Adapter => Err(format!(
            "{shown} is a LoRA adapter; load its base model, then lay it over with /adapter"
        )),
        Kind::Mmproj => Err(format!(
            "{shown} is a projector, the eyes or ears of another model; choose that model"
        )),
    }
}
