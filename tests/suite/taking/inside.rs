//! Where an address may not lead, and what nobody there may learn.

use super::server::{HOST, Server, file, identity, redirect, status};
use parlor::runtime::take_url::{Taking, UrlError, take_url};

#[tokio::test]
async fn a_redirect_may_not_lead_inside_nor_away_from_encryption() {
    let server = Server::start(|path| redirect(&path[1..].replace("slash", "/"))).await;
    let inside = [
        "https://10.0.0.1/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:192.168.0.1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a00:1::]/",
        "https://[fe80::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
    ];
    for to in inside {
        let error = server
            .error(&format!("/{}", to.replace('/', "slash")))
            .await;
        assert!(matches!(error, UrlError::Inside(_)), "{to}: {error}");
    }
    for to in ["http://files.example/", "http://93.184.216.34/", "ftp://x/"] {
        let error = server
            .error(&format!("/{}", to.replace('/', "slash")))
            .await;
        assert!(matches!(error, UrlError::Plain(_)), "{to}: {error}");
    }
    assert_eq!(
        server.heads().len(),
        inside.len() + 3,
        "nothing else was asked"
    );
}

#[tokio::test]
async fn what_a_person_types_may_not_lead_inside_either() {
    let server = Server::start(|_| file("", b"secret")).await;
    let port = server.address.port();
    let take = async |url: String| {
        let taking = Taking {
            pins: Vec::new(),
            ..server.taking()
        };
        take_url(&url, &taking, |_, _| {}).await.unwrap_err()
    };
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "0", "127.1"] {
        let error = take(format!("https://{host}:{port}/")).await;
        assert!(matches!(error, UrlError::Inside(_)), "{host}: {error}");
    }
    let error = take(format!("http://127.0.0.1:{port}/")).await;
    assert!(matches!(error, UrlError::Plain(_)), "{error}");
    let error = take("https://nowhere.invalid/".to_owned()).await;
    assert!(
        matches!(error, UrlError::Unknown(_) | UrlError::Proxy { .. }),
        "{error}"
    );
    for no in [
        "",
        "photo.png",
        "/etc/passwd",
        "file:///etc/passwd",
        "https://",
    ] {
        let error = take(no.to_owned()).await;
        assert!(matches!(error, UrlError::Address(_)), "{no}: {error}");
    }
    assert!(server.heads().is_empty());
}

#[tokio::test]
async fn with_leave_a_file_of_this_computer_is_taken_without_encryption() {
    let (_, trust) = identity();
    let server = Server::listen(|_| file("", b"mine"), None, trust).await;
    let taking = Taking {
        allow_private: true,
        ..Taking::default()
    };
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/a.txt", server.address.port());
        let taken = take_url(&url, &taking, |_, _| {}).await.unwrap();
        assert_eq!(
            (taken.name.as_str(), taken.bytes.as_slice()),
            ("a.txt", &b"mine"[..])
        );
    }
}

#[tokio::test]
async fn a_password_is_not_sent_on_nor_shown() {
    let server = Server::start(|path| match path.strip_prefix("/to/") {
        Some(port) => redirect(&format!(
            "https://you:secret@{HOST}:{port}/gone.png?key=secret"
        )),
        None => status(404),
    })
    .await;
    let port = server.address.port();
    let url = format!("https://me:secret@{HOST}:{port}/to/{port}");
    let error = take_url(&url, &server.taking(), |_, _| {}).await;
    let error = error.unwrap_err().to_string();
    let wanted = format!("there is nothing at https://{HOST}:{port}/gone.png; check the address");
    assert_eq!(error, wanted);
    // What a person typed is for that server.
    let heads = server.heads();
    assert!(heads[0].to_lowercase().contains("authorization: basic"));
    assert!(!heads[1].to_lowercase().contains("authorization"));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    let server = Server::start(|_| file("", b"x")).await;
    let (_, other) = identity();
    let taking = Taking {
        trust: vec![other],
        ..server.taking()
    };
    let error = take_url(&server.url("/"), &taking, |_, _| {}).await;
    let error = error.unwrap_err();
    assert!(matches!(error, UrlError::Tls { .. }), "{error}");
    assert!(server.heads().is_empty());
}

#[tokio::test]
async fn a_proxy_inside_may_be_asked_but_for_nothing_that_is_inside() {
    let (_, trust) = identity();
    let proxy = Server::listen(|_| status(502), None, trust).await;
    let taking = Taking {
        proxy: Some(format!(
            "http://me:secret@localhost:{}",
            proxy.address.port()
        )),
        direct: Some("localhost, direct.invalid".to_owned()),
        ..Taking::default()
    };
    let error = async |url: &str| take_url(url, &taking, |_, _| {}).await.unwrap_err();
    let refused = error("https://somewhere.invalid/a").await;
    assert!(matches!(refused, UrlError::Proxy { .. }), "{refused}");
    assert!(!refused.to_string().contains("secret"), "{refused}");
    let heads = proxy.heads();
    assert_eq!(heads.len(), 1);
    assert!(
        heads[0].starts_with("CONNECT somewhere.invalid:443 "),
        "{heads:?}"
    );
    for url in ["https://10.1.1.1/", "https://localhost/"] {
        let refused = error(url).await;
        assert!(matches!(refused, UrlError::Inside(_)), "{url}: {refused}");
    }
    let refused = error("https://direct.invalid/").await;
    assert!(matches!(refused, UrlError::Unknown(_)), "{refused}");
    assert_eq!(proxy.heads().len(), 1);
}
