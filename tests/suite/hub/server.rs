//! A hub on this computer: its questions and its files, on one port, and the
//! place that it redirects to, on another. A script decides what goes wrong.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What a request gets.
#[derive(Debug, Clone)]
pub enum Act {
    Serve,
    /// The right head, then so many bytes of the body, then the end.
    Cut(usize),
    /// The right head, then so many bytes, then nothing, until the client goes.
    Stall(usize),
    /// Nothing at all.
    Silence,
    Status(u16, Vec<(&'static str, String)>),
    Redirect(String),
    /// The whole file with status 200.
    WholeFile,
    /// The whole file without its length, neither told nor chunked.
    Endless,
    /// A `Content-Range` that begins elsewhere.
    OtherRange,
    /// `Content-Length` is off by so much.
    OtherLength(i64),
    /// Chunked, and more than the range that was told.
    TooLong,
    /// One byte of the body is another.
    WrongByte,
    /// `Content-Range` tells of a file of another length.
    OtherTotal,
    /// A web page.
    Page,
}

#[derive(Debug, Clone)]
pub struct Seen {
    pub cdn: bool,
    pub path: String,
    pub query: String,
    pub range: Option<(usize, usize)>,
    pub token: Option<String>,
}

type Script = Box<dyn FnMut(&Seen) -> Act + Send>;

pub struct Server {
    pub hub: SocketAddr,
    pub cdn: SocketAddr,
    pub state: Arc<State>,
}

pub struct State {
    pub files: Mutex<BTreeMap<String, File>>,
    /// What of the file the listing and the hub's head tell in place of the
    /// truth: another SHA-256.
    pub told: Mutex<BTreeMap<String, String>>,
    /// The ETag of all files from elsewhere; empty for none.
    pub etag: Mutex<String>,
    pub gated: Mutex<Value>,
    pub found: Mutex<Value>,
    pub page: AtomicUsize,
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
    cdn: Mutex<Option<SocketAddr>>,
}

/// A file, and its digest.
pub struct File {
    bytes: Vec<u8>,
    sha256: String,
}

impl From<Vec<u8>> for File {
    fn from(bytes: Vec<u8>) -> File {
        let sha256 = sha256(&bytes);
        File { bytes, sha256 }
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

impl Server {
    pub async fn start(files: &[(&str, Vec<u8>)]) -> Server {
        let state = Arc::new(State {
            files: Mutex::new(
                files
                    .iter()
                    .map(|(n, b)| ((*n).to_owned(), b.clone().into()))
                    .collect(),
            ),
            told: Mutex::default(),
            etag: Mutex::new("\"first\"".to_owned()),
            gated: Mutex::new(json!(false)),
            found: Mutex::new(json!([])),
            page: AtomicUsize::new(1000),
            script: Mutex::new(Box::new(|_| Act::Serve)),
            seen: Mutex::default(),
            cdn: Mutex::default(),
        });
        let hub = listen(state.clone(), false).await;
        let cdn = listen(state.clone(), true).await;
        *state.cdn.lock().unwrap() = Some(cdn);
        Server { hub, cdn, state }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.hub)
    }

    pub fn script(&self, script: impl FnMut(&Seen) -> Act + Send + 'static) {
        *self.state.script.lock().unwrap() = Box::new(script);
    }

    /// What went wrong on the way to the bytes; everything else is right.
    pub fn bytes_script(&self, mut script: impl FnMut(&Seen) -> Act + Send + 'static) {
        self.script(move |seen| match seen.cdn {
            true => script(seen),
            false => Act::Serve,
        });
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    pub fn replace(&self, name: &str, bytes: Vec<u8>) {
        self.state
            .files
            .lock()
            .unwrap()
            .insert(name.to_owned(), bytes.into());
    }
}

async fn listen(state: Arc<State>, cdn: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let state = state.clone();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                while serve(&state, cdn, &mut stream).await == Some(true) {}
            });
        }
    });
    address
}

async fn read(cdn: bool, stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let address = line.split(' ').nth(1)?.to_owned();
    let (path, query) = address.split_once('?').unwrap_or((&address, ""));
    let mut seen = Seen {
        cdn,
        path: path.to_owned(),
        query: query.to_owned(),
        range: None,
        token: None,
    };
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            return Some(seen);
        };
        match name.to_lowercase().as_str() {
            "authorization" => seen.token = Some(value.to_owned()),
            "range" => {
                let (from, last) = value.strip_prefix("bytes=")?.split_once('-')?;
                seen.range = Some((from.parse().ok()?, last.parse::<usize>().ok()? + 1));
            }
            _ => {}
        }
    }
}

