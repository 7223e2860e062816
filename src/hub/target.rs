//! What a person may write after `parlor pull`.

use super::HubError;
use reqwest::Url;

/// What is to be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `owner/repo`, `owner/repo:quant`. No quant: the best that fits.
    Repo { repo: String, quant: Option<String> },
    /// `owner/repo/file.gguf`, or the address of a file on the hub.
    File {
        repo: String,
        revision: String,
        file: String,
    },
    /// A file anywhere.
    Address(Url),
}

/// The branch that is taken where none is named.
pub(super) const MAIN: &str = "main";

impl Target {
    /// Reads what a person wrote. Addresses of the hub's pages are understood
    /// as the repositories and files that they show.
    ///
    /// # Errors
    /// [`HubError::Target`], [`HubError::Plain`].
    pub fn parse(text: &str) -> Result<Target, HubError> {
        let text = text.trim();
        let wrong = || HubError::Target(text.to_owned());
        if text.contains("://") {
            let url = Url::parse(text).map_err(|_| wrong())?;
            return match url.scheme() {
                "https" | "http" if is_hub_name(&url) => {
                    page(&url, text).unwrap_or(Ok(Target::Address(url)))
                }
                "https" | "http" => Ok(Target::Address(url)),
                "hf" => short(&text["hf://".len()..]).ok_or_else(wrong),
                _ => Err(wrong()),
            };
        }
        let text = ["hf.co/", "huggingface.co/"]
            .iter()
            .find_map(|host| text.strip_prefix(host))
            .unwrap_or(text);
        short(text).ok_or_else(wrong)
    }
}

/// `owner/repo`, `owner/repo:quant`, `owner/repo/folder/file.gguf`.
fn short(text: &str) -> Option<Target> {
    let (owner, rest) = text.split_once('/')?;
    let (repo, file) = match rest.split_once('/') {
        Some((repo, file)) => (repo, Some(file)),
        None => (rest, None),
    };
    if let Some(file) = file {
        let repo = repo_name(owner, repo)?;
        let file = file.trim_end_matches('/');
        let is_file = file.to_lowercase().ends_with(".gguf");
        return is_file.then(|| Target::File {
            repo,
            revision: MAIN.to_owned(),
            file: file.to_owned(),
        });
    }
    let (repo, quant) = match repo.split_once(':') {
        Some((repo, quant)) => (repo, quant.trim()),
        None => (repo, ""),
    };
    let named = !quant.is_empty() && !quant.eq_ignore_ascii_case("latest");
    Some(Target::Repo {
        repo: repo_name(owner, repo)?,
        quant: named.then(|| quant.to_owned()),
    })
}

/// Letters, digits, `_`, and between them `.` and `-`, as on the hub.
fn repo_name(owner: &str, repo: &str) -> Option<String> {
    let good = |name: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (1..=96).contains(&name.len())
            && name.chars().all(|c| inner(c) || c == '.' || c == '-')
            && name.starts_with(inner)
            && name.ends_with(inner)
            && !name.contains("..")
    };
    (good(owner) && good(repo)).then(|| format!("{owner}/{repo}"))
}

fn is_hub_name(url: &Url) -> bool {
    matches!(
        url.host_str(),
        Some("huggingface.co" | "www.huggingface.co" | "hf.co")
    )
}

/// A page of the hub: `/owner/repo`, `/owner/repo/blob/main/file`, and the
/// like. `None` for anything else.
fn page(url: &Url, text: &str) -> Option<Result<Target, HubError>> {
    let parts: Vec<String> = url
        .path_segments()?
        .filter(|p| !p.is_empty())
        .map(decoded)
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let target = match parts.as_slice() {
        [owner, repo] | [owner, repo, "tree", _] => short(&format!("{owner}/{repo}")),
        [owner, repo, "blob" | "resolve" | "raw", revision, file @ ..] if !file.is_empty() => {
            repo_name(owner, repo).map(|repo| Target::File {
                repo,
                revision: (*revision).to_owned(),
                file: file.join("/"),
            })
        }
        _ => return None,
    };
    Some(target.ok_or_else(|| HubError::Target(text.to_owned())))
}

/// A part of an address as it is meant: `%20` is a space.
pub(super) fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
