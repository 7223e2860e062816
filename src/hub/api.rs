//! The hub's own questions: what there is, and which files a repository has.

use super::HubError;
use super::fault::{Again, Asked, Fault};
use super::net::{Net, host, text};
use super::shapes::{Entry, FoundModel, Info};
use crate::protocol::hub::{FoundRepo, Listing};
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

/// Bytes of an answer, at most.
const LONGEST: usize = 32 << 20;
/// Pages of a listing, at most: 1000 files each.
const PAGES: usize = 100;

impl Net {
    /// An address of the hub. The parts are encoded where they need to be.
    pub fn address(&self, parts: &[&str]) -> Url {
        let mut url = self.settings.endpoint.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            segments.extend(parts.iter().flat_map(|p| p.split('/')));
        }
        url
    }

    /// Repositories with GGUF files, the most downloaded first.
    pub async fn search(&self, words: &str, limit: usize) -> Result<Vec<FoundRepo>, HubError> {
        let mut url = self.address(&["api", "models"]);
        url.query_pairs_mut()
            .append_pair("search", words)
            .append_pair("filter", "gguf")
            .append_pair("sort", "downloads")
            .append_pair("direction", "-1")
            .append_pair("limit", &limit.to_string());
        for wanted in ["downloads", "likes", "gated", "gguf"] {
            url.query_pairs_mut().append_pair("expand", wanted);
        }
        let (found, _): (Vec<FoundModel>, _) = self.ask(&url, &Asked::Search).await?;
        Ok(found.into_iter().map(FoundModel::into_repo).collect())
    }

    /// The files at the commit that a branch or tag stands for now.
    pub async fn listing(&self, repo: &str, revision: &str) -> Result<Listing, HubError> {
        let asked = Asked::Repo {
            repo: repo.to_owned(),
            revision: revision.to_owned(),
        };
        let url = self.revision_address(&["api", "models", repo, "revision"], revision);
        let (info, _): (Info, _) = self.ask(&url, &asked).await?;
        let mut next = Some(self.revision_address(&["api", "models", repo, "tree"], &info.sha));
        let mut files = Vec::new();
        for _ in 0..PAGES {
            let Some(mut url) = next.take() else {
                break;
            };
            if url.query().is_none() {
                url.set_query(Some("recursive=true"));
            }
            let (entries, headers): (Vec<Entry>, _) = self.ask(&url, &asked).await?;
            files.extend(entries.into_iter().filter_map(Entry::into_file));
            next = self.next_page(&headers);
        }
        Ok(Listing {
            repo: repo.to_owned(),
            commit: info.sha,
            gated: info.gated.is_gated(),
            files,
        })
    }

    /// A revision may have a `/`, which stays inside its part.
    pub fn revision_address(&self, parts: &[&str], revision: &str) -> Url {
        let mut url = self.address(parts);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(revision);
        }
        url
    }

    /// `Link: <address>; rel="next"`. A mirror may name the hub's own host:
    /// the mirror is asked all the same.
    fn next_page(&self, headers: &HeaderMap) -> Option<Url> {
        let link = text(headers, "link")?
            .split(',')
            .find(|l| l.contains(r#"rel="next""#))?;
        let address = link.split_once('<')?.1.split_once('>')?.0;
        let named = self.settings.endpoint.join(address).ok()?;
        let mut url = self.settings.endpoint.clone();
        url.set_path(named.path());
        url.set_query(named.query());
        Some(url)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        url: &Url,
        asked: &Asked,
    ) -> Result<(T, HeaderMap), HubError> {
        self.patiently(|| self.ask_once(url, asked)).await
    }

    /// Asks until it works, or does not for a reason that stays.
    pub async fn patiently<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, HubError> {
        let mut failed = 0;
        loop {
            let fault = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            failed += 1;
            let asked = match fault.again {
                Again::After(wait) => Some(wait),
                // Where there is no way to the server, there will be none in
                // a moment.
                Again::Yes if !is_away(&fault.error) => None,
                _ => return Err(fault.error),
            };
            if failed >= self.pace.attempts {
                return Err(fault.error);
            }
            tokio::time::sleep(self.pace.wait(failed, asked)).await;
        }
    }

    async fn ask_once<T: DeserializeOwned>(
        &self,
        url: &Url,
        asked: &Asked,
    ) -> Result<(T, HeaderMap), Fault> {
        let mut answer = self.get(url, None).await?;
        if !answer.response.status().is_success() {
            return Err(self.refused(&answer, asked));
        }
        let unclear = |what: String| HubError::Answer {
            host: host(url),
            what,
        };
        let headers = answer.response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(&mut answer.response).await? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err(unclear("the answer is too long".to_owned()).into());
            }
        }
        match serde_json::from_slice(&body) {
            Ok(value) => Ok((value, headers)),
            Err(error) => Err(unclear(error.to_string()).into()),
        }
    }
}

fn is_away(error: &HubError) -> bool {
    matches!(
        error,
        HubError::Unknown(_)
            | HubError::Refused(_)
            | HubError::Unreachable { .. }
            | HubError::Proxy { .. }
    )
}