/// Answers one request; whether the connection may live on.
async fn serve(state: &State, cdn: bool, stream: &mut BufReader<TcpStream>) -> Option<bool> {
    let seen = read(cdn, stream).await?;
    state.seen.lock().unwrap().push(seen.clone());
    let act = (state.script.lock().unwrap())(&seen);
    let answer = match &act {
        Act::Silence => {
            let _ = stream.read_u8().await;
            return None;
        }
        Act::Status(status, headers) => Answer::empty(*status, headers),
        Act::Redirect(to) => Answer::empty(302, &[("Location", to.clone())]),
        Act::Page => Answer {
            status: 200,
            headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
            body: b"<!doctype html><p>Sign in</p>".to_vec(),
        },
        _ => route(state, &seen, &act),
    };
    answer.send(&act, stream).await
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn empty(status: u16, headers: &[(&'static str, String)]) -> Answer {
        Answer {
            status,
            headers: headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), v.clone()))
                .collect(),
            body: Vec::new(),
        }
    }

    fn json(value: &Value) -> Answer {
        Answer {
            status: 200,
            headers: Vec::new(),
            body: value.to_string().into_bytes(),
        }
    }

    async fn send(mut self, act: &Act, stream: &mut BufReader<TcpStream>) -> Option<bool> {
        let mut head = format!("HTTP/1.1 {} Word\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let told = match act {
            Act::OtherLength(by) => self.body.len() as i64 + by,
            _ => self.body.len() as i64,
        };
        let mut live = true;
        match act {
            Act::TooLong => {
                self.body.extend_from_slice(b"and some more");
                let chunk = format!("{:x}\r\n", self.body.len());
                self.body.splice(..0, chunk.into_bytes());
                self.body.extend_from_slice(b"\r\n0\r\n\r\n");
                head += "Transfer-Encoding: chunked\r\n";
            }
            Act::Endless => live = false,
            _ => head += &format!("Content-Length: {told}\r\n"),
        }
        if let (Act::WrongByte, Some(byte)) = (act, self.body.last_mut()) {
            *byte ^= 1;
        }
        let body = match act {
            Act::Cut(n) | Act::Stall(n) if *n < self.body.len() => &self.body[..*n],
            _ => &self.body[..],
        };
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(b"\r\n").await.ok()?;
        stream.write_all(body).await.ok()?;
        stream.flush().await.ok()?;
        match act {
            Act::Stall(_) => {
                let _ = stream.read_u8().await;
                None
            }
            Act::Cut(_) | Act::OtherLength(_) => None,
            _ => Some(live),
        }
    }
}

fn route(state: &State, seen: &Seen, act: &Act) -> Answer {
    let path = seen.path.replace("%20", " ");
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["api", "models"] => Answer::json(&state.found.lock().unwrap()),
        ["api", "models", owner, repo, "revision", _] => Answer::json(&json!({
            "id": format!("{owner}/{repo}"),
            "sha": COMMIT,
            "gated": *state.gated.lock().unwrap(),
        })),
        ["api", "models", _, _, "tree", commit] if *commit == COMMIT => tree(state, seen),
        [_, _, "resolve", _, name @ ..] => resolve(state, &name.join("/")),
        ["blob" | "plain", name @ ..] => blob(state, seen, act, &name.join("/")),
        _ => Answer::empty(404, &[]),
    }
}

/// A page of the listing, with the address of the next one.
fn tree(state: &State, seen: &Seen) -> Answer {
    let files = state.files.lock().unwrap();
    let told = state.told.lock().unwrap();
    let page = state.page.load(Ordering::Relaxed);
    let cursor = seen.query.split("cursor=").nth(1);
    let from: usize = cursor.and_then(|c| c.parse().ok()).unwrap_or(0);
    let entries: Vec<Value> = files
        .iter()
        .skip(from)
        .take(page)
        .map(|(name, file)| {
            let (oid, size) = (told.get(name).unwrap_or(&file.sha256), file.bytes.len());
            json!({
                "type": "file", "path": name, "size": size, "oid": "ff",
                "lfs": { "oid": oid, "size": size, "pointerSize": 134 },
            })
        })
        .collect();
    let mut answer = Answer::json(&Value::Array(entries));
    if from + page < files.len() {
        let next = format!("{}?recursive=true&cursor={}", seen.path, from + page);
        // As the hub would say it, also through a mirror.
        let link = format!(r#"<https://huggingface.co{next}>; rel="next""#);
        answer.headers.push(("Link".to_owned(), link));
    }
    answer
}

fn resolve(state: &State, name: &str) -> Answer {
    let files = state.files.lock().unwrap();
    let Some(file) = files.get(name) else {
        return Answer::empty(404, &[("X-Error-Code", "EntryNotFound".to_owned())]);
    };
    let told = state.told.lock().unwrap();
    let digest = told.get(name).unwrap_or(&file.sha256);
    let cdn = state.cdn.lock().unwrap().unwrap();
    Answer::empty(
        302,
        &[
            ("Location", format!("http://{cdn}/blob/{name}?signed=yes")),
            ("X-Linked-Size", file.bytes.len().to_string()),
            ("X-Linked-Etag", format!("\"{digest}\"")),
            ("X-Repo-Commit", COMMIT.to_owned()),
        ],
    )
}

fn blob(state: &State, seen: &Seen, act: &Act, name: &str) -> Answer {
    let files = state.files.lock().unwrap();
    let Some(File { bytes, .. }) = files.get(name) else {
        return Answer::empty(404, &[]);
    };
    let mut headers = Vec::new();
    let etag = state.etag.lock().unwrap().clone();
    if !etag.is_empty() {
        headers.push(("ETag".to_owned(), etag));
    }
    let whole = matches!(act, Act::WholeFile | Act::Endless);
    let Some((from, to)) = seen.range.filter(|_| !whole) else {
        return Answer {
            status: 200,
            headers,
            body: bytes.clone(),
        };
    };
    if from >= bytes.len() {
        return Answer::empty(
            416,
            &[("Content-Range", format!("bytes */{}", bytes.len()))],
        );
    }
    let to = to.min(bytes.len());
    let (told, total) = match act {
        Act::OtherRange => (from + 1, bytes.len()),
        Act::OtherTotal => (from, bytes.len() + 1),
        _ => (from, bytes.len()),
    };
    let range = format!("bytes {told}-{}/{total}", to - 1);
    headers.push(("Content-Range".to_owned(), range));
    Answer {
        status: 206,
        headers,
        body: bytes[from..to].to_vec(),
    }
}
