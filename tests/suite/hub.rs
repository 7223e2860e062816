//! Pulling models from a hub that runs on this computer.

mod bench;
mod choosing;
mod cuts;
mod faults;
mod refusals;
mod server;

use bench::{Bench, gguf};
use parlor::hub::HubError;
use parlor::protocol::hub::{Checked, Phase, Wish};
use server::{Act, COMMIT, Server, sha256};
use std::fs;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, watch};

const REPO: &str = "owner/Model-GGUF";

#[tokio::test]
async fn a_model_and_its_projector_arrive_whole() {
    let model = gguf(3_000_000, 1);
    let eyes = gguf(200_000, 2);
    let server = Server::start(&[
        ("Model-Q4_K_M.gguf", model.clone()),
        ("Model-Q2_K.gguf", gguf(1_000, 3)),
        ("mmproj-F16.gguf", eyes.clone()),
        ("README.md", b"words".to_vec()),
    ])
    .await;
    let bench = Bench::new(&server);
    let ended = bench.pull(&format!("{REPO}:q4_k_m")).await;
    let pulled = ended.pulled();
    let place = bench.path("owner/Model-GGUF/Model-Q4_K_M.gguf");
    assert_eq!(pulled.files, std::slice::from_ref(&place));
    assert_eq!(
        pulled.projector,
        Some(bench.path("owner/Model-GGUF/mmproj-F16.gguf"))
    );
    assert_eq!(pulled.size, 3_200_000);
    assert_eq!(pulled.checked, Checked::Digest);
    assert!(!pulled.already);
    assert_eq!(sha256(&fs::read(&place).unwrap()), sha256(&model));
    assert_eq!(
        sha256(&fs::read(pulled.projector.as_ref().unwrap()).unwrap()),
        sha256(&eyes)
    );
    // Nothing else is left.
    assert_eq!(bench.files().len(), 2, "{:?}", bench.files());
    ended.assert_forwards();
    assert!(matches!(ended.events[0].phase, Phase::Looking));
    assert!(
        ended
            .events
            .iter()
            .any(|e| matches!(e.phase, Phase::Chosen(_)))
    );
    assert!(
        ended
            .events
            .iter()
            .any(|e| matches!(e.phase, Phase::Checking { .. }))
    );
    let last = ended.events.last().unwrap();
    assert_eq!((last.done, last.total), (3_200_000, 3_200_000));
    assert_eq!((last.file, last.files, &last.phase), (2, 2, &Phase::Done));
    // By commit, so that a change of the branch changes nothing.
    let resolved = |s: &server::Seen| s.path.starts_with(&format!("/{REPO}/resolve/{COMMIT}/"));
    assert!(
        server
            .seen()
            .iter()
            .filter(|s| s.path.contains("resolve"))
            .all(resolved)
    );
}

#[tokio::test]
async fn a_large_file_comes_over_several_connections_in_order() {
    let server = Server::start(&[("m-Q8_0.gguf", gguf(4_000_000, 1))]).await;
    let bench = Bench::new(&server);
    bench.pull(REPO).await.pulled();
    let asked: Vec<_> = server
        .seen()
        .into_iter()
        .filter(|s| s.cdn)
        .filter_map(|s| s.range)
        .collect();
    assert_eq!(asked[0], (0, 4));
    assert_eq!(asked[1..].len(), 4_000_000_usize.div_ceil(256 << 10));
    let mut sorted = asked[1..].to_vec();
    sorted.sort_unstable();
    assert!(sorted.windows(2).all(|w| w[0].1 == w[1].0));
}

#[tokio::test]
async fn what_is_here_is_not_downloaded_again() {
    let server = Server::start(&[("m-Q8_0.gguf", gguf(100_000, 1))]).await;
    let bench = Bench::new(&server);
    bench.pull(REPO).await.pulled();
    let before = server.seen().len();
    let ended = bench.pull(REPO).await;
    assert!(ended.pulled().already);
    assert!(
        server.seen()[before..]
            .iter()
            .all(|s| s.path.starts_with("/api/"))
    );
    // Another length: another version, which takes its place.
    server.replace("m-Q8_0.gguf", gguf(120_000, 2));
    let ended = bench.pull(REPO).await;
    assert!(!ended.pulled().already);
    assert_eq!(
        fs::read(&ended.pulled().files[0]).unwrap(),
        gguf(120_000, 2)
    );
}

#[tokio::test]
async fn a_split_model_comes_with_all_its_parts_in_their_folder() {
    let part = |i: u64| {
        (
            format!("Q8_0/big-Q8_0-0000{i}-of-00003.gguf"),
            gguf(50_000, i),
        )
    };
    let parts: Vec<_> = (1..=3).map(part).collect();
    let named: Vec<_> = parts.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    let server = Server::start(&named).await;
    let bench = Bench::new(&server);
    let ended = bench.pull(REPO).await;
    let files = &ended.pulled().files;
    assert_eq!(files.len(), 3);
    for ((name, bytes), file) in parts.iter().zip(files) {
        assert_eq!(*file, bench.path(&format!("{REPO}/{name}")));
        assert_eq!(fs::read(file).unwrap(), *bytes);
    }
    assert_eq!(ended.events.last().unwrap().files, 3);
    ended.assert_forwards();
}

