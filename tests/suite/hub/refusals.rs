//! Each refusal has its own sentence, which says what to do.

use super::REPO;
use super::bench::{Bench, Ended, gguf};
use super::server::{Act, Server};
use parlor::hub::HubError;
use std::fs;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

async fn one_file() -> (Server, Bench) {
    let server = Server::start(&[("m-Q8_0.gguf", gguf(100_000, 1))]).await;
    let bench = Bench::new(&server);
    (server, bench)
}

/// Answers with this to every request whose path has the word.
fn refuse(server: &Server, word: &'static str, status: u16, headers: &[(&'static str, &str)]) {
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
    server.script(move |seen| match seen.path.contains(word) {
        true => Act::Status(status, headers.clone()),
        false => Act::Serve,
    });
}

#[track_caller]
fn says(ended: &Ended, words: &[&str]) {
    let sentence = ended.sentence();
    for word in words {
        assert!(sentence.contains(word), "{word:?} in {sentence:?}");
    }
}

#[tokio::test]
async fn the_hubs_refusals_are_told_apart() {
    let (server, mut bench) = one_file().await;
    let page = format!("{}/{REPO}", server.endpoint());
    let code = |c| ("X-Error-Code", c);
    let message = |m| ("X-Error-Message", m);

    refuse(
        &server,
        "/api/",
        401,
        &[message("Invalid username or password.")],
    );
    says(
        &bench.pull(REPO).await,
        &["no repository owner/Model-GGUF", "set HF_TOKEN"],
    );
    refuse(&server, "/api/", 404, &[code("RepoNotFound")]);
    says(&bench.pull(REPO).await, &["no repository owner/Model-GGUF"]);
    refuse(&server, "/api/", 404, &[code("RevisionNotFound")]);
    says(&bench.pull(REPO).await, &["no revision main"]);
    refuse(
        &server,
        "/api/",
        403,
        &[message("Access to this resource is disabled.")],
    );
    says(&bench.pull(REPO).await, &["has closed owner/Model-GGUF"]);
    refuse(&server, "/api/", 429, &[("RateLimit", r#""api";r=0;t=55"#)]);
    says(
        &bench.pull(REPO).await,
        &["fewer requests for 55 s", "HF_TOKEN"],
    );
    refuse(&server, "/api/", 500, &[]);
    says(
        &bench.pull(REPO).await,
        &["answers 500 (Internal Server Error)"],
    );
    refuse(&server, "/resolve/", 401, &[code("GatedRepo")]);
    says(
        &bench.pull(REPO).await,
        &["accepted first", &page, "set HF_TOKEN"],
    );
    refuse(&server, "/resolve/", 404, &[code("EntryNotFound")]);
    says(&bench.pull(REPO).await, &["no file m-Q8_0.gguf"]);

    bench.variables.push(("HF_TOKEN", "hf_x".to_owned()));
    refuse(&server, "/resolve/", 403, &[code("GatedRepo")]);
    says(
        &bench.pull(REPO).await,
        &["accepted first", &page, "account of your token"],
    );
    let bad = message("Invalid credentials in Authorization header");
    refuse(&server, "/api/", 401, &[bad]);
    says(&bench.pull(REPO).await, &["does not accept the token"]);
    bench
        .variables
        .insert(0, ("HF_TOKEN", "hf_\u{7}x".to_owned()));
    says(&bench.pull(REPO).await, &["does not accept the token"]);
    bench.variables.remove(0);
    refuse(&server, "/api/", 401, &[]);
    says(&bench.pull(REPO).await, &["your token may not see it"]);
    assert!(bench.files().is_empty(), "{:?}", bench.files());
}

#[tokio::test]
async fn an_answer_that_is_no_listing_is_told() {
    let (server, bench) = one_file().await;
    server.script(|_| Act::Page);
    says(&bench.pull(REPO).await, &["does not understand"]);
}

#[tokio::test]
async fn a_web_page_is_not_taken_for_a_model() {
    let (server, bench) = one_file().await;
    server.script(|_| Act::Page);
    let ended = bench
        .pull(&format!("http://{}/plain/m.gguf", server.cdn))
        .await;
    says(&ended, &["m.gguf is not a GGUF file but a web page"]);
    server.script(|_| Act::Serve);
    server.replace(
        "pointer.gguf",
        b"version https://git-lfs.github.com/spec/v1".to_vec(),
    );
    server.replace("empty.gguf", Vec::new());
    let ended = bench
        .pull(&format!("http://{}/plain/pointer.gguf", server.cdn))
        .await;
    says(&ended, &["Git LFS"]);
    let ended = bench
        .pull(&format!("http://{}/plain/empty.gguf", server.cdn))
        .await;
    says(&ended, &["empty"]);
    assert!(bench.files().is_empty(), "{:?}", bench.files());
}

#[tokio::test]
async fn addresses_that_have_nothing_or_do_not_give_it() {
    let (server, bench) = one_file().await;
    let address = format!("http://{}/plain/none.gguf", server.cdn);
    says(&bench.pull(&address).await, &["nothing at", "none.gguf"]);
    refuse(&server, "/plain/", 403, &[]);
    says(
        &bench.pull(&address).await,
        &["does not give this file away"],
    );
}

#[tokio::test]
async fn redirects_lead_neither_in_circles_nor_out_of_encryption() {
    let (server, mut bench) = one_file().await;
    bench.variables.push(("HF_TOKEN", "hf_secret".to_owned()));
    let there = format!("{}/{REPO}/resolve/x/y", server.endpoint());
    server.script(move |seen| match seen.path.contains("resolve") {
        true => Act::Redirect(there.clone()),
        false => Act::Serve,
    });
    says(&bench.pull(REPO).await, &["redirects in a circle"]);
    assert!(server.seen().len() < 20);

    server.script(|seen| match seen.path.contains("resolve") {
        true => Act::Redirect("http://plain.example/m.gguf".to_owned()),
        false => Act::Serve,
    });
    says(
        &bench.pull(REPO).await,
        &["http://plain.example/m.gguf is not encrypted"],
    );
    says(
        &bench.pull("http://plain.example/m.gguf").await,
        &["use https"],
    );

    // To another place that is fine, but without the token.
    let other = format!("http://{}/plain/m-Q8_0.gguf", server.cdn);
    server.script(move |seen| match seen.path.contains("resolve") {
        true => Act::Redirect(other.clone()),
        false => Act::Serve,
    });
    bench.pull(REPO).await.pulled();
    assert!(server.seen().iter().all(|s| s.token.is_some() != s.cdn));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.shutdown().await;
            }
        }
    });
    let bench = Bench::at(format!("https://localhost:{port}"));
    let ended = bench.pull(REPO).await;
    assert!(
        matches!(ended.result, Err(HubError::Tls { .. })),
        "{:?}",
        ended.result
    );
    says(
        &ended,
        &["no secure connection to localhost", "certificate", "clock"],
    );
}

