//! A server that speaks TLS and answers as a test says.

use parlor::runtime::take_url::{Taken, Taking, UrlError, take_url};
use rustls::pki_types::CertificateDer;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

/// A name that is the server's, as if it were somewhere in the internet.
pub const HOST: &str = "files.example";

/// What a path gets: an answer as it goes over the line, then the end of the
/// connection, or nothing more.
#[derive(Clone)]
pub struct Act {
    pub answer: Vec<u8>,
    pub hangs: bool,
}

pub struct Server {
    pub address: SocketAddr,
    trust: CertificateDer<'static>,
    /// Heads of requests.
    seen: Arc<Mutex<Vec<String>>>,
    /// Connections that the client closed while the server hung.
    pub left: mpsc::UnboundedReceiver<()>,
}

impl Server {
    pub async fn start(act: impl Fn(&str) -> Act + Send + Sync + 'static) -> Server {
        let (acceptor, trust) = identity();
        Server::listen(act, Some(acceptor), trust).await
    }

    pub async fn listen(
        act: impl Fn(&str) -> Act + Send + Sync + 'static,
        acceptor: Option<TlsAcceptor>,
        trust: CertificateDer<'static>,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (leave, left) = mpsc::unbounded_channel();
        let (act, heads) = (Arc::new(act), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (act, heads, leave) = (act.clone(), heads.clone(), leave.clone());
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, &*act, &heads, &leave).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, &*act, &heads, &leave).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Server {
            address,
            trust,
            seen,
            left,
        }
    }

    pub fn taking(&self) -> Taking {
        Taking {
            pins: vec![(HOST.to_owned(), self.address)],
            trust: vec![self.trust.clone()],
            ..Taking::default()
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{HOST}:{}{path}", self.address.port())
    }

    pub async fn take(&self, path: &str) -> Result<Taken, UrlError> {
        take_url(&self.url(path), &self.taking(), |_, _| {}).await
    }

    pub async fn error(&self, path: &str) -> UrlError {
        self.take(path).await.unwrap_err()
    }

    pub fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// A certificate of the test's own for the one name.
pub fn identity() -> (TlsAcceptor, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let trust = made.cert.der().clone();
    (TlsAcceptor::from(Arc::new(config)), trust)
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    act: &(impl Fn(&str) -> Act + ?Sized),
    heads: &Mutex<Vec<String>>,
    leave: &mpsc::UnboundedSender<()>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (stream.read_line(&mut head).await.ok()? > 0).then_some(())?;
    }
    let path = head.split(' ').nth(1)?.to_owned();
    heads.lock().unwrap().push(head);
    let act = act(&path);
    stream.write_all(&act.answer).await.ok()?;
    stream.flush().await.ok()?;
    if act.hangs {
        // Nothing comes: it ends when the client goes.
        let _ = stream.read_u8().await;
        let _ = leave.send(());
    }
    stream.shutdown().await.ok()
}

pub fn raw(head: &str, body: &[u8]) -> Act {
    let mut answer = head.replace('\n', "\r\n").into_bytes();
    answer.extend_from_slice(b"\r\n\r\n");
    answer.extend_from_slice(body);
    Act {
        answer,
        hangs: false,
    }
}

pub fn file(headers: &str, body: &[u8]) -> Act {
    raw(
        &format!("HTTP/1.1 200 OK\nContent-Length: {}{headers}", body.len()),
        body,
    )
}

pub fn redirect(to: &str) -> Act {
    raw(
        &format!("HTTP/1.1 302 Found\nContent-Length: 0\nLocation: {to}"),
        b"",
    )
}

pub fn status(code: u16) -> Act {
    raw(&format!("HTTP/1.1 {code} No\nContent-Length: 0"), b"")
}
