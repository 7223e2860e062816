//! What a file from an address is called.

use super::server::{Server, file};

/// The name for a file at a path whose answer has a disposition, if any.
async fn named(path: &str, disposition: &str) -> String {
    let header = match disposition {
        "" => String::new(),
        some => format!("\nContent-Disposition: {some}"),
    };
    let server = Server::start(move |_| file(&header, b"x")).await;
    server.take(path).await.unwrap().name
}

#[tokio::test]
async fn a_files_name_is_the_servers_else_the_addresss_and_always_clean() {
    let cases = [
        ("/a/photo.png", "", "photo.png"),
        ("/a/ph%C3%B6to%201.png?x=y/z#f", "", "phöto 1.png"),
        ("/a/100%.txt", "", "100%.txt"),
        ("/a/%2e%2e%2fetc%2fpasswd", "", "passwd"),
        ("/a/%1b%5b31mred%0a%7f.png", "", "[31mred.png"),
        ("/a/gpj.%E2%80%AEexe", "", "gpj.exe"),
        ("/", "", "file"),
        ("/a/..%2f", "", "file"),
        ("/x", "attachment; filename=\"b c.pdf\"", "b c.pdf"),
        ("/x", "attachment; filename=b.pdf", "b.pdf"),
        (
            "/x",
            "attachment; FileName = \"a\\\"b; c=d.pdf\" ; size=1",
            "a_b; c=d.pdf",
        ),
        ("/x", "attachment; filename=\"../../.ssh/id\"", "id"),
        ("/x", "attachment; filename=\".bashrc\"", "bashrc"),
        (
            "/x",
            "attachment; filename=c.pdf; filename*=UTF-8''%e2%82%ac.pdf",
            "€.pdf",
        ),
        ("/x", "attachment; filename*=iso-8859-1'en'%A3.pdf", "£.pdf"),
        (
            "/x",
            "attachment; filename*=other''%A3.pdf; filename=d.pdf",
            "d.pdf",
        ),
        ("/x.txt", "attachment; filename=\"\"", "x.txt"),
        ("/x.txt", "inline", "x.txt"),
        ("/x", "attachment; filename=\"naïve.txt\"", "naïve.txt"),
    ];
    for (path, disposition, wanted) in cases {
        assert_eq!(
            named(path, disposition).await,
            wanted,
            "{path} {disposition}"
        );
    }
    let long = named(
        &format!("/{}.jpeg", "ä".repeat(200).replace('ä', "%C3%A4")),
        "",
    )
    .await;
    assert_eq!(long, format!("{}.jpeg", "ä".repeat(115)));
    let long = named(&format!("/a.{}", "b".repeat(200)), "").await;
    assert_eq!(long.chars().count(), 120);
}