#[tokio::test]
async fn a_listing_of_many_pages_is_read_to_its_end() {
    let names: Vec<String> = (0..25).map(|i| format!("n{i:02}.txt")).collect();
    let mut files: Vec<_> = names.iter().map(|n| (n.as_str(), b"x".to_vec())).collect();
    files.push(("z-Q8_0.gguf", gguf(1000, 1)));
    let server = Server::start(&files).await;
    server.state.page.store(4, Ordering::Relaxed);
    let bench = Bench::new(&server);
    let listing = bench.hub().listing(REPO).await.unwrap();
    assert_eq!(listing.files.len(), 26);
    assert_eq!(listing.commit, COMMIT);
    assert_eq!(
        listing.files[25].sha256.as_deref(),
        Some(sha256(&gguf(1000, 1)).as_str())
    );
}

#[tokio::test]
async fn an_address_anywhere_is_downloaded_but_not_checked_against_a_digest() {
    let bytes = gguf(500_000, 1);
    let server = Server::start(&[("a model.gguf", bytes.clone())]).await;
    let bench = Bench::at("https://hub.invalid".to_owned());
    let address = format!("http://{}/plain/a%20model.gguf?key=secret", server.cdn);
    let ended = bench.pull(&address).await;
    let pulled = ended.pulled();
    assert_eq!(pulled.checked, Checked::Length);
    assert_eq!(pulled.files, [bench.path("a model.gguf")]);
    assert_eq!(fs::read(&pulled.files[0]).unwrap(), bytes);
    ended.assert_forwards();
    assert_eq!(ended.events.last().unwrap().total, 500_000);
    assert!(server.seen().iter().all(|s| s.query == "key=secret"));
    assert!(bench.pull(&address).await.pulled().already);
}

#[tokio::test]
async fn the_hub_tells_the_digest_of_an_address_of_its_own() {
    let bytes = gguf(500_000, 1);
    let server = Server::start(&[("m.gguf", bytes)]).await;
    let bench = Bench::new(&server);
    let address = format!("{}/{REPO}/resolve/main/m.gguf", server.endpoint());
    assert_eq!(bench.pull(&address).await.pulled().checked, Checked::Digest);
}

#[tokio::test]
async fn the_token_goes_to_the_hub_alone() {
    let server = Server::start(&[("m-Q8_0.gguf", gguf(300_000, 1))]).await;
    let mut bench = Bench::new(&server);
    bench.variables.push(("HF_TOKEN", "hf_secret".to_owned()));
    bench.pull(REPO).await.pulled();
    let other = format!("http://{}/plain/m-Q8_0.gguf", server.cdn);
    bench.pull(&other).await.pulled();
    let (cdn, hub): (Vec<_>, Vec<_>) = server.seen().into_iter().partition(|s| s.cdn);
    assert!(
        hub.iter()
            .all(|s| s.token.as_deref() == Some("Bearer hf_secret"))
    );
    assert!(cdn.len() > 2 && cdn.iter().all(|s| s.token.is_none()));
}

#[tokio::test]
async fn a_pause_keeps_what_came_and_asks_for_nothing() {
    let bytes = gguf(3_000_000, 1);
    let server = Server::start(&[("m-Q8_0.gguf", bytes.clone())]).await;
    let bench = Bench::new(&server);
    // The first round stops in the middle of each piece.
    server.bytes_script(|seen| match seen.range {
        Some((_, to)) if to > 4 => Act::Stall(100_000),
        _ => Act::Serve,
    });
    let (wish, control) = watch::channel(Wish::Run);
    let (sender, mut events) = mpsc::unbounded_channel();
    let target = format!("{REPO}:Q8_0");
    let pull = bench.pull_telling(&target, control, sender);
    let hand = async {
        let mut came = 0;
        while came < 400_000 {
            came = events.recv().await.unwrap().done;
        }
        wish.send(Wish::Pause).unwrap();
        while events.recv().await.unwrap().phase != Phase::Paused {}
        server.script(|_| Act::Serve);
        let asked = server.seen().len();
        assert_eq!(
            bench.files(),
            [
                "owner/Model-GGUF/m-Q8_0.gguf.part",
                "owner/Model-GGUF/m-Q8_0.gguf.part.json"
            ]
        );
        wish.send(Wish::Run).unwrap();
        let mut later = Vec::new();
        while let Some(event) = events.recv().await {
            assert!(event.done >= came);
            later.push(event);
        }
        (asked, later)
    };
    let (pulled, (asked, _)) = tokio::join!(pull, hand);
    assert_eq!(fs::read(&pulled.unwrap().files[0]).unwrap(), bytes);
    let wanted: usize = server.seen()[asked..]
        .iter()
        .filter(|s| s.cdn)
        .filter_map(|s| s.range)
        .map(|r| r.1 - r.0)
        .sum();
    assert!(wanted <= 2_600_000, "{wanted} bytes were asked for again");
}

