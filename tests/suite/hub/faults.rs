//! Servers that err: they lie, stall, send other bytes, and change their files.

use super::REPO;
use super::bench::{Bench, Dice, Ended, gguf};
use super::server::{Act, Seen, Server, sha256};
use parlor::hub::HubError;
use parlor::protocol::hub::{Checked, Phase};
use std::fs;
use std::time::{Duration, Instant};

const NAME: &str = "owner/Model-GGUF/m-Q8_0.gguf";

async fn one_file(length: usize) -> (Server, Bench, Vec<u8>) {
    let bytes = gguf(length, 1);
    let server = Server::start(&[("m-Q8_0.gguf", bytes.clone())]).await;
    let bench = Bench::new(&server);
    (server, bench, bytes)
}

/// Requests for bytes, but for the first question.
fn is_part(seen: &Seen) -> bool {
    seen.range.is_none_or(|(_, to)| to > 4)
}

/// Errs `times` times, then no more.
fn err(server: &Server, act: Act, times: usize) {
    let mut left = times;
    server.bytes_script(move |seen| {
        if !is_part(seen) || left == 0 {
            return Act::Serve;
        }
        left -= 1;
        act.clone()
    });
}

/// Bytes that were asked for since so many requests.
fn asked(server: &Server, since: usize) -> usize {
    let seen = server.seen().split_off(since);
    let ranges = seen.iter().filter(|s| s.cdn).filter_map(|s| s.range);
    ranges.map(|(from, to)| to - from).sum()
}

fn is_lie(ended: &Ended) -> bool {
    matches!(ended.result, Err(HubError::Lies { .. }))
}

#[tokio::test]
async fn lies_about_ranges_and_lengths_are_seen_and_tried_again() {
    let lies = [
        Act::OtherRange,
        Act::OtherLength(10),
        Act::OtherLength(-10),
        Act::TooLong,
    ];
    for lie in lies {
        let (server, bench, bytes) = one_file(900_000).await;
        err(&server, lie.clone(), 3);
        let ended = bench.pull(REPO).await;
        ended.pulled();
        ended.assert_forwards();
        assert!(ended.retries() > 0, "{lie:?}");
        assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes, "{lie:?}");

        let (server, mut bench, _) = one_file(900_000).await;
        bench.pace.parts = 1;
        err(&server, lie.clone(), usize::MAX);
        let ended = bench.pull(REPO).await;
        assert!(is_lie(&ended), "{lie:?}: {:?}", ended.result);
        assert!(!bench.path(NAME).exists());
        // Nothing of what a liar sent is built on.
        server.script(|_| Act::Serve);
        let before = server.seen().len();
        bench.pull(REPO).await.pulled();
        assert_eq!(asked(&server, before), 900_000 + 4, "{lie:?}");
    }
}

#[tokio::test]
async fn a_server_without_parts_sends_the_file_in_one_piece() {
    let (server, bench, bytes) = one_file(900_000).await;
    server.bytes_script(|_| Act::WholeFile);
    let ended = bench.pull(REPO).await;
    assert_eq!(ended.pulled().checked, Checked::Digest);
    assert_eq!(ended.restarts(), 0);
    assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes);
    assert_eq!(server.seen().iter().filter(|s| s.cdn).count(), 2);
}

#[tokio::test]
async fn what_came_in_parts_is_never_mixed_with_a_whole_file() {
    let (server, bench, bytes) = one_file(900_000).await;
    let mut count = 0;
    server.bytes_script(move |seen| {
        count += usize::from(is_part(seen));
        if count > 2 {
            Act::WholeFile
        } else {
            Act::Serve
        }
    });
    let ended = bench.pull(REPO).await;
    ended.pulled();
    ended.assert_forwards();
    assert!(ended.restarts() > 0);
    assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes);
}

#[tokio::test]
async fn a_whole_file_that_breaks_off_begins_again() {
    let (server, bench, bytes) = one_file(900_000).await;
    let mut cuts = 3;
    server.bytes_script(move |seen| {
        if seen.range.is_some() {
            return Act::WholeFile;
        }
        cuts -= 1;
        if cuts > 0 {
            Act::Cut(700_000)
        } else {
            Act::Serve
        }
    });
    let ended = bench.pull(REPO).await;
    ended.pulled();
    ended.assert_forwards();
    assert_eq!(ended.restarts(), 2);
    assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes);
}

#[tokio::test]
async fn a_file_whose_length_nobody_tells_is_refused() {
    let (server, bench, _) = one_file(100_000).await;
    server.script(|_| Act::Endless);
    let ended = bench
        .pull(&format!("http://{}/plain/m-Q8_0.gguf", server.cdn))
        .await;
    assert!(is_lie(&ended), "{:?}", ended.result);
    assert!(bench.files().is_empty(), "{:?}", bench.files());
}

