//! What went wrong with a request, and whether to try again.

use super::HubError;
use super::net::{Answer, Net, host, is_loopback, text};
use reqwest::Url;
use reqwest::header::HeaderMap;
use std::error::Error;
use std::io;
use std::time::Duration;

/// A request that failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub error: HubError,
    pub again: Again,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    No,
    Yes,
    /// As the server asks.
    After(Duration),
}

/// What was asked for, for the words of an error.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    Search,
    Repo { repo: String, revision: String },
    File { repo: String, file: String },
    Address(String),
}

impl From<HubError> for Fault {
    fn from(error: HubError) -> Fault {
        Fault {
            error,
            again: Again::No,
        }
    }
}

impl Fault {
    pub fn passing(error: HubError) -> Fault {
        Fault {
            error,
            again: Again::Yes,
        }
    }
}

impl Net {
    /// No byte came for too long.
    pub fn stalled(&self, url: &Url) -> Fault {
        Fault::passing(HubError::Stalled {
            host: host(url),
            seconds: self.pace.stall.as_secs(),
        })
    }

    /// No connection, or one that ended early.
    pub fn broken(&self, url: &Url, error: &reqwest::Error) -> Fault {
        let host = host(url);
        // A token with a line's end in it, or the like.
        if error.is_builder() {
            return HubError::Token.into();
        }
        if !error.is_connect() {
            return Fault::passing(HubError::Cut { host });
        }
        if let Some(what) = inner::<rustls::Error>(error) {
            let what = what.to_string();
            return HubError::Tls { host, what }.into();
        }
        let what = deepest(error);
        Fault::passing(match &self.settings.proxy {
            Some(proxy) if self.is_proxied(url) => HubError::Proxy {
                proxy: without_password(proxy),
                what,
            },
            _ if error.is_dns() => HubError::Unknown(host),
            _ if is_refused(error) => HubError::Refused(host),
            _ if error.is_timeout() => HubError::Unreachable {
                host,
                what: "it does not answer".to_owned(),
            },
            _ => HubError::Unreachable { host, what },
        })
    }

    fn is_proxied(&self, url: &Url) -> bool {
        let host = host(url);
        let direct = self.settings.direct.as_deref().unwrap_or_default();
        !is_loopback(url)
            && !direct.split(',').map(str::trim).any(|name| {
                name == "*"
                    || host == name
                    || host.ends_with(&format!(".{}", name.trim_start_matches('.')))
            })
    }

    /// An answer that is not the thing itself. The hub tells more in
    /// `X-Error-Code` and `X-Error-Message`; `huggingface_hub` reads them so.
    pub fn refused(&self, answer: &Answer, asked: &Asked) -> Fault {
        let response = &answer.response;
        let (status, url) = (response.status(), response.url());
        let headers = response.headers();
        let what = text(headers, "x-error-message")
            .or(status.canonical_reason())
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect();
        let other = HubError::Status {
            host: host(url),
            status: status.as_u16(),
            what,
        };
        let wait = wait_asked(headers);
        let again = wait.map_or(Again::Yes, Again::After);
        match status.as_u16() {
            429 => Fault {
                error: HubError::Rate {
                    host: host(url),
                    seconds: wait.map(|w| w.as_secs()),
                },
                again,
            },
            408 | 500 | 502 | 503 | 504 => Fault {
                error: other,
                again,
            },
            407 => HubError::Proxy {
                proxy: self
                    .settings
                    .proxy
                    .as_deref()
                    .map_or_else(String::new, without_password),
                what: "it wants a name and a password".to_owned(),
            }
            .into(),
            _ if self.is_hub(url) => self.denied(status.as_u16(), headers, asked, other).into(),
            // A signed address that has run out: the hub gives a new one.
            401 | 403 | 404 | 410 if answer.moved => Fault::passing(other),
            404 | 410 => HubError::Nothing(url.to_string()).into(),
            401 | 403 => HubError::Denied(host(url)).into(),
            _ => other.into(),
        }
    }

    fn denied(&self, status: u16, headers: &HeaderMap, asked: &Asked, other: HubError) -> HubError {
        let code = text(headers, "x-error-code").unwrap_or_default();
        let message = text(headers, "x-error-message").unwrap_or_default();
        let token = self.settings.token.is_some();
        if status == 401 && message.starts_with("Invalid credentials") {
            return HubError::Token;
        }
        let (repo, file, revision) = match asked {
            Asked::Search => return other,
            Asked::Repo { repo, revision } => (repo.clone(), None, revision.clone()),
            Asked::File { repo, file } => (repo.clone(), Some(file.clone()), String::new()),
            Asked::Address(address) if matches!(status, 404 | 410) => {
                return HubError::Nothing(address.clone());
            }
            Asked::Address(address) => (address.clone(), None, String::new()),
        };
        match (code, status, file) {
            ("GatedRepo", ..) => HubError::Gated {
                page: self.page(&repo),
                repo,
                token,
            },
            ("RevisionNotFound", ..) => HubError::Revision { repo, revision },
            ("EntryNotFound", _, Some(file)) => HubError::File { repo, file },
            _ if message == "Access to this resource is disabled." => HubError::Closed(repo),
            ("RepoNotFound", ..) | (_, 401, _) | (_, 404, None) => HubError::Repo { repo, token },
            (_, 404, Some(file)) => HubError::File { repo, file },
            _ => other,
        }
    }

    /// The page where a person accepts a repository's terms.
    fn page(&self, repo: &str) -> String {
        let endpoint = self.settings.endpoint.as_str().trim_end_matches('/');
        if repo.starts_with("http") {
            return repo.to_owned();
        }
        format!("{endpoint}/{repo}")
    }
}

/// `Retry-After` in seconds, else the hub's `RateLimit: "api";r=0;t=55`.
fn wait_asked(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, "retry-after").and_then(|s| s.parse().ok());
    let reset = || {
        let (_, rest) = text(headers, "ratelimit")?.split_once("t=")?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    };
    seconds.or_else(reset).map(Duration::from_secs)
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
fn deepest(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn without_password(proxy: &str) -> String {
    match Url::parse(proxy) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(None);
            url.to_string()
        }
        _ => proxy.to_owned(),
    }
}
