//! What the environment says about the hub: the words of `huggingface_hub`.

use super::HubError;
use super::net::is_loopback;
use reqwest::Url;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

const ENDPOINT: &str = "https://huggingface.co";

/// Where the hub is, and as whom it is asked.
#[derive(Clone)]
pub struct Settings {
    /// `HF_ENDPOINT`, without a path's last `/`.
    pub endpoint: Url,
    /// `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, or the file that
    /// `HF_TOKEN_PATH` or `HF_HOME` leads to.
    pub token: Option<String>,
    /// `HF_HUB_OFFLINE`.
    pub offline: bool,
    /// `HTTPS_PROXY` or `ALL_PROXY`, in either case.
    pub proxy: Option<String>,
    /// `NO_PROXY`: hosts that are asked without it.
    pub direct: Option<String>,
}

impl Settings {
    /// Reads the variables, and the token's file.
    ///
    /// # Errors
    /// [`HubError::Setting`] and [`HubError::Plain`] for an `HF_ENDPOINT` that
    /// cannot be used.
    pub fn from(
        home: &Path,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Settings, HubError> {
        let text = |name: &str| {
            let value = variable(name)?.into_string().ok()?;
            let value = value.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let either = |name: &str| text(name).or_else(|| text(&name.to_lowercase()));
        Ok(Settings {
            endpoint: endpoint(text("HF_ENDPOINT"))?,
            token: text("HF_TOKEN")
                .or_else(|| text("HUGGING_FACE_HUB_TOKEN"))
                .or_else(|| token_in(&token_file(home, &variable))),
            offline: text("HF_HUB_OFFLINE").is_some_and(|v| is_true(&v)),
            proxy: either("HTTPS_PROXY").or_else(|| either("ALL_PROXY")),
            direct: either("NO_PROXY"),
        })
    }
}

/// The token stays out of logs.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint.as_str())
            .field("token", &self.token.is_some())
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

fn endpoint(value: Option<String>) -> Result<Url, HubError> {
    let value = value.unwrap_or_else(|| ENDPOINT.to_owned());
    let wrong = || HubError::Setting {
        name: "HF_ENDPOINT",
        value: value.clone(),
    };
    let url = Url::parse(value.trim_end_matches('/')).map_err(|_| wrong())?;
    match url.scheme() {
        "https" if url.has_host() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" if url.has_host() => Err(HubError::Plain(value)),
        _ => Err(wrong()),
    }
}

/// As `huggingface_hub` reads a variable that is on or off.
fn is_true(value: &str) -> bool {
    ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str())
}

fn token_file(home: &Path, variable: &impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let path = |name: &str| {
        variable(name)
            .filter(|v| !v.is_empty())
            .map(|v| expand(home, PathBuf::from(v)))
    };
    path("HF_TOKEN_PATH").unwrap_or_else(|| {
        path("HF_HOME")
            .or_else(|| path("XDG_CACHE_HOME").map(|c| c.join("huggingface")))
            .unwrap_or_else(|| home.join(".cache/huggingface"))
            .join("token")
    })
}

fn expand(home: &Path, path: PathBuf) -> PathBuf {
    match path.strip_prefix("~") {
        Ok(rest) => home.join(rest),
        Err(_) => path,
    }
}

fn token_in(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let token = text.trim();
    (!token.is_empty()).then(|| token.to_owned())
}
