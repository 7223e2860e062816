//! Requests: whom the token is told, where redirects may lead.

use super::fault::Fault;
use super::{HubError, Pace, Settings};
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, NoProxy, Proxy, Response, Url};
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;

/// Redirects that are followed.
const HOPS: usize = 10;

/// Connections to the hub and to wherever it sends.
pub(super) struct Net {
    world: Client,
    /// For this computer itself: no proxy is asked.
    near: Client,
    pub settings: Settings,
    pub pace: Pace,
}

/// An answer, whatever its status, after redirects.
pub(super) struct Answer {
    pub response: Response,
    pub linked: Linked,
    /// Another address answered than the one that was asked.
    pub moved: bool,
}

/// What the hub says of a file before it redirects to where the bytes are:
/// `X-Linked-Size`, `X-Linked-Etag`, as `huggingface_hub` names them.
#[derive(Debug, Default)]
pub(super) struct Linked {
    pub size: Option<u64>,
    /// Without quotes. For a large file its SHA-256.
    pub etag: Option<String>,
}

impl Net {
    pub fn new(settings: Settings, pace: Pace) -> Result<Net, HubError> {
        let no_client = |e: &dyn std::error::Error| HubError::Client(e.to_string());
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|tls| tls.with_platform_verifier())
            .map_err(|e| no_client(&e))?
            .with_no_client_auth();
        let builder = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(pace.connect)
                .user_agent(concat!("parlor/", env!("CARGO_PKG_VERSION")))
        };
        let mut world = builder();
        // Without one, reqwest asks the system for its proxy.
        if let Some(address) = &settings.proxy {
            let proxy = Proxy::all(address).map_err(|_| HubError::Setting {
                name: "HTTPS_PROXY",
                value: address.clone(),
            })?;
            let direct = settings.direct.as_deref().and_then(NoProxy::from_string);
            world = world.proxy(proxy.no_proxy(direct));
        }
        Ok(Net {
            world: world.build().map_err(|e| no_client(&e))?,
            near: builder().no_proxy().build().map_err(|e| no_client(&e))?,
            settings,
            pace,
        })
    }

    /// Asks for an address, for the bytes `[from, to)` of it where a range is
    /// given. Redirects are followed here, not by reqwest: each must lead to
    /// an encrypted place, and the token is for the hub alone.
    pub async fn get(&self, url: &Url, range: Option<(u64, u64)>) -> Result<Answer, Fault> {
        if self.settings.offline {
            return Err(HubError::Offline.into());
        }
        let mut at = url.clone();
        let mut linked = Linked::default();
        if !is_safe(&at, is_loopback(&at)) {
            return Err(HubError::Plain(url.to_string()).into());
        }
        for hop in 0..=HOPS {
            let response = self.send(&at, range).await?;
            if self.is_hub(&at) {
                linked.read(response.headers());
            }
            let Some(next) = target(&response) else {
                return Ok(Answer {
                    response,
                    linked,
                    moved: hop > 0,
                });
            };
            if !is_safe(&next, is_loopback(&at)) {
                return Err(HubError::Plain(next.to_string()).into());
            }
            at = next;
        }
        Err(HubError::Circle(host(url)).into())
    }

    async fn send(&self, url: &Url, range: Option<(u64, u64)>) -> Result<Response, Fault> {
        let client = if is_loopback(url) {
            &self.near
        } else {
            &self.world
        };
        let mut request = client.get(url.clone());
        // Lengths are those of the file only where nothing is compressed.
        request = request.header(header::ACCEPT_ENCODING, "identity");
        if let Some((from, to)) = range {
            let last = to.saturating_sub(1);
            request = request.header(header::RANGE, format!("bytes={from}-{last}"));
        }
        if let Some(token) = self.settings.token.as_ref().filter(|_| self.is_hub(url)) {
            request = request.bearer_auth(token);
        }
        match tokio::time::timeout(self.pace.stall, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.broken(url, &error)),
            Err(_) => Err(self.stalled(url)),
        }
    }

    /// Whether this is the hub itself: the same scheme, host and port.
    pub fn is_hub(&self, url: &Url) -> bool {
        url.origin() == self.settings.endpoint.origin()
    }

    /// The next bytes of a body; `None` at its end.
    pub async fn chunk(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, Fault> {
        match tokio::time::timeout(self.pace.stall, response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(self.broken(response.url(), &error)),
            Err(_) => Err(self.stalled(response.url())),
        }
    }
}

impl Linked {
    fn read(&mut self, headers: &HeaderMap) {
        if let Some(size) = text(headers, "x-linked-size").and_then(|s| s.parse().ok()) {
            self.size = Some(size);
        }
        if let Some(etag) = text(headers, "x-linked-etag") {
            self.etag = Some(etag.trim_matches('"').to_owned());
        }
    }
}

/// Encrypted, or inside this computer. A stranger may not send us to a service
/// that listens only here.
fn is_safe(url: &Url, from_here: bool) -> bool {
    match url.scheme() {
        "https" => from_here || !is_loopback(url),
        "http" => from_here && is_loopback(url),
        _ => false,
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback()),
        None => false,
    }
}

pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the server").to_owned()
}

/// A header's text, where it is text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Where a redirect leads.
fn target(response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = text(response.headers(), "location")?;
    response.url().join(location).ok()
}
