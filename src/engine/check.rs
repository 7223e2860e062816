//! Whether a file can be a model at all: a look at its first bytes.

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
