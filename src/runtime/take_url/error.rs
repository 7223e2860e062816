//! Why no file came from an address, and what to do.

use crate::chat::size::bytes;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    #[error("“{0}” is not the address of a file; write the whole of it, from https:// on")]
    Address(String),
    #[error("{0} is not asked without encryption; use an address that begins with https://")]
    Plain(String),
    #[error(
        "{0} is inside this computer or its network, and nothing is taken from there by address; \
         save the file, then attach it by its path"
    )]
    Inside(String),
    #[error(
        "{0} redirects again and again; open the address in a browser and copy the one it ends at"
    )]
    Circle(String),
    #[error("{0} could not be found; check the spelling and the internet connection")]
    Unknown(String),
    #[error("{0} refuses connections; check the address, or try again later")]
    Refused(String),
    #[error("{host} cannot be reached: {what}; check the internet connection and try again")]
    Unreachable { host: String, what: String },
    #[error(
        "the proxy {proxy} does not let this through: {what}; check HTTPS_PROXY, ALL_PROXY and \
         NO_PROXY"
    )]
    Proxy { proxy: String, what: String },
    #[error("the address of the proxy cannot be read; check HTTPS_PROXY and ALL_PROXY")]
    ProxyAddress,
    #[error(
        "no secure connection to {host}: {what}; check this computer's clock, and where a firewall \
         reads along, install its certificate in the system"
    )]
    Tls { host: String, what: String },
    #[error("there is nothing at {0}; check the address")]
    Nothing(String),
    #[error(
        "{0} does not give this file away; save it with a browser that is signed in there, then \
         attach it by its path"
    )]
    Denied(String),
    #[error("{host} is too busy (it answers {status}); try again later")]
    Busy { host: String, status: u16 },
    #[error(
        "{host} answers {status} in place of a file; open the address in a browser to see what is \
         there"
    )]
    Status { host: String, status: u16 },
    #[error(
        "{0} sends the file in a packing that was not asked for; save it with a browser, then \
         attach it by its path"
    )]
    Packed(String),
    #[error("{}, and at most {} are taken; save it, and attach a smaller part of it",
        larger(*.size), bytes(*.limit))]
    TooLarge {
        /// In bytes, where the server tells.
        size: Option<u64>,
        limit: u64,
    },
    #[error("{host} sent nothing for {seconds} s; try again later")]
    Stalled { host: String, seconds: u64 },
    #[error("the connection to {0} broke off before the file was whole; try again")]
    Cut(String),
    #[error(
        "secure connections cannot be set up: {0}; install the system's certificates \
         (ca-certificates)"
    )]
    Client(String),
}

fn larger(size: Option<u64>) -> String {
    size.map_or_else(
        || "the file does not end in time".to_owned(),
        |size| format!("the file has {}", bytes(size)),
    )
}