async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_way_that_does_not_exist_is_told_at_once() {
    let port = closed_port().await;
    let bench = Bench::at(format!("http://127.0.0.1:{port}"));
    let ended = bench.pull(REPO).await;
    assert!(
        matches!(ended.result, Err(HubError::Refused(_))),
        "{:?}",
        ended.result
    );

    let mut bench = Bench::at("https://hub.invalid".to_owned());
    let proxy = format!("http://me:secret@127.0.0.1:{port}");
    bench.variables.push(("https_proxy", proxy.clone()));
    let ended = bench.pull(REPO).await;
    assert!(
        matches!(ended.result, Err(HubError::Proxy { .. })),
        "{:?}",
        ended.result
    );
    says(&ended, &["HTTPS_PROXY"]);
    assert!(!ended.sentence().contains("secret"));

    bench
        .variables
        .push(("NO_PROXY", "example.org, .invalid".to_owned()));
    let ended = bench.pull(REPO).await;
    assert!(
        matches!(ended.result, Err(HubError::Unknown(_))),
        "{:?}",
        ended.result
    );
}

#[tokio::test]
async fn no_proxy_is_asked_for_this_computer() {
    let (_server, mut bench) = one_file().await;
    let proxy = format!("http://127.0.0.1:{}", closed_port().await);
    bench.variables.push(("ALL_PROXY", proxy));
    bench.pull(REPO).await.pulled();
}

