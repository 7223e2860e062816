//! Bringing a file over one connection, from a server that sends no parts.

use super::HubError;
use super::fault::Fault;
use super::net::{host, text};
use super::parts::Parts;
use super::probe::content_length;
use crate::protocol::hub::Phase;

impl Parts<'_> {
    /// The whole file over one connection: each attempt begins at the start.
    pub async fn stream(&self) -> Result<u64, HubError> {
        let mut failed = 0;
        loop {
            self.writer.save().await?;
            if self.writer.shared().done() > 0 {
                self.writer.restart(self.note.clone()).await?;
                self.run.report.phase(Phase::Restarting {
                    why: "the server sends this file only from its start".to_owned(),
                });
            }
            match self.stream_once().await {
                Ok(size) => return Ok(size),
                Err(fault) => {
                    failed += 1;
                    self.rest(failed, fault).await?;
                }
            }
        }
    }

    async fn stream_once(&self) -> Result<u64, Fault> {
        let mut answer = self.net.get(self.url, None).await?;
        if answer.response.status().as_u16() != 200 {
            return Err(self.net.refused(&answer, self.asked));
        }
        let headers = answer.response.headers();
        let told = content_length(headers);
        if told.is_none() && text(headers, "transfer-encoding") != Some("chunked") {
            let what = "it does not say how long the file is";
            return Err(self.lie(&answer.response, what));
        }
        if told.is_some() && self.size.is_some() && told != self.size {
            return Err(self.lie(&answer.response, "it tells two lengths of one file"));
        }
        let mut at = 0;
        while let Some(bytes) = self.net.chunk(&mut answer.response).await? {
            let next = at + bytes.len() as u64;
            if self.size.is_some_and(|size| next > size) {
                return Err(self.lie(&answer.response, "it sent more than it said"));
            }
            self.writer.write(at, bytes).await?;
            at = next;
        }
        match self.size {
            Some(size) if at < size => Err(Fault::passing(HubError::Cut {
                host: host(answer.response.url()),
            })),
            _ => Ok(at),
        }
    }
}
