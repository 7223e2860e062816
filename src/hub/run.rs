//! Pause, go on, cancel: what holds at every step of a pull.

use super::HubError;
use super::report::Report;
use crate::protocol::hub::{Phase, Wish};
use tokio::sync::watch;

/// The person's wishes, and who is told what happens.
pub(super) struct Run {
    pub control: watch::Receiver<Wish>,
    pub report: Report,
}

impl Run {
    /// Does something that may be dropped and begun again: at a pause, and
    /// when the pause ends.
    ///
    /// # Errors
    /// [`HubError::Cancelled`], and what `make` returns.
    pub async fn steadily<T, E: From<HubError>, F: Future<Output = Result<T, E>>>(
        &self,
        mut make: impl FnMut() -> F,
    ) -> Result<T, E> {
        let mut control = self.control.clone();
        loop {
            tokio::select! {
                biased;
                wish = halt(&mut control) => {
                    if wish == Wish::Pause {
                        self.report.phase(Phase::Paused);
                        wait_for_end_of_pause(&mut control).await?;
                        self.report.resume();
                    } else {
                        return Err(HubError::Cancelled.into());
                    }
                }
                result = make() => return result,
            }
        }
    }
}

/// Waits until the person wants anything but going on.
async fn halt(control: &mut watch::Receiver<Wish>) -> Wish {
    let wish = control
        .wait_for(|wish| *wish != Wish::Run)
        .await
        .map(|w| *w);
    match wish {
        Ok(wish) => wish,
        // Nobody can wish anything any more.
        Err(_) => std::future::pending().await,
    }
}

async fn wait_for_end_of_pause(control: &mut watch::Receiver<Wish>) -> Result<(), HubError> {
    let wish = control
        .wait_for(|wish| *wish != Wish::Pause)
        .await
        .map(|w| *w);
    match wish {
        Ok(Wish::Run) => Ok(()),
        _ => Err(HubError::Cancelled),
    }
}