#[tokio::test]
async fn who_wishes_to_be_offline_is() {
    let (server, mut bench) = one_file().await;
    bench.variables.push(("HF_HUB_OFFLINE", "1".to_owned()));
    says(&bench.pull(REPO).await, &["HF_HUB_OFFLINE is set"]);
    assert!(bench.hub().search("x", 1).await.is_err());
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn too_little_room_is_told_before_anything_comes() {
    let (server, mut bench) = one_file().await;
    bench.free = 1_000_000;
    let ended = bench.pull(REPO).await;
    says(&ended, &["100.0 kB", "1.0 MB", "make room"]);
    assert!(server.seen().iter().all(|s| !s.cdn));
    let address = format!("http://{}/plain/m-Q8_0.gguf", server.cdn);
    says(&bench.pull(&address).await, &["100.0 kB", "make room"]);
    assert!(bench.files().is_empty(), "{:?}", bench.files());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_becomes_full_is_told() {
    let (_server, bench) = one_file().await;
    fs::create_dir_all(bench.path(REPO)).unwrap();
    let draft = bench.path(&format!("{REPO}/m-Q8_0.gguf.part.json.new"));
    std::os::unix::fs::symlink("/dev/full", draft).unwrap();
    let ended = bench.pull(REPO).await;
    assert!(
        matches!(ended.result, Err(HubError::Full(_))),
        "{:?}",
        ended.result
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told() {
    let (_server, bench) = one_file().await;
    fs::create_dir_all(bench.models()).unwrap();
    fs::write(bench.path("owner"), "a file").unwrap();
    let ended = bench.pull(REPO).await;
    assert!(
        matches!(ended.result, Err(HubError::Disk { .. })),
        "{:?}",
        ended.result
    );
}

#[tokio::test]
async fn names_from_the_network_stay_inside_the_folder() {
    for name in [
        "../../evil-Q8_0.gguf",
        "a/../../../evil-Q8_0.gguf",
        "..\\..\\evil-Q8_0.gguf",
    ] {
        let server = Server::start(&[(name, gguf(1000, 1))]).await;
        let bench = Bench::new(&server);
        let ended = bench.pull(REPO).await;
        let outside = fs::read_dir(bench.folder.path()).unwrap().count();
        assert!(outside <= 1, "{name}");
        assert!(
            bench
                .files()
                .iter()
                .all(|f| f.starts_with("owner/Model-GGUF/"))
        );
        if name.contains("../") {
            assert!(
                matches!(ended.result, Err(HubError::Name(_))),
                "{:?}",
                ended.result
            );
        }
    }
    let server = Server::start(&[]).await;
    let bench = Bench::new(&server);
    for name in [
        "%2e%2e%2fevil.gguf",
        "..%5Cevil.gguf",
        "a%2Fb.gguf",
        "%00.gguf",
    ] {
        let _ = bench
            .pull(&format!("http://{}/plain/{name}", server.cdn))
            .await;
        assert!(bench.files().is_empty());
        assert!(fs::read_dir(bench.folder.path()).unwrap().count() <= 1);
    }
}

#[tokio::test]
async fn a_name_that_not_every_file_system_takes_is_changed() {
    let name = "a:b-Q8_0-00001-of-00002.gguf";
    let server = Server::start(&[
        (name, gguf(1000, 1)),
        ("a:b-Q8_0-00002-of-00002.gguf", gguf(1000, 2)),
        ("mmproj:.gguf", gguf(1000, 3)),
    ])
    .await;
    let bench = Bench::new(&server);
    let ended = bench.pull(REPO).await;
    assert_eq!(
        ended.pulled().files[0],
        bench.path(&format!("{REPO}/a_b-Q8_0-00001-of-00002.gguf"))
    );
    let projector = bench.path(&format!("{REPO}/mmproj_.gguf"));
    assert_eq!(ended.pulled().projector, Some(projector));
}
