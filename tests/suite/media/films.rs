//! Films through ffmpeg, and what is said without it.

use std::cell::Cell;

use parlor::media::{Fault, Kind, Measure, Pace, Terms, Tools, ffmpeg_there, film, look, look_at};

use super::{file, path, without_ffmpeg};

fn there() -> bool {
    let there = ffmpeg_there(&Tools::default());
    if !there {
        eprintln!("skipped: ffmpeg is not installed");
    }
    there
}

const PACE: Pace = Pace {
    most: 4,
    per_second: 1.0,
};

#[test]
fn without_ffmpeg_a_film_says_how_to_get_it_and_is_still_known() {
    let terms = without_ffmpeg();
    assert!(!ffmpeg_there(&terms.tools));
    let fault = film(&path("colours.mp4"), &PACE, None, &terms).unwrap_err();
    assert!(matches!(fault, Fault::NeedsFfmpeg { .. }));
    assert!(fault.to_string().contains("install it with"), "{fault}");
    let look = look_at(&path("colours.mp4"), &terms).unwrap();
    assert_eq!((look.kind, look.format), (Kind::Film, "MP4"));
    let Measure::Film {
        length_ms: Some(length),
        sound: true,
        ..
    } = look.measure
    else {
        panic!("{look:?}");
    };
    assert!(length.abs_diff(4000) < 100, "{length}");
}

#[test]
fn a_film_is_told_from_a_sound_in_the_same_container() {
    for (name, kind, format) in [
        ("colours.mp4", Kind::Film, "MP4"),
        ("silent.webm", Kind::Film, "WebM"),
        ("onlysound.mp4", Kind::Sound, "M4A"),
        ("voice.webm", Kind::Sound, "WebM"),
    ] {
        let look = look(&file(name), name).unwrap();
        assert_eq!((look.kind, look.format), (kind, format), "{name}");
        let on_disk = look_at(&path(name), &Terms::default()).unwrap();
        assert_eq!(on_disk.kind, kind, "{name}");
    }
    // The start alone is enough to know a film.
    assert_eq!(
        look(&file("colours.mp4")[..100], "").unwrap().kind,
        Kind::Film
    );
}

#[test]
fn frames_come_at_their_times_with_the_sound() {
    if !there() {
        return;
    }
    let film = film(&path("colours.mp4"), &PACE, Some(16_000), &Terms::default()).unwrap();
    assert!(film.length_ms.abs_diff(4000) < 100, "{}", film.length_ms);
    let times: Vec<u64> = film.frames.iter().map(|frame| frame.at_ms).collect();
    assert_eq!(times.len(), 4, "{times:?}");
    for (at, second) in times.iter().zip(0..) {
        assert!(at.abs_diff(second * 1000) < 50, "{times:?}");
    }
    // Each a little after its second, where the length is a little above 4 s.
    for (frame, colour) in film
        .frames
        .iter()
        .zip([[254, 0, 0], [0, 255, 0], [0, 0, 254], [255; 3]])
    {
        assert_eq!((frame.pixels.width, frame.pixels.height), (64, 48));
        let middle = &frame.pixels.rgb[(24 * 64 + 32) * 3..][..3];
        let near = middle
            .iter()
            .zip(colour)
            .all(|(a, b): (&u8, u8)| a.abs_diff(b) < 20);
        assert!(near, "{} ms: {middle:?} {colour:?}", frame.at_ms);
    }
    let sound = film.sound.unwrap();
    assert!(
        sound.rate == 16_000 && sound.length_ms().abs_diff(4000) < 100,
        "{sound:?}"
    );
}

#[test]
fn frames_far_apart_are_sought_one_by_one() {
    if !there() {
        return;
    }
    // Ten times slower: 40 s, the same colours for 10 s each.
    let folder = tempfile::tempdir().unwrap();
    let slow = folder.path().join("-slow film.mp4");
    let made = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-itsscale", "10", "-i"])
        .arg(path("colours.mp4"))
        .args(["-an", "-c", "copy"])
        .arg(&slow)
        .status();
    assert!(made.unwrap().success());
    let mut terms = Terms::default();
    terms.limits.edge = 16;
    let film = film(&slow, &PACE, Some(16_000), &terms).unwrap();
    assert_eq!(film.frames.len(), 4);
    assert_eq!(film.sound, None);
    for (frame, strongest) in film.frames.iter().zip([0, 1, 2]) {
        assert_eq!((frame.pixels.width, frame.pixels.height), (16, 12));
        let middle = &frame.pixels.rgb[(6 * 16 + 8) * 3..][..3];
        let largest = (0..3).max_by_key(|at| middle[*at]).unwrap();
        assert_eq!(largest, strongest, "{} ms {middle:?}", frame.at_ms);
    }
}

#[test]
fn a_stop_ends_ffmpeg() {
    if !there() {
        return;
    }
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 2
    };
    let terms = Terms {
        stop: &stop,
        ..Default::default()
    };
    let result = film(&path("colours.mp4"), &PACE, Some(16_000), &terms);
    assert!(matches!(result, Err(Fault::Stopped)), "{result:?}");
}

#[test]
fn a_sound_is_no_film_and_a_playlist_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.mp4");
    let film_path = path("colours.mp4");
    for words in [
        format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:4,\nfile://{}\n",
            film_path.display()
        ),
        format!("ffconcat version 1.0\nfile '{}'\n", film_path.display()),
    ] {
        std::fs::write(&list, &words).unwrap();
        let fault = film(&list, &PACE, None, &Terms::default()).unwrap_err();
        assert!(
            matches!(fault, Fault::OtherKind { is: "text", .. }),
            "{fault}"
        );
        // Behind the head of an MP4 as well: the demuxer is named, not guessed.
        let disguised = [b"\0\0\0\x10ftypisom\0\0\0\0".as_slice(), words.as_bytes()].concat();
        std::fs::write(&list, disguised).unwrap();
        let fault = film(&list, &PACE, None, &Terms::default()).unwrap_err();
        let fair = matches!(
            fault,
            Fault::FfmpegFailed { .. } | Fault::NoPictures { .. } | Fault::NeedsFfmpeg { .. }
        );
        assert!(fair, "{fault}");
    }
    if there() {
        let fault = film(&path("onlysound.mp4"), &PACE, None, &Terms::default()).unwrap_err();
        assert!(matches!(fault, Fault::NoPictures { .. }), "{fault}");
    }
}
