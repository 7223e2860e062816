//! What the host does beside forwarding: lets an idle model rest, goes on
//! without a GPU that failed, remembers what lies over the model.

use super::Host;
use crate::protocol::engine::{Adapter, Auto, Command, Event};
use std::time::Duration;
use tokio::time::Instant;

impl Host {
    /// A model that rests, or is about to, takes its adapters when it is loaded
    /// again.
    pub(super) fn adapt(&mut self, wanted: Vec<Adapter>) {
        match (&self.child, &mut self.spec) {
            (Some(child), Some(_)) if (self.loaded || self.loading) && !self.resting => {
                child.send(Command::Adapt(wanted));
            }
            (_, Some(spec)) => {
                spec.adapters.clone_from(&wanted);
                self.outgoing.push_back(Event::Adapted(Ok(wanted)));
            }
            (_, None) => {
                let why = "no model is loaded for an adapter; choose one with /model";
                self.outgoing.push_back(Event::Adapted(Err(why.into())));
            }
        }
    }

    /// Has an idle child keep its state; its end follows.
    pub(super) fn rest(&mut self) {
        self.rest_at = None;
        if let Some(child) = self.child.as_ref().filter(|_| self.loaded) {
            self.keeping = true;
            self.resting = true;
            child.send(Command::Keep);
        }
    }

    /// From now on nothing is asked, as far as is known.
    pub(super) fn is_idle_from_now(&mut self) {
        let after = self.spec.as_ref().and_then(|s| s.tuning.unload_after);
        let idle = self.running.is_none() && self.waiting.is_empty() && self.loaded;
        self.rest_at = after
            .filter(|_| idle)
            .map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
    }

    /// Where the GPU may be to blame, the model is loaded again without it, and
    /// what waits goes on waiting. An answer that was under way is not begun
    /// again: what came of it stays.
    pub(super) fn falls_back(&mut self, cause: &str) -> bool {
        let Some(spec) = self.spec.as_mut().filter(|_| self.on_gpu) else {
            return false;
        };
        spec.tuning.devices = Some(Vec::new());
        spec.tuning.gpu_layers = Auto::Auto;
        if let Some(running) = self.running.take() {
            let event = Event::Failed(running.id, cause.to_string());
            self.outgoing.push_back(event);
        }
        self.outgoing.push_back(Event::Told(format!(
            "The graphics card failed ({cause}). Going on with the processor alone."
        )));
        self.load();
        // This time the processor would be to blame.
        self.on_gpu = false;
        true
    }
}
