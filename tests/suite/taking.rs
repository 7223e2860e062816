//! Files from addresses, from a server of the test that speaks TLS.

mod inside;
mod names;
mod server;

use parlor::runtime::take_url::{Taking, UrlError, take_url};
use server::{Act, HOST, Server, file, raw, redirect, status};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Of an image, with bytes that are no text.
fn picture() -> Vec<u8> {
    (0..300_000_u32).map(|i| (i * 7 % 251) as u8).collect()
}

#[tokio::test]
async fn a_file_comes_whole_with_its_progress_and_tells_nothing_of_the_person() {
    let server = Server::start(|path| match path {
        "/a" => redirect("/b/c/photo%20one.png?key=1"),
        _ => file("\nSet-Cookie: spy=1\nContent-Type: text/html", &picture()),
    })
    .await;
    let mut heard = Vec::new();
    let taken = take_url(&server.url("/a"), &server.taking(), |n, total| {
        heard.push((n, total));
    })
    .await
    .unwrap();
    assert_eq!(taken.name, "photo one.png");
    assert!(taken.bytes == picture());
    assert_eq!(heard.first(), Some(&(0, Some(300_000))));
    assert_eq!(heard.last(), Some(&(300_000, Some(300_000))));
    assert!(heard.is_sorted(), "{heard:?}");
    let heads = server.heads();
    assert_eq!(heads.len(), 2);
    let agent = format!("user-agent: parlor/{}\r\n", env!("CARGO_PKG_VERSION"));
    for head in heads.iter().map(|h| h.to_lowercase()) {
        assert!(head.contains(&agent), "{head}");
        for word in ["referer", "cookie", "authorization"] {
            assert!(!head.contains(word), "{head}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_by_its_length_and_by_counting() {
    let server = Server::start(|path| match path {
        // It never sends a body: only the length can be what is refused.
        "/declared" => Act {
            hangs: true,
            ..raw("HTTP/1.1 200 OK\nContent-Length: 1001", b"")
        },
        "/whole" => file("", &[7; 1000]),
        "/chunked" => raw(
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked",
            &[b"3e9\r\n".as_slice(), &[7; 1001], b"\r\n0\r\n\r\n"].concat(),
        ),
        _ => raw("HTTP/1.1 200 OK", &[7; 100_000]),
    })
    .await;
    let taking = Taking {
        limit: 1000,
        ..server.taking()
    };
    let take = async |path| take_url(&server.url(path), &taking, |_, _| {}).await;
    assert_eq!(take("/whole").await.unwrap().bytes.len(), 1000);
    let error = take("/declared").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file has 1.0 kB, and at most 1.0 kB are taken; save it, and attach a smaller part of it"
    );
    for path in ["/chunked", "/endless"] {
        let error = take(path).await.unwrap_err();
        assert!(
            matches!(error, UrlError::TooLarge { size: None, .. }),
            "{path}: {error}"
        );
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_taken_for_whole() {
    let server = Server::start(|path| match path {
        "/length" => raw("HTTP/1.1 200 OK\nContent-Length: 1000", &[7; 999]),
        "/chunked" => raw(
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked",
            b"5\r\nhello\r\n",
        ),
        _ => raw("", b""),
    })
    .await;
    for path in ["/length", "/chunked", "/nothing"] {
        let error = server.error(path).await;
        assert!(matches!(error, UrlError::Cut(_)), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let server = Server::start(|path| Act {
        hangs: true,
        ..match path {
            "/head" => Act {
                answer: Vec::new(),
                hangs: true,
            },
            _ => raw("HTTP/1.1 200 OK\nContent-Length: 1000", &[7; 10]),
        }
    })
    .await;
    let taking = Taking {
        stall: Duration::from_millis(300),
        ..server.taking()
    };
    for path in ["/head", "/body"] {
        let error = take_url(&server.url(path), &taking, |_, _| {}).await;
        let error = error.unwrap_err();
        assert!(matches!(error, UrlError::Stalled { .. }), "{path}: {error}");
    }
}

#[tokio::test]
async fn dropping_ends_the_connection() {
    let mut server = Server::start(|_| Act {
        hangs: true,
        ..raw("HTTP/1.1 200 OK\nContent-Length: 1000", &[7; 10])
    })
    .await;
    let (url, taking) = (server.url("/"), server.taking());
    let (tell, mut told) = mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        take_url(&url, &taking, move |came, _| {
            let _ = tell.send(came);
        })
        .await
    });
    while told.recv().await != Some(10) {}
    assert!(server.left.try_recv().is_err());
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(server.left.recv().await, Some(()));
}

#[tokio::test]
async fn five_redirects_are_followed_and_no_more() {
    let server = Server::start(|path| match path {
        "/5" => redirect("/4"),
        "/4" => redirect("/3"),
        "/3" => redirect("/2"),
        "/2" => redirect("/1"),
        "/1" => redirect("/0"),
        "/0" => file("", b"here"),
        _ => redirect("/around"),
    })
    .await;
    assert_eq!(server.take("/5").await.unwrap().bytes, b"here");
    assert_eq!(server.heads().len(), 6);
    let error = server.error("/around").await;
    assert!(matches!(error, UrlError::Circle(_)), "{error}");
    assert_eq!(server.heads().len(), 12);
}

#[tokio::test]
async fn an_answer_that_is_no_file_is_told_as_what_it_is() {
    let server = Server::start(|path| match path {
        "/packed" => file("\nContent-Encoding: gzip", b"xx"),
        "/nowhere" => raw("HTTP/1.1 302 Found\nContent-Length: 0", b""),
        _ => status(path[1..].parse().unwrap()),
    })
    .await;
    for path in ["/404", "/410"] {
        let error = server.error(path).await;
        assert!(matches!(error, UrlError::Nothing(_)), "{path}: {error}");
    }
    for path in ["/401", "/403"] {
        let error = server.error(path).await;
        assert!(matches!(error, UrlError::Denied(_)), "{path}: {error}");
    }
    for path in ["/429", "/500", "/503"] {
        let error = server.error(path).await;
        assert!(matches!(error, UrlError::Busy { .. }), "{path}: {error}");
    }
    for path in ["/204", "/206", "/304", "/418", "/nowhere"] {
        let error = server.error(path).await;
        assert!(matches!(error, UrlError::Status { .. }), "{path}: {error}");
    }
    let error = server.error("/packed").await;
    assert!(matches!(error, UrlError::Packed(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let taking = Taking {
        pins: vec![(HOST.to_owned(), address)],
        ..Taking::default()
    };
    let url = format!("https://{HOST}:{}/", address.port());
    let error = take_url(&url, &taking, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, UrlError::Refused(_)), "{error}");
}
