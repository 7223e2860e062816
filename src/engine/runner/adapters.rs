//! LoRA files laid over the loaded model: loaded once, stacked with scales,
//! exchanged without loading the model again.

use super::log::Log;
use super::raw::{self, Lora};
use crate::gguf;
use crate::protocol::engine::Adapter;
use crate::protocol::library::Kind;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::LlamaModel;
use std::path::{Path, PathBuf};

/// The files that were loaded for one model.
pub struct Adapters<'m> {
    model: &'m LlamaModel,
    architecture: String,
    loaded: Vec<(PathBuf, Lora<'m>)>,
    /// Those that lie over the model now.
    pub laid: Vec<Adapter>,
}

impl<'m> Adapters<'m> {
    pub fn of(model: &'m LlamaModel) -> Self {
        Self {
            model,
            architecture: model
                .meta_val_str("general.architecture")
                .unwrap_or_default(),
            loaded: Vec::new(),
            laid: Vec::new(),
        }
    }

    /// Lays exactly these over the model. On an error those before stay.
    pub fn lay(
        &mut self,
        wanted: &[Adapter],
        context: &mut LlamaContext<'_>,
        log: &Log,
    ) -> Result<(), String> {
        let mut list = Vec::new();
        for adapter in wanted {
            list.push((self.load(&adapter.path, log)?, adapter.scale));
        }
        if !raw::lay(context, &list) {
            return Err("the adapter cannot be laid over this model".into());
        }
        self.laid = wanted.to_vec();
        Ok(())
    }

    fn load(&mut self, path: &Path, log: &Log) -> Result<Lora<'m>, String> {
        if let Some((_, lora)) = self.loaded.iter().find(|(known, _)| known == path) {
            return Ok(*lora);
        }
        let shown = path.display();
        self.check(path)?;
        log.take_errors();
        let Some(lora) = raw::lora(self.model, path) else {
            let errors = log.take_errors();
            let why = errors.first().map_or("", String::as_str);
            return Err(format!(
                "the adapter {shown} does not fit this model: {why}; it belongs to another base model"
            ));
        };
        self.loaded.push((path.to_path_buf(), lora));
        Ok(lora)
    }

    /// What can be told from the header, in clearer words than llama.cpp's.
    fn check(&self, path: &Path) -> Result<(), String> {
        let shown = path.display();
        let header = gguf::read(path).map_err(|e| format!("the adapter {shown}: {e}"))?;
        let card = gguf::card(&header);
        if card.kind != Kind::Adapter {
            return Err(format!("{shown} is not a LoRA adapter but a whole model"));
        }
        if card.architecture != self.architecture {
            return Err(format!(
                "the adapter {shown} is for a model of the architecture {}, and this one is {}; take the adapter's own base model",
                card.architecture, self.architecture
            ));
        }
        Ok(())
    }
}
