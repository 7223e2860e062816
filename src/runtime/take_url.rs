//! Takes one file from an address that a person typed, into memory.
//!
//! The person may have copied the address from anywhere, so it may not reach
//! into this computer or its network: a router's page, a cloud's secrets.

mod address;
mod error;
mod fault;
mod name;
mod net;

use bytes::Bytes;
use net::Net;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_ENCODING};
use reqwest::{Response, Url};
use rustls::pki_types::CertificateDer;
use std::net::SocketAddr;
use std::time::Duration;

pub use error::UrlError;

/// Redirects that are followed.
const HOPS: usize = 5;

/// How a file is taken, and how much of one.
#[derive(Debug, Clone)]
pub struct Taking {
    /// The most bytes that are taken.
    pub limit: u64,
    /// A connection is made within this time.
    pub connect: Duration,
    /// A server that sends no byte for so long is given up.
    pub stall: Duration,
    /// Also http, and also addresses inside this computer and its network.
    pub allow_private: bool,
    /// The proxy, as [`crate::hub::Settings`] reads it. Without one the system
    /// is asked for its own.
    pub proxy: Option<String>,
    /// Hosts that are asked without the proxy: the words of `NO_PROXY`.
    pub direct: Option<String>,
    /// Names whose address is known, whatever it is. They are asked directly.
    pub pins: Vec<(String, SocketAddr)>,
    /// Certificates that are trusted besides the system's.
    pub trust: Vec<CertificateDer<'static>>,
}

impl Default for Taking {
    fn default() -> Self {
        Taking {
            limit: 64 << 20,
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(20),
            allow_private: false,
            proxy: None,
            direct: None,
            pins: Vec::new(),
            trust: Vec::new(),
        }
    }
}

/// A file that came whole, so far as the server told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// A name without a folder, of 1 to 120 characters. The server chose it:
    /// for a person to read, not to tell the file's type by.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Takes the file at an address. `progress` hears, as often as bytes come, how
/// many are there and how many there will be, where the server tells. Dropping
/// the future ends the connection.
///
/// # Errors
/// A sentence for each; see [`UrlError`]. Nothing is tried a second time.
pub async fn take_url(
    address: &str,
    taking: &Taking,
    progress: impl FnMut(u64, Option<u64>),
) -> Result<Taken, UrlError> {
    let first = parse(address)?;
    let net = Net::new(taking)?;
    let mut at = first.clone();
    for _ in 0..=HOPS {
        net.check(&at)?;
        let response = net.send(&at).await?;
        let Some(next) = net::target(&response) else {
            let name = name(&response, &first);
            let bytes = body(&net, response, progress).await?;
            return Ok(Taken { name, bytes });
        };
        at = next;
    }
    Err(UrlError::Circle(net::host(&first)))
}

fn parse(address: &str) -> Result<Url, UrlError> {
    let address = address.trim();
    match Url::parse(address) {
        Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err(UrlError::Address(address.chars().take(200).collect())),
    }
}

/// What the server calls it, else the address where it was, else the address
/// that was typed.
fn name(response: &Response, first: &Url) -> String {
    response
        .headers()
        .get(CONTENT_DISPOSITION)
        .and_then(|value| name::told(&String::from_utf8_lossy(value.as_bytes())))
        .or_else(|| name::last_segment(response.url()))
        .or_else(|| name::last_segment(first))
        .unwrap_or_else(|| "file".to_owned())
}

async fn body(
    net: &Net<'_>,
    mut response: Response,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<Vec<u8>, UrlError> {
    net::accept(&response)?;
    let limit = net.taking.limit;
    let packing = net::text(response.headers(), CONTENT_ENCODING.as_str());
    if packing.is_some_and(|how| !how.eq_ignore_ascii_case("identity")) {
        return Err(UrlError::Packed(net::host(response.url())));
    }
    let total = response.content_length();
    if let Some(size) = total.filter(|size| *size > limit) {
        return Err(UrlError::TooLarge {
            size: Some(size),
            limit,
        });
    }
    let mut bytes = Vec::new();
    progress(0, total);
    while let Some(chunk) = net.chunk(&mut response).await? {
        let came = add(&mut bytes, &chunk, limit)?;
        progress(came, total);
    }
    Ok(bytes)
}

/// Counts before it keeps: a server need not tell the length, nor keep to it.
fn add(bytes: &mut Vec<u8>, chunk: &Bytes, limit: u64) -> Result<u64, UrlError> {
    let came = (bytes.len() as u64).saturating_add(chunk.len() as u64);
    if came > limit {
        return Err(UrlError::TooLarge { size: None, limit });
    }
    bytes.extend_from_slice(chunk);
    Ok(came)
}
