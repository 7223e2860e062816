//! From a target to the files to be there.

use super::choose::{choose, parts_of};
use super::fault::Asked;
use super::fetch::Wanted;
use super::net::Net;
use super::place::place;
use super::report::Report;
use super::target::{MAIN, decoded};
use super::{HubError, Order, Target};
use crate::protocol::hub::{Choice, Listing, Phase, RemoteFile, Room};
use reqwest::Url;

/// The files to be there.
pub(super) struct Plan {
    pub files: Vec<Wanted>,
    /// The last one is a projector.
    pub projector: bool,
    pub why: String,
}

impl Net {
    pub async fn plan(&self, order: &Order, report: &Report) -> Result<Plan, HubError> {
        match &order.target {
            Target::Address(url) => self.plan_address(order, url),
            Target::Repo { repo, quant } => {
                let listing = self.listing(repo, MAIN).await?;
                let choice = choose(repo, &listing.files, quant.as_deref(), order.room)?;
                report.phase(Phase::Chosen(choice.clone()));
                self.plan_choice(order, &listing, choice)
            }
            Target::File {
                repo,
                revision,
                file,
            } => {
                let listing = self.listing(repo, revision).await?;
                self.plan_choice(order, &listing, named(&listing, file, order.room)?)
            }
        }
    }

    fn plan_choice(
        &self,
        order: &Order,
        listing: &Listing,
        choice: Choice,
    ) -> Result<Plan, HubError> {
        let projector = choice.projector.filter(|_| order.projector);
        let with_projector = projector.is_some();
        let files = choice.files.into_iter().chain(projector);
        let files: Result<_, HubError> = files.map(|f| self.wanted(order, listing, f)).collect();
        Ok(Plan {
            files: files?,
            projector: with_projector,
            why: choice.why,
        })
    }

    /// A file of a repository. It is asked for by its commit, so that what
    /// comes is what was listed.
    fn wanted(
        &self,
        order: &Order,
        listing: &Listing,
        file: RemoteFile,
    ) -> Result<Wanted, HubError> {
        let (repo, commit) = (&listing.repo, &listing.commit);
        Ok(Wanted {
            url: self.address(&[repo, "resolve", commit, &file.path]),
            asked: Asked::File {
                repo: repo.clone(),
                file: file.path.clone(),
            },
            path: place(&order.folder, Some(repo), &file.path)?,
            name: file.path,
            size: Some(file.size),
            sha256: file.sha256,
            repo: Some(repo.clone()),
            commit: Some(commit.clone()),
        })
    }

    /// A file anywhere; of a split one, all parts.
    fn plan_address(&self, order: &Order, url: &Url) -> Result<Plan, HubError> {
        let last = url.path_segments().and_then(|mut s| s.next_back());
        let name = decoded(last.unwrap_or_default());
        let files: Result<_, HubError> = parts_of(&name)
            .into_iter()
            .map(|name| {
                let mut part = url.clone();
                if let Ok(mut segments) = part.path_segments_mut()
                    && !name.is_empty()
                {
                    segments.pop().push(&name);
                }
                let file = match name.to_lowercase().ends_with(".gguf") {
                    true => name,
                    false => format!("{name}.gguf"),
                };
                Ok(Wanted {
                    asked: Asked::Address(part.to_string()),
                    url: part,
                    path: place(&order.folder, None, &file)?,
                    name: file,
                    size: None,
                    sha256: None,
                    repo: None,
                    commit: None,
                })
            })
            .collect();
        Ok(Plan {
            files: files?,
            projector: false,
            why: String::new(),
        })
    }
}

/// The model that a file belongs to, or a file beside the models.
fn named(listing: &Listing, file: &str, room: Room) -> Result<Choice, HubError> {
    match choose(&listing.repo, &listing.files, Some(file), room) {
        Err(HubError::Quant { .. } | HubError::NoGguf(_)) => {
            let found = listing.files.iter().find(|f| f.path == file);
            let found = found.ok_or_else(|| HubError::File {
                repo: listing.repo.clone(),
                file: file.to_owned(),
            })?;
            Ok(Choice {
                quant: file.to_owned(),
                why: String::new(),
                size: found.size,
                files: vec![found.clone()],
                projector: None,
            })
        }
        Ok(choice) => Ok(Choice {
            why: String::new(),
            ..choice
        }),
        error => error,
    }
}
