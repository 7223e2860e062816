//! LM Studio's models: `models/PUBLISHER/REPO/FILE.gguf` in its home folder.
//!
//! The layout is documented at <https://lmstudio.ai/docs/advanced/sideload>.
//! The home folder is the one that `~/.lmstudio-home-pointer` names, else
//! `~/.cache/lm-studio` where that exists, else `~/.lmstudio`: so
//! `findLMStudioHome.ts` of <https://github.com/lmstudio-ai/lmstudio.js>.

use crate::models::candidate::Candidate;
use crate::models::{gather, walk};
use crate::protocol::library::Source;
use std::path::{Path, PathBuf};

/// The folders of models under a home folder, the one in use first.
pub(in crate::models) fn roots(home: &Path) -> Vec<PathBuf> {
    let pointer = walk::text(&home.join(".lmstudio-home-pointer"));
    let named = pointer.map(|text| PathBuf::from(text.trim()));
    let named = named.filter(|path| path.is_absolute());
    let usual = [home.join(".lmstudio"), home.join(".cache/lm-studio")];
    let homes = named.into_iter().chain(usual);
    homes.map(|home| home.join("models")).collect()
}

pub(in crate::models) fn find(root: &Path) -> Vec<Candidate> {
    let groups = gather::groups(walk::files(root, walk::DEPTH)).into_iter();
    let models = groups.map(|group| {
        let path = group.files().next().unwrap_or(root);
        let repo = super::repo_of(&walk::below(root, path));
        let name = group.base.clone();
        group.candidate(&name, Source::LmStudio, root, repo)
    });
    models.collect()
}
