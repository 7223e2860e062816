//! The first four bytes of a file: is it a GGUF, how long, which version, and
//! does the server send parts?

use super::HubError;
use super::fault::{Asked, Fault};
use super::net::{Net, host, text};
use super::shapes::sha256;
use reqwest::Url;
use reqwest::header::HeaderMap;

const MAGIC: &[u8; 4] = b"GGUF";

/// What a server says of a file.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    /// Bytes, where it tells.
    pub size: Option<u64>,
    /// It answers `206` to a request for a range.
    pub ranges: bool,
    /// A mark that changes with the file.
    pub etag: Option<String>,
    /// The digest that the hub itself tells.
    pub sha256: Option<String>,
}

impl Net {
    /// Asks for the first bytes. `size` is what the hub's listing says.
    pub async fn probe(
        &self,
        url: &Url,
        asked: &Asked,
        name: &str,
        size: Option<u64>,
    ) -> Result<Probe, Fault> {
        let mut answer = self.get(url, Some((0, MAGIC.len() as u64))).await?;
        let headers = answer.response.headers();
        let lie = |what: &str| {
            Fault::passing(HubError::Lies {
                host: host(answer.response.url()),
                what: what.to_owned(),
            })
        };
        let (ranges, told) = match answer.response.status().as_u16() {
            206 => match content_range(headers) {
                Some((0, _, told)) => (true, told),
                _ => return Err(lie("it sent another part than was asked for")),
            },
            200 => (false, content_length(headers)),
            416 => return Err(not_gguf(name, b"").into()),
            _ => return Err(self.refused(&answer, asked)),
        };
        if let (Some(told), Some(size)) = (told, size.or(answer.linked.size))
            && told != size
        {
            return Err(lie("it tells two lengths of one file"));
        }
        let etag = etag(headers);
        let html = text(headers, "content-type").is_some_and(|t| t.starts_with("text/html"));
        let mut first = Vec::new();
        while first.len() < MAGIC.len() {
            match self.chunk(&mut answer.response).await? {
                Some(chunk) => first.extend_from_slice(&chunk),
                None => break,
            }
        }
        if !first.starts_with(MAGIC) {
            return Err(not_gguf(name, if html { b"<" } else { &first }).into());
        }
        let size = told.or(size).or(answer.linked.size);
        Ok(Probe {
            // Without a length there is nothing to ask parts of.
            ranges: ranges && size.is_some(),
            size,
            sha256: answer.linked.etag.as_deref().and_then(sha256),
            etag: answer.linked.etag.or(etag),
        })
    }
}

/// Whether a file begins as a GGUF does.
pub(super) fn is_gguf(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

pub(super) fn not_gguf(name: &str, first: &[u8]) -> HubError {
    let what = match first.trim_ascii_start().first() {
        None => "empty",
        Some(b'<') => "a web page",
        Some(b'{') => "an answer in JSON",
        _ if first.starts_with(b"vers") => "a pointer to it (Git LFS)",
        _ => "something else",
    };
    HubError::NotGguf {
        name: name.to_owned(),
        what,
    }
}

/// `bytes 0-3/1000`: the range `[from, to)`, and the length where it is told.
pub(super) fn content_range(headers: &HeaderMap) -> Option<(u64, u64, Option<u64>)> {
    let (range, size) = text(headers, "content-range")?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (from, last) = range.split_once('-')?;
    let (from, last): (u64, u64) = (from.trim().parse().ok()?, last.trim().parse().ok()?);
    let size = match size.trim() {
        "*" => None,
        size => Some(size.parse().ok()?),
    };
    let sound = from <= last && size.is_none_or(|size| last < size);
    sound.then_some((from, last + 1, size))
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, "content-length")?.parse().ok()
}

/// The mark of a version. A weak `ETag` does not promise the same bytes.
pub(super) fn etag(headers: &HeaderMap) -> Option<String> {
    text(headers, "etag")
        .filter(|e| !e.starts_with("W/"))
        .map(|e| e.trim_matches('"'))
        .or_else(|| text(headers, "last-modified"))
        .map(str::to_owned)
}
