//! Downloads that break off: connections, futures, processes.

use super::REPO;
use super::bench::{Bench, Dice, gguf};
use super::server::{Act, Server, sha256};
use parlor::hub::HubError;
use parlor::protocol::hub::{Phase, Wish};
use std::fs;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

const SIZE: usize = 6_000_000;
const NAME: &str = "owner/Model-GGUF/m-Q8_0.gguf";

/// Cuts connections at random, so many times; returns how many are left.
fn cutting(server: &Server, seed: u64, cuts: usize) -> Arc<AtomicUsize> {
    let left = Arc::new(AtomicUsize::new(cuts));
    let (mut dice, count) = (Dice::new(seed), left.clone());
    server.bytes_script(move |seen| match seen.range {
        Some((_, to)) if to > 4 && count.load(Ordering::Relaxed) > 0 && dice.below(10) > 0 => {
            count.fetch_sub(1, Ordering::Relaxed);
            Act::Cut(dice.below(60_000))
        }
        _ => Act::Serve,
    });
    left
}

#[tokio::test]
async fn fifty_cuts_of_a_download_in_four_parts_end_in_the_right_bytes() {
    let bytes = gguf(SIZE, 1);
    for seed in 0..6 {
        let server = Server::start(&[("m-Q8_0.gguf", bytes.clone())]).await;
        let bench = Bench::new(&server);
        let left = cutting(&server, seed, 50);
        let mut dice = Dice::new(seed + 1000);
        let (mut drops, mut furthest) = (0, 0);
        loop {
            let (sender, mut events) = mpsc::unbounded_channel();
            let (_keep, control) = watch::channel(Wish::Run);
            let pull = bench.pull_telling(REPO, control, sender);
            let drop_after = dice.below(12);
            let until = async {
                let mut begin = None;
                for at in 0.. {
                    let Some(event) = events.recv().await else {
                        return std::future::pending().await;
                    };
                    assert!(
                        !matches!(event.phase, Phase::Restarting { .. }),
                        "{event:?}"
                    );
                    if event.phase == Phase::Downloading {
                        begin = begin.or(Some(event.done));
                    }
                    // As when the program is ended, most of the times.
                    if drop_after < 10 && at == drop_after + 3 && event.phase != Phase::Done {
                        return begin;
                    }
                }
                None
            };
            let (result, begin) = tokio::select! {
                biased;
                result = pull => (Some(result), None),
                begin = until => (None, begin),
            };
            if let Some(begin) = begin {
                assert!(begin >= furthest, "{begin} of {furthest} bytes were kept");
                furthest = begin;
            }
            match result {
                Some(Ok(_)) => break,
                Some(Err(HubError::Cut { .. })) => {}
                Some(Err(error)) => panic!("{error}"),
                None => drops += 1,
            }
            // It was dropped after the last byte, if anything is there.
            if let Ok(found) = fs::read(bench.path(NAME)) {
                assert_eq!(sha256(&found), sha256(&bytes));
            }
        }
        assert_eq!(
            left.load(Ordering::Relaxed),
            0,
            "seed {seed}, {drops} drops"
        );
        assert_eq!(fs::read(bench.path(NAME)).unwrap(), bytes, "seed {seed}");
        assert_eq!(bench.files(), [NAME]);
    }
}

#[tokio::test]
async fn cuts_with_progress_are_not_counted_but_those_without_are() {
    let server = Server::start(&[("m-Q8_0.gguf", gguf(400_000, 1))]).await;
    let bench = Bench::new(&server);
    server.bytes_script(|seen| match seen.range {
        Some((_, to)) if to > 4 => Act::Cut(20_000),
        _ => Act::Serve,
    });
    let ended = bench.pull(REPO).await;
    ended.pulled();
    ended.assert_forwards();
    let asked = server.seen().into_iter().filter(|s| s.cdn).count();
    assert_eq!(asked, 1 + 400_000 / 20_000 + 1);

    server.replace("m-Q8_0.gguf", gguf(300_000, 2));
    server.bytes_script(|seen| match seen.range {
        Some((from, to)) if to > 4 && from >= 100_000 => Act::Cut(0),
        Some((_, to)) if to > 4 => Act::Cut(100_000),
        _ => Act::Serve,
    });
    let ended = bench.pull(REPO).await;
    assert!(
        matches!(ended.result, Err(HubError::Cut { .. })),
        "{:?}",
        ended.result
    );
    // The last version keeps its name until the new one is whole.
    assert_eq!(fs::read(bench.path(NAME)).unwrap(), gguf(400_000, 1));
    server.script(|_| Act::Serve);
    let ended = bench.pull(REPO).await;
    assert_eq!(ended.restarts(), 0);
    assert_eq!(fs::read(bench.path(NAME)).unwrap(), gguf(300_000, 2));
}

