//! Bringing the missing bytes of one file, over several connections.

use super::HubError;
use super::fault::{Again, Asked, Fault};
use super::net::{Net, host};
use super::partial::Note;
use super::probe::{content_length, content_range, etag};
use super::run::Run;
use super::writer::Writer;
use crate::protocol::hub::Phase;
use futures_util::future::try_join_all;
use reqwest::Url;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::time::sleep;

/// One file, from what was asked about it.
pub(super) struct Parts<'a> {
    pub net: &'a Net,
    pub run: &'a Run,
    pub writer: &'a Writer,
    pub url: &'a Url,
    pub asked: &'a Asked,
    /// Bytes, where the server tells.
    pub size: Option<u64>,
    /// The server sends parts.
    pub ranges: bool,
    /// What a new beginning writes down.
    pub note: &'a Note,
}

/// Why a file did not become whole.
pub(super) enum Stop {
    Fail(HubError),
    /// The file on the server is another one now.
    Changed,
    /// The server sends no parts after all.
    NoRanges,
}

impl From<HubError> for Stop {
    fn from(error: HubError) -> Stop {
        Stop::Fail(error)
    }
}

type Queue = Mutex<VecDeque<(u64, u64)>>;

impl Parts<'_> {
    /// Brings all that is missing, through pauses; returns the file's length.
    pub async fn all(&self) -> Result<u64, Stop> {
        let all = async || {
            tokio::select! {
                biased;
                result = self.missing() => result,
                stop = self.keep_saving() => Err(stop),
            }
        };
        self.run.steadily(all).await
    }

    async fn missing(&self) -> Result<u64, Stop> {
        // Also what an earlier round sent to the disk before it was dropped.
        self.writer.save().await?;
        let pace = &self.net.pace;
        if let Some(size) = self
            .size
            .filter(|size| self.writer.shared().front() == *size)
        {
            return Ok(size);
        }
        let Some(size) = self.size.filter(|_| self.ranges) else {
            return Ok(self.stream().await?);
        };
        let missing = self.writer.shared().spans().missing(size, pace.piece);
        let queue = Mutex::new(VecDeque::from(missing));
        let workers = if size > pace.small { pace.parts } else { 1 };
        try_join_all((0..workers.max(1)).map(|_| self.work(&queue, size))).await?;
        Ok(size)
    }

    async fn keep_saving(&self) -> Stop {
        loop {
            sleep(self.net.pace.save_after).await;
            self.writer.tick();
        }
    }

    async fn work(&self, queue: &Queue, size: u64) -> Result<(), Stop> {
        let next = || {
            queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front()
        };
        while let Some((from, to)) = next() {
            self.piece(from, to, size).await?;
        }
        Ok(())
    }

    /// Brings one piece, with as many connections as it takes.
    async fn piece(&self, mut from: u64, to: u64, size: u64) -> Result<(), Stop> {
        let mut failed = 0;
        while from < to {
            let before = from;
            let result = self.stretch(&mut from, to, size).await;
            if from > before {
                failed = 0;
            }
            match result {
                Ok(()) => {}
                Err(Trouble::Stop(stop)) => return Err(stop),
                Err(Trouble::Fault(fault)) => {
                    failed += 1;
                    self.rest(failed, fault).await?;
                }
            }
        }
        Ok(())
    }

    /// One connection. `from` moves on with the bytes.
    async fn stretch(&self, from: &mut u64, to: u64, size: u64) -> Result<(), Trouble> {
        let begin = *from;
        let mut answer = self.net.get(self.url, Some((begin, to))).await?;
        let lie = |what: &str| self.lie(&answer.response, what);
        let headers = answer.response.headers();
        let end = match answer.response.status().as_u16() {
            200 => return Err(Stop::NoRanges.into()),
            416 => return Err(Stop::Changed.into()),
            206 => match content_range(headers) {
                Some((_, _, Some(told))) if told != size => return Err(Stop::Changed.into()),
                Some((a, end, _)) if a == begin && end <= to => end,
                _ => return Err(lie("it sent another part than was asked for").into()),
            },
            _ => return Err(self.net.refused(&answer, self.asked).into()),
        };
        if content_length(headers).is_some_and(|length| length != end - begin) {
            return Err(lie("it tells two lengths of one part").into());
        }
        if self.is_other(answer.linked.etag.clone().or_else(|| etag(headers))) {
            return Err(Stop::Changed.into());
        }
        let host = host(answer.response.url());
        while let Some(bytes) = self.net.chunk(&mut answer.response).await? {
            let next = *from + bytes.len() as u64;
            if next > end {
                // Who sends more than he said may have sent something else.
                self.writer.forget(begin, *from).await?;
                *from = begin;
                return Err(self
                    .lie(&answer.response, "it sent more than it said")
                    .into());
            }
            self.writer.write(*from, bytes).await?;
            *from = next;
        }
        match *from < end {
            true => Err(Fault::passing(HubError::Cut { host }).into()),
            false => Ok(()),
        }
    }

    /// Whether a mark tells of another file. With a digest, that decides.
    fn is_other(&self, etag: Option<String>) -> bool {
        self.note.sha256.is_none() && self.note.etag.is_some() && etag != self.note.etag
    }

    pub fn lie(&self, response: &reqwest::Response, what: &str) -> Fault {
        Fault::passing(HubError::Lies {
            host: host(response.url()),
            what: what.to_owned(),
        })
    }

    /// Waits before the next attempt, or gives up.
    pub async fn rest(&self, failed: u32, fault: Fault) -> Result<(), HubError> {
        let pace = &self.net.pace;
        let asked = match fault.again {
            Again::No => return Err(fault.error),
            _ if failed >= pace.attempts => return Err(fault.error),
            Again::Yes => None,
            Again::After(wait) => Some(wait),
        };
        let wait = pace.wait(failed, asked);
        self.run.report.phase(Phase::Retrying {
            why: fault.error.in_short(),
            wait: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        });
        sleep(wait).await;
        Ok(())
    }
}

/// A connection that failed, or all of them.
enum Trouble {
    Fault(Fault),
    Stop(Stop),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        Trouble::Fault(fault)
    }
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Trouble {
        Trouble::Stop(stop)
    }
}

impl From<HubError> for Trouble {
    fn from(error: HubError) -> Trouble {
        Trouble::Stop(Stop::Fail(error))
    }
}
