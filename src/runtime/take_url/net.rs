//! Requests: which address may be asked, through what, and what the answer is.

use super::address::{Outside, is_outside};
use super::fault::deepest;
use super::{Taking, UrlError};
use bytes::Bytes;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Response, Url};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::Verifier;
use std::net::IpAddr;
use std::sync::Arc;

/// Connections for one file.
pub(super) struct Net<'a> {
    pub taking: &'a Taking,
    tls: ClientConfig,
    /// The rules by which reqwest chooses a proxy.
    proxies: Matcher,
}

impl<'a> Net<'a> {
    pub fn new(taking: &'a Taking) -> Result<Net<'a>, UrlError> {
        let proxies = match &taking.proxy {
            None => Matcher::from_system(),
            Some(proxy) => Matcher::builder()
                .all(proxy.as_str())
                .no(taking.direct.as_deref().unwrap_or_default())
                .build(),
        };
        Ok(Net {
            taking,
            tls: tls(taking).map_err(|e| UrlError::Client(e.to_string()))?,
            proxies,
        })
    }

    /// Whether an address may be asked at all: the one that was typed, and each
    /// that a server redirects to. Names are checked when they are looked up.
    pub fn check(&self, url: &Url) -> Result<(), UrlError> {
        if self.taking.allow_private && matches!(url.scheme(), "http" | "https") {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(UrlError::Plain(host(url)));
        }
        match literal(url) {
            Some(ip) if !is_outside(ip) => Err(UrlError::Inside(host(url))),
            _ => Ok(()),
        }
    }

    /// Asks for an address. What a server says of a cookie is not kept, and no
    /// server hears which address led to it.
    pub async fn send(&self, url: &Url) -> Result<Response, UrlError> {
        let request = self.client(url)?.get(url.clone());
        // Lengths are those of the file only where nothing is packed.
        let request = request.header(header::ACCEPT_ENCODING, "identity");
        match tokio::time::timeout(self.taking.stall, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.broken(url, &error)),
            Err(_) => Err(self.stalled(url)),
        }
    }

    /// The next bytes of a body; `None` at its end.
    pub async fn chunk(&self, response: &mut Response) -> Result<Option<Bytes>, UrlError> {
        match tokio::time::timeout(self.taking.stall, response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(self.broken(response.url(), &error)),
            Err(_) => Err(self.stalled(response.url())),
        }
    }

    fn client(&self, url: &Url) -> Result<Client, UrlError> {
        let proxy = self.proxy(url);
        let outside = Outside {
            allow_private: self.taking.allow_private,
            pins: self.taking.pins.clone(),
            proxy: proxy.as_ref().and_then(|p| p.host.clone()),
        };
        let builder = Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.taking.connect)
            .user_agent(concat!("parlor/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(outside);
        let builder = match proxy {
            None => builder.no_proxy(),
            Some(_) => self.through_proxy(builder)?,
        };
        builder.build().map_err(|e| UrlError::Client(deepest(&e)))
    }

    /// The proxy looks names up itself, where we cannot see it: of what it is
    /// asked for, only an address that is written as numbers is checked.
    fn through_proxy(&self, builder: ClientBuilder) -> Result<ClientBuilder, UrlError> {
        // Without one that is named, reqwest asks the system, by the same rules.
        let Some(address) = &self.taking.proxy else {
            return Ok(builder);
        };
        let proxy = Proxy::all(address).map_err(|_| UrlError::ProxyAddress)?;
        let direct = self.taking.direct.as_deref().and_then(NoProxy::from_string);
        Ok(builder.proxy(proxy.no_proxy(direct)))
    }

    /// The proxy that is asked for an address, if any.
    pub fn proxy(&self, url: &Url) -> Option<Via> {
        let name = host(url);
        let near = name == "localhost" || literal(url).is_some_and(|ip| ip.is_loopback());
        if near || self.taking.pins.iter().any(|(pin, _)| *pin == name) {
            return None;
        }
        let through = self.proxies.intercept(&url.as_str().parse().ok()?)?;
        Some(Via::of(Url::parse(&through.uri().to_string()).ok()))
    }
}

/// A proxy that is used.
pub(super) struct Via {
    /// As a resolver is asked for it.
    host: Option<String>,
    /// Without name and password.
    pub shown: String,
}

impl Via {
    fn of(url: Option<Url>) -> Via {
        let host = url.as_ref().and_then(Url::host_str).map(str::to_owned);
        Via {
            shown: host.clone().unwrap_or_else(|| "that is set".to_owned()),
            host,
        }
    }
}

fn tls(taking: &Taking) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = if taking.trust.is_empty() {
        Verifier::new(provider.clone())?
    } else {
        Verifier::new_with_extra_roots(taking.trust.iter().cloned(), provider.clone())?
    };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// An answer that is not a file.
pub(super) fn accept(response: &Response) -> Result<(), UrlError> {
    let (host, status) = (host(response.url()), response.status().as_u16());
    Err(match status {
        200 => return Ok(()),
        404 | 410 => UrlError::Nothing(shown(response.url())),
        401 | 403 => UrlError::Denied(host),
        408 | 429 | 500 | 502..=504 => UrlError::Busy { host, status },
        _ => UrlError::Status { host, status },
    })
}

/// Where a redirect leads. A name and a password in it are not sent on.
pub(super) fn target(response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = text(response.headers(), "location")?;
    let next = response.url().join(location).ok()?;
    Some(without_password(&next))
}

/// A header's text, where it is text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the server").to_owned()
}

/// An address for a person: what is behind `?` can be a key.
fn shown(url: &Url) -> String {
    let mut url = without_password(url);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn without_password(url: &Url) -> Url {
    let mut url = url.clone();
    // Fails only for addresses without a host, and those have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// A host that is written as numbers, in whatever way: `Url` has read them.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_matches(['[', ']']).parse().ok()
}
