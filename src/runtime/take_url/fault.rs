//! What a broken connection means, in words.

use super::UrlError;
use super::address::OnlyInside;
use super::net::{Net, host};
use reqwest::Url;
use std::error::Error;
use std::io;

impl Net<'_> {
    /// No byte came for too long.
    pub fn stalled(&self, url: &Url) -> UrlError {
        UrlError::Stalled {
            host: host(url),
            seconds: self.taking.stall.as_secs(),
        }
    }

    /// No connection, or one that ended early.
    pub fn broken(&self, url: &Url, error: &reqwest::Error) -> UrlError {
        let host = host(url);
        if inner::<OnlyInside>(error).is_some() {
            return UrlError::Inside(host);
        }
        if !error.is_connect() {
            return UrlError::Cut(host);
        }
        if let Some(what) = inner::<rustls::Error>(error) {
            let what = what.to_string();
            return UrlError::Tls { host, what };
        }
        let what = deepest(error);
        match self.proxy(url) {
            Some(via) => UrlError::Proxy {
                proxy: via.shown,
                what,
            },
            None if error.is_dns() => UrlError::Unknown(host),
            None if is_refused(error) => UrlError::Refused(host),
            None if error.is_timeout() => UrlError::Unreachable {
                host,
                what: "it does not answer".to_owned(),
            },
            None => UrlError::Unreachable { host, what },
        }
    }
}

/// The first error of this kind among the causes, also inside an `io::Error`.
fn inner<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let within = error
            .downcast_ref::<io::Error>()
            .and_then(|e| e.get_ref())
            .map(|e| e as &(dyn Error + 'static));
        if let Some(found) = within.and_then(|e| inner::<T>(e)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn is_refused(error: &reqwest::Error) -> bool {
    inner::<io::Error>(error).is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
}

/// The last cause says it in the fewest words.
pub(super) fn deepest(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
