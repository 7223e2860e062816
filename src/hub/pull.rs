//! A model, from a few words to files in the models folder.

use super::fetch::{Fetch, Wanted, is_here};
use super::net::Net;
use super::partial::read_note;
use super::report::Report;
use super::run::Run;
use super::target::MAIN;
use super::{HubError, Pace, Settings, Target};
use crate::protocol::hub::{Checked, FoundRepo, Listing, Phase, Progress, Pulled, Room, Wish};
use std::fs;
use std::path::{Path, PathBuf};
use tokio::sync::{mpsc, watch};

/// The hub, and files anywhere.
pub struct Hub {
    net: Net,
}

/// What is to be pulled, and where to.
#[derive(Debug, Clone)]
pub struct Order {
    pub target: Target,
    /// The models folder. Files go to `<owner>/<repo>/` in it.
    pub folder: PathBuf,
    /// The memory that the model may take, where no quantization is named.
    pub room: Room,
    /// A model's projector comes with it.
    pub projector: bool,
}

impl Hub {
    /// # Errors
    /// [`HubError::Client`] where the system's certificates cannot be read,
    /// [`HubError::Setting`] for a proxy that is no address.
    pub fn new(settings: Settings, pace: Pace) -> Result<Hub, HubError> {
        let net = Net::new(settings, pace)?;
        Ok(Hub { net })
    }

    /// Repositories with GGUF files whose name has these words; the most
    /// downloaded first.
    ///
    /// # Errors
    /// Those of the network and the hub.
    pub async fn search(&self, words: &str, limit: usize) -> Result<Vec<FoundRepo>, HubError> {
        self.net.search(words, limit).await
    }

    /// The files of `owner/repo` as they are now.
    ///
    /// # Errors
    /// Those of the network and the hub.
    pub async fn listing(&self, repo: &str) -> Result<Listing, HubError> {
        self.net.listing(repo, MAIN).await
    }

    /// Downloads a model, or goes on with it. What came stays on the disk
    /// however this ends, also when it is dropped.
    ///
    /// `free_space` tells the free bytes at a folder; `control` pauses and
    /// cancels; `events` are for the eye.
    ///
    /// # Errors
    /// Each [`HubError`] says what to do.
    pub async fn pull(
        &self,
        order: &Order,
        free_space: impl Fn(&Path) -> u64 + Send + Sync,
        control: watch::Receiver<Wish>,
        events: mpsc::UnboundedSender<Progress>,
    ) -> Result<Pulled, HubError> {
        let run = Run {
            control,
            report: Report::new(events),
        };
        tokio::select! {
            biased;
            result = self.pull_all(order, &free_space, &run) => result,
            () = run.report.tell(self.net.pace.event) => Err(HubError::Cancelled),
        }
    }

    async fn pull_all(
        &self,
        order: &Order,
        free_space: &(impl Fn(&Path) -> u64 + Send + Sync),
        run: &Run,
    ) -> Result<Pulled, HubError> {
        run.report.phase(Phase::Looking);
        let plan = run.steadily(|| self.net.plan(order, &run.report)).await?;
        let folder = order.folder.as_path();
        fs::create_dir_all(folder).map_err(|source| HubError::Disk {
            path: folder.to_owned(),
            source,
        })?;
        let margin = self.net.pace.margin;
        let has_room = |need: u64| match free_space(folder) {
            free if need > 0 && free < need.saturating_add(margin) => Err(HubError::Space {
                folder: folder.to_owned(),
                need,
                margin,
                free,
            }),
            _ => Ok(()),
        };
        has_room(plan.files.iter().map(missing).sum())?;
        let total = plan.files.iter().filter_map(|f| f.size).sum();
        run.report.announce(plan.files.len(), total);
        let mut pulled = Pulled {
            files: plan.files.iter().map(|f| f.path.clone()).collect(),
            projector: None,
            size: 0,
            already: true,
            checked: Checked::Digest,
            why: plan.why,
        };
        for (at, wanted) in plan.files.iter().enumerate() {
            run.report.begin(at + 1, &wanted.name);
            let fetch = Fetch {
                net: &self.net,
                run,
                wanted,
                has_room: &has_room,
            };
            let got = fetch.file().await?;
            run.report.finish(got.size);
            pulled.size += got.size;
            pulled.already &= got.already;
            if got.checked == Checked::Length {
                pulled.checked = Checked::Length;
            }
        }
        if plan.projector {
            pulled.projector = pulled.files.pop();
        }
        run.report.phase(Phase::Done);
        Ok(pulled)
    }
}

/// Bytes of a file that are still to come, as far as it is known.
fn missing(wanted: &Wanted) -> u64 {
    let Some(size) = wanted.size.filter(|size| !is_here(&wanted.path, *size)) else {
        return 0;
    };
    let done = read_note(&wanted.path)
        .filter(|note| note.sha256 == wanted.sha256)
        .map_or(0, |note| note.done.total());
    size.saturating_sub(done)
}