#[tokio::test]
async fn a_cancelled_pull_keeps_what_came_until_it_is_discarded() {
    let bytes = gguf(1_000_000, 1);
    let server = Server::start(&[("m-Q8_0.gguf", bytes.clone())]).await;
    let mut bench = Bench::new(&server);
    bench.pace.stall = std::time::Duration::from_secs(60);
    server.bytes_script(|seen| match seen.range {
        Some((_, to)) if to > 4 => Act::Stall(50_000),
        _ => Act::Serve,
    });
    let (wish, control) = watch::channel(Wish::Run);
    let (sender, mut events) = mpsc::unbounded_channel();
    let pull = bench.pull_telling(REPO, control, sender);
    let hand = async {
        while events.recv().await.unwrap().done < 200_000 {}
        wish.send(Wish::Cancel).unwrap();
    };
    let (result, ()) = tokio::join!(pull, hand);
    assert!(matches!(result, Err(HubError::Cancelled)), "{result:?}");
    let path = bench.path(&format!("{REPO}/m-Q8_0.gguf"));
    assert!(!path.exists());
    server.script(|_| Act::Serve);
    let asked = server.seen().len();
    bench.pull(REPO).await.pulled();
    let wanted: usize = server.seen()[asked..]
        .iter()
        .filter(|s| s.cdn)
        .filter_map(|s| s.range)
        .map(|r| r.1 - r.0)
        .sum();
    assert!(wanted <= 800_004, "{wanted}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    // What is whole stays; what is not goes.
    fs::write(bench.path("x.gguf.part"), "x").unwrap();
    fs::write(bench.path("x.gguf.part.json"), "x").unwrap();
    parlor::hub::discard(&bench.path("x.gguf")).unwrap();
    parlor::hub::discard(&path).unwrap();
    assert_eq!(bench.files(), [format!("{REPO}/m-Q8_0.gguf")]);
}

#[tokio::test]
async fn two_pulls_of_one_file_do_not_meet() {
    let server = Server::start(&[("m-Q8_0.gguf", gguf(1_000_000, 1))]).await;
    let mut bench = Bench::new(&server);
    bench.pace.stall = std::time::Duration::from_secs(60);
    bench.pace.lock = std::time::Duration::from_millis(50);
    server.bytes_script(|seen| match seen.range {
        Some((_, to)) if to > 4 => Act::Stall(50_000),
        _ => Act::Serve,
    });
    let (wish, control) = watch::channel(Wish::Run);
    let (sender, mut events) = mpsc::unbounded_channel();
    let first = bench.pull_telling(REPO, control, sender);
    let second = async {
        while events.recv().await.unwrap().done < 100_000 {}
        let ended = bench.pull(REPO).await;
        let path = bench.path(&format!("{REPO}/m-Q8_0.gguf"));
        assert!(matches!(
            parlor::hub::discard(&path),
            Err(HubError::Busy(_))
        ));
        wish.send(Wish::Cancel).unwrap();
        ended
    };
    let (_, ended) = tokio::join!(first, second);
    assert!(
        matches!(ended.result, Err(HubError::Busy(_))),
        "{:?}",
        ended.result
    );
}

#[tokio::test]
async fn a_search_tells_what_there_is() {
    let server = Server::start(&[]).await;
    *server.state.found.lock().unwrap() = serde_json::json!([
        {"_id": "1", "id": "a/b-GGUF", "downloads": 12, "likes": 3, "gated": "manual",
         "gguf": {"total": 7_000_000_000_u64, "architecture": "llama"}},
        {"id": "c/d-GGUF", "gated": false},
    ]);
    let bench = Bench::new(&server);
    let found = bench.hub().search("small & good", 5).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].downloads, found[0].likes, found[0].gated),
        (12, 3, true)
    );
    assert_eq!(found[0].parameters, Some(7_000_000_000));
    assert!(!found[1].gated && found[1].parameters.is_none());
    let seen = server.seen();
    assert_eq!(seen[0].path, "/api/models");
    for part in [
        "search=small+%26+good",
        "filter=gguf",
        "sort=downloads",
        "direction=-1",
        "limit=5",
        "expand=gated",
    ] {
        assert!(
            seen[0].query.split('&').any(|p| p == part),
            "{part} in {}",
            seen[0].query
        );
    }
}

#[tokio::test]
async fn a_pull_can_be_given_to_another_task() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let server = Server::start(&[("m-Q8_0.gguf", gguf(1000, 1))]).await;
    let bench = Bench::new(&server);
    is_send(bench.pull(REPO)).await.pulled();
}
