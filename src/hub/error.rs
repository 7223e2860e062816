//! Why nothing was found or downloaded, and what to do.

use crate::chat::size::bytes;
use std::io;
use std::path::PathBuf;

/// Why a search or a pull failed.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error(
        "“{0}” names no model; write owner/repo, owner/repo:Q4_K_M, owner/repo/file.gguf, or an \
         https address of a GGUF file"
    )]
    Target(String),
    #[error("the variable {name} is {value:?}, which is not an address; mend it or unset it")]
    Setting { name: &'static str, value: String },
    #[error("HF_HUB_OFFLINE is set, so nothing is asked of the network; unset it and try again")]
    Offline,
    #[error("{0} could not be found; check the spelling and the internet connection")]
    Unknown(String),
    #[error("{0} refuses connections; try again later")]
    Refused(String),
    #[error("{host} cannot be reached: {what}; check the internet connection and try again")]
    Unreachable { host: String, what: String },
    #[error(
        "the proxy {proxy} does not let this through: {what}; check HTTPS_PROXY, ALL_PROXY and \
         NO_PROXY"
    )]
    Proxy { proxy: String, what: String },
    #[error(
        "no secure connection to {host}: {what}; check this computer's clock, and where a firewall \
         reads along, install its certificate in the system"
    )]
    Tls { host: String, what: String },
    #[error("{0} is not encrypted, so nothing is downloaded from there; use https")]
    Plain(String),
    #[error("{0} redirects in a circle; try again later, or use another address")]
    Circle(String),
    #[error("{}", no_repo(.repo, *.token))]
    Repo { repo: String, token: bool },
    #[error("{repo} has no revision {revision}; look at the repository's page for those it has")]
    Revision { repo: String, revision: String },
    #[error("{repo} has no file {file}; look at the repository's page for those it has")]
    File { repo: String, file: String },
    #[error("{0} has no GGUF file; search for the model's name with “GGUF”")]
    NoGguf(String),
    #[error("{}", gated(.repo, .page, *.token))]
    Gated {
        repo: String,
        page: String,
        token: bool,
    },
    #[error("the hub does not accept the token; make a new one, and set HF_TOKEN to it")]
    Token,
    #[error("the hub has closed {0}; choose another repository")]
    Closed(String),
    #[error("there is nothing at {0}; check the address")]
    Nothing(String),
    #[error("{0} does not give this file away; download it with a browser that is signed in there")]
    Denied(String),
    #[error("{host} asks for fewer requests{}; wait, or set HF_TOKEN for a higher limit", in_seconds(*.seconds))]
    Rate { host: String, seconds: Option<u64> },
    #[error("{host} answers {status}{}; try again later", after_colon(.what))]
    Status {
        host: String,
        status: u16,
        what: String,
    },
    #[error(
        "{host} sent nothing for {seconds} s, again and again; try again later, what came is kept"
    )]
    Stalled { host: String, seconds: u64 },
    #[error(
        "the connection to {host} broke off again and again; try again later, what came is kept"
    )]
    Cut { host: String },
    #[error("{host} contradicts itself: {what}; use another address")]
    Lies { host: String, what: String },
    #[error("{0} changes on the server while it is downloaded; try again later")]
    Changes(String),
    #[error("{name} is not a GGUF file but {what}; use the address of the file itself")]
    NotGguf { name: String, what: &'static str },
    #[error("{0} came with wrong bytes, twice, and was removed; try again later")]
    Digest(String),
    #[error("the file's name {0:?} cannot be used on this computer; download it by hand")]
    Name(String),
    #[error("{} and {} more are needed in {}, and {} are free; make room, or choose a smaller one",
        bytes(*.need), bytes(*.margin), folder.display(), bytes(*.free))]
    Space {
        folder: PathBuf,
        need: u64,
        margin: u64,
        free: u64,
    },
    #[error("the disk is full at {}; make room and try again, what came is kept", .0.display())]
    Full(PathBuf),
    #[error("{} cannot be written: {source}; check the folder and its rights", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("{} is being downloaded by another Parlor; wait for it, or end it", .0.display())]
    Busy(PathBuf),
    #[error("there is no {wanted} here; there are {}", there.join(", "))]
    Quant { wanted: String, there: Vec<String> },
    #[error("{wanted} can be more than one file: {}; name one as owner/repo/file.gguf", files.join(", "))]
    Several { wanted: String, files: Vec<String> },
    #[error("nothing here fits: the smallest, {smallest}, needs {}, and {} are there; name it to download it all the same",
        bytes(*.size), bytes(*.most))]
    NothingFits {
        smallest: String,
        size: u64,
        most: u64,
    },
    #[error(
        "{host} answers what Parlor does not understand ({what}); try again later, or install a newer Parlor"
    )]
    Answer { host: String, what: String },
    #[error("the download was cancelled; what came is kept, and the next one goes on from there")]
    Cancelled,
    #[error(
        "secure connections cannot be set up: {0}; install the system's certificates (ca-certificates)"
    )]
    Client(String),
}

impl HubError {
    /// In a few words, while it is tried again.
    pub(super) fn in_short(&self) -> String {
        match self {
            HubError::Cut { .. } => "the connection broke off".to_owned(),
            HubError::Stalled { seconds, .. } => format!("nothing came for {seconds} s"),
            HubError::Rate { host, .. } => format!("{host} asks to wait"),
            HubError::Status { host, status, .. } => format!("{host} answers {status}"),
            HubError::Lies { host, what } => format!("{host} contradicts itself: {what}"),
            HubError::Unknown(host)
            | HubError::Refused(host)
            | HubError::Unreachable { host, .. } => format!("{host} cannot be reached"),
            HubError::Proxy { proxy, .. } => format!("the proxy {proxy} cannot be reached"),
            other => other.to_string(),
        }
    }
}

fn no_repo(repo: &str, token: bool) -> String {
    let hint = if token {
        "or your token may not see it"
    } else {
        "and for a private one, set HF_TOKEN"
    };
    format!("the hub has no repository {repo}; check the spelling, {hint}")
}

fn gated(repo: &str, page: &str, token: bool) -> String {
    let then = if token {
        "with the account of your token, then try again"
    } else {
        "then make a token and set HF_TOKEN to it"
    };
    format!("{repo} asks for its terms to be accepted first: do that at {page}, {then}")
}

fn in_seconds(seconds: Option<u64>) -> String {
    seconds.map_or_else(String::new, |s| format!(" for {s} s"))
}

fn after_colon(what: &str) -> String {
    if what.is_empty() {
        return String::new();
    }
    format!(" ({what})")
}