#[tokio::test]
async fn wrong_bytes_are_downloaded_again_once_and_then_removed() {
    let (server, bench, bytes) = one_file(900_000).await;
    err(&server, Act::WrongByte, 1);
    let ended = bench.pull(REPO).await;
    ended.pulled();
    ended.assert_forwards();
    assert_eq!(ended.restarts(), 1);
    assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes);

    let (server, bench, _) = one_file(900_000).await;
    err(&server, Act::WrongByte, usize::MAX);
    let ended = bench.pull(REPO).await;
    assert!(
        matches!(ended.result, Err(HubError::Digest(_))),
        "{:?}",
        ended.result
    );
    assert!(bench.files().is_empty(), "{:?}", bench.files());
    let asked = server.seen().iter().filter(|s| s.cdn && is_part(s)).count();
    assert_eq!(asked, 2 * 900_000_usize.div_ceil(256 << 10));
}

#[tokio::test]
async fn a_stalled_connection_is_given_up_and_begun_again() {
    for act in [Act::Stall(1000), Act::Silence] {
        let (server, mut bench, bytes) = one_file(300_000).await;
        bench.pace.stall = Duration::from_millis(100);
        err(&server, act.clone(), 2);
        let ended = bench.pull(REPO).await;
        ended.pulled();
        assert!(ended.retries() > 0);
        assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes);
    }
    let (server, mut bench, _) = one_file(300_000).await;
    bench.pace.stall = Duration::from_millis(50);
    err(&server, Act::Silence, usize::MAX);
    let ended = bench.pull(REPO).await;
    assert!(
        matches!(ended.result, Err(HubError::Stalled { .. })),
        "{:?}",
        ended.result
    );
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_waited_for_but_not_for_ever() {
    let waits = [
        (429, "Retry-After", "0"),
        (503, "Retry-After", "86400"),
        (429, "RateLimit", r#""resolvers";r=0;t=86400"#),
        (500, "X-Other", ""),
    ];
    for (status, name, value) in waits {
        let (server, bench, bytes) = one_file(300_000).await;
        let begin = Instant::now();
        err(
            &server,
            Act::Status(status, vec![(name, value.to_owned())]),
            3,
        );
        let ended = bench.pull(REPO).await;
        ended.pulled();
        let longest = ended.events.iter().filter_map(|e| match e.phase {
            Phase::Retrying { wait, .. } => Some(wait),
            _ => None,
        });
        let expected = if value == "86400" || name == "RateLimit" {
            20
        } else {
            0
        };
        assert!(longest.max().unwrap() >= expected, "{status}");
        assert!(begin.elapsed() < Duration::from_secs(10));
        assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_signed_address_that_has_run_out_is_asked_for_anew() {
    let (server, bench, bytes) = one_file(900_000).await;
    err(&server, Act::Status(403, Vec::new()), 3);
    bench.pull(REPO).await.pulled();
    assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes);
}

#[tokio::test]
async fn the_listing_too_is_asked_for_again_when_the_hub_is_busy() {
    let (server, bench, _) = one_file(300_000).await;
    let mut count = 0;
    server.script(move |seen| {
        count += usize::from(!seen.cdn);
        let busy = Act::Status(429, vec![("Retry-After", "0".to_owned())]);
        if count < 4 { busy } else { Act::Serve }
    });
    bench.pull(REPO).await.pulled();
}

/// Leaves a part behind, of the given target.
async fn leave_a_part(server: &Server, bench: &Bench, target: &str) {
    let script = |seen: &Seen| match seen.range {
        Some((_, to)) if to <= 4 => Act::Serve,
        Some((from, _)) if from < 300_000 => Act::Serve,
        _ => Act::Status(404, Vec::new()),
    };
    server.script(move |seen| match seen.cdn {
        true => script(seen),
        false => Act::Serve,
    });
    assert!(bench.pull(target).await.result.is_err());
    assert!(bench.files().iter().any(|f| f.ends_with(".part.json")));
    server.script(|_| Act::Serve);
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_begins_again_and_says_so() {
    let (server, bench, _) = one_file(900_000).await;
    leave_a_part(&server, &bench, REPO).await;
    let other = gguf(900_000, 9);
    server.replace("m-Q8_0.gguf", other.clone());
    let before = server.seen().len();
    let ended = bench.pull(REPO).await;
    ended.pulled();
    assert_eq!(ended.restarts(), 1);
    // It was seen before anything was asked for.
    assert_eq!(asked(&server, before), 900_000 + 4);
    assert_eq!(fs::read(bench.path(NAME)).unwrap(), other);
}

#[tokio::test]
async fn an_address_goes_on_only_with_the_same_mark() {
    for (etag, restarts) in [
        ("\"first\"", 0),
        ("\"second\"", 1),
        ("", 1),
        ("W/\"first\"", 1),
    ] {
        let (server, bench, bytes) = one_file(900_000).await;
        let target = format!("http://{}/plain/m-Q8_0.gguf", server.cdn);
        leave_a_part(&server, &bench, &target).await;
        etag.clone_into(&mut server.state.etag.lock().unwrap());
        let ended = bench.pull(&target).await;
        ended.pulled();
        assert_eq!(ended.restarts(), restarts, "{etag}");
        assert_eq!(fs::read(bench.path("m-Q8_0.gguf")).unwrap(), bytes);
    }
}

#[tokio::test]
async fn an_address_that_changes_on_the_way_begins_again() {
    let (server, bench, _) = one_file(900_000).await;
    let other = gguf(900_000, 9);
    let (state, bytes) = (server.state.clone(), other.clone());
    let mut count = 0;
    server.script(move |seen| {
        count += usize::from(is_part(seen));
        if count == 3 {
            "\"second\"".clone_into(&mut state.etag.lock().unwrap());
            let mut files = state.files.lock().unwrap();
            files.insert("m-Q8_0.gguf".to_owned(), bytes.clone().into());
        }
        Act::Serve
    });
    let ended = bench
        .pull(&format!("http://{}/plain/m-Q8_0.gguf", server.cdn))
        .await;
    ended.pulled();
    ended.assert_forwards();
    assert_eq!(ended.restarts(), 1);
    assert_eq!(fs::read(bench.path("m-Q8_0.gguf")).unwrap(), other);

    // One that never rests is given up.
    let mut count = 0;
    let state = server.state.clone();
    server.script(move |_| {
        count += 1;
        *state.etag.lock().unwrap() = format!("\"{count}\"");
        Act::Serve
    });
    server.replace("n.gguf", gguf(900_000, 3));
    let ended = bench
        .pull(&format!("http://{}/plain/n.gguf", server.cdn))
        .await;
    assert!(
        matches!(ended.result, Err(HubError::Changes(_))),
        "{:?}",
        ended.result
    );
}

#[tokio::test]
async fn a_file_of_another_length_than_was_told_is_asked_about_again() {
    let (server, bench, bytes) = one_file(900_000).await;
    err(&server, Act::OtherTotal, 1);
    let ended = bench.pull(REPO).await;
    ended.pulled();
    assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes);
}

#[tokio::test]
async fn whatever_a_server_does_no_wrong_file_gets_the_name() {
    let bytes = gguf(700_000, 1);
    let (mut whole, mut failed) = (0, 0);
    for seed in 0..60 {
        let server = Server::start(&[("m-Q8_0.gguf", bytes.clone())]).await;
        let mut bench = Bench::new(&server);
        bench.pace.stall = Duration::from_millis(40);
        let from_hub = seed % 2 == 0;
        let mut dice = Dice::new(seed);
        let good = 1 + dice.below(8);
        server.bytes_script(move |seen| {
            if dice.below(10) <= good {
                return Act::Serve;
            }
            match dice.below(if from_hub { 12 } else { 11 }) {
                0 | 1 => Act::Cut(dice.below(250_000)),
                2 => Act::Stall(dice.below(1000)),
                3 => Act::Status(503, Vec::new()),
                4 => Act::WholeFile,
                5 => Act::OtherRange,
                6 => Act::OtherLength(i64::try_from(dice.below(9)).unwrap() - 4),
                7 => Act::TooLong,
                8 => Act::OtherTotal,
                9 if is_part(seen) => Act::Page,
                10 => Act::Silence,
                _ => Act::WrongByte,
            }
        });
        let (target, path) = match from_hub {
            true => (REPO.to_owned(), bench.path(NAME)),
            false => (
                format!("http://{}/plain/m-Q8_0.gguf", server.cdn),
                bench.path("m-Q8_0.gguf"),
            ),
        };
        for _ in 0..4 {
            let ended = bench.pull(&target).await;
            ended.assert_forwards();
            if ended.result.is_ok() {
                let got = fs::read(&path).unwrap();
                assert_eq!(sha256(&got), sha256(&bytes), "seed {seed}");
                whole += 1;
                break;
            }
            failed += 1;
            assert!(!path.exists(), "seed {seed}");
        }
    }
    assert!(
        whole > 20 && failed > 5,
        "{whole} became whole, {failed} failed"
    );
}