#[tokio::test]
async fn a_killed_process_leaves_no_file_under_the_name_and_the_next_goes_on() {
    if let Ok(endpoint) = std::env::var("PARLOR_TEST_HUB") {
        let mut bench = Bench::at(endpoint);
        bench.models = std::env::var_os("PARLOR_TEST_MODELS").map(Into::into);
        bench.pull(REPO).await.pulled();
        return;
    }
    let bytes = gguf(SIZE, 1);
    let server = Server::start(&[("m-Q8_0.gguf", bytes.clone())]).await;
    let bench = Bench::new(&server);
    let mut dice = Dice::new(7);
    let mut asked = Vec::new();
    for round in 0..8 {
        // At the killing, one connection has stopped in the middle.
        let (stopped, stop_at) = (Arc::new(Notify::new()), 1 + dice.below(4));
        let note = || fs::read(bench.path(&format!("{NAME}.part.json"))).unwrap_or_default();
        let noted = note();
        let (told, mut count) = (stopped.clone(), 0);
        server.bytes_script(move |seen| match seen.range {
            Some((_, to)) if to > 4 => {
                count += 1;
                if round < 7 && count >= stop_at {
                    told.notify_one();
                    return Act::Stall(1 + 40_000 * stop_at);
                }
                Act::Serve
            }
            _ => Act::Serve,
        });
        let before = server.seen().len();
        let mut child = child(&server, &bench);
        if round < 7 {
            stopped.notified().await;
            // Half of the times at once, else when what came was noted.
            while round % 2 == 1 && note() == noted {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            child.kill().await.unwrap();
            assert!(!bench.path(NAME).exists());
        } else {
            assert!(child.wait().await.unwrap().success());
        }
        let seen = server.seen().split_off(before);
        let ranges = seen.into_iter().filter(|s| s.cdn).filter_map(|s| s.range);
        asked.push(ranges.map(|(from, to)| to - from).sum::<usize>());
    }
    assert_eq!(sha256(&fs::read(bench.path(NAME)).unwrap()), sha256(&bytes));
    assert_eq!(bench.files(), [NAME]);
    assert!(asked[7] < SIZE - 200_000, "too little was kept: {asked:?}");
}

#[tokio::test]
async fn a_silence_finds_what_came_safe_on_the_disk() {
    let server = Server::start(&[("m-Q8_0.gguf", gguf(60_000, 1))]).await;
    let mut bench = Bench::new(&server);
    bench.pace.stall = Duration::from_secs(60);
    server.bytes_script(|seen| match seen.range {
        Some((_, to)) if to > 4 => Act::Stall(30_000),
        _ => Act::Serve,
    });
    let noted = async {
        let note = bench.path(&format!("{NAME}.part.json"));
        let is_noted = || fs::read_to_string(&note).is_ok_and(|n| n.contains("[[0,30000]]"));
        while !is_noted() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        ended = bench.pull(REPO) => panic!("{:?}", ended.result),
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("nothing was noted"),
        () = noted => {}
    }
}

/// This very test, in a process of its own.
fn child(server: &Server, bench: &Bench) -> tokio::process::Child {
    let module = module_path!().split_once("::").unwrap().1;
    let name = "a_killed_process_leaves_no_file_under_the_name_and_the_next_goes_on";
    tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::{name}")])
        .env("PARLOR_TEST_HUB", server.endpoint())
        .env("PARLOR_TEST_MODELS", bench.models())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_note_that_lies_never_makes_a_wrong_file() {
    let bytes = gguf(900_000, 1);
    let server = Server::start(&[("m-Q8_0.gguf", bytes.clone())]).await;
    let good = format!(
        r#"{{"url":"x","repo":null,"commit":null,"etag":null,"sha256":"{}","size":900000,"done":"#,
        sha256(&bytes)
    );
    let notes = [
        format!("{good}[[0,900000]]}}"),
        format!("{good}[[500000,100],[0,99999999999],[7,7]]}}"),
        format!("{good}[[100,200],[300,250000]]}}"),
        format!("{good}[]}}"),
        "{".to_owned(),
        String::new(),
        "null".to_owned(),
        good.replace("900000", "18446744073709551615") + "[[0,18446744073709551615]]}",
    ];
    for note in notes {
        for length in [0, 5, 900_000, 1_200_000] {
            let bench = Bench::new(&server);
            fs::create_dir_all(bench.path(REPO)).unwrap();
            fs::write(bench.path(&format!("{NAME}.part")), vec![7; length]).unwrap();
            fs::write(bench.path(&format!("{NAME}.part.json")), &note).unwrap();
            let ended = bench.pull(REPO).await;
            ended.pulled();
            ended.assert_forwards();
            assert_eq!(
                fs::read(bench.path(NAME)).unwrap(),
                bytes,
                "{note} {length}"
            );
            assert_eq!(bench.files(), [NAME]);
        }
    }
}
