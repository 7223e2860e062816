//! Sounds: every format, resampling, parts, outlines.

use parlor::media::{
    Fault, Kind, Measure, Samples, Terms, ffmpeg_there, look, sound, split, wav, waveform,
};

use super::{file, without_ffmpeg};

fn tone(hertz: f32, rate: u32, seconds: f32) -> Samples {
    let many = (seconds * rate as f32) as usize;
    let angle = std::f64::consts::TAU * f64::from(hertz) / f64::from(rate);
    let wave = |at: usize| 0.5 * (angle * at as f64).sin() as f32;
    Samples {
        rate,
        mono: (0..many).map(wave).collect(),
    }
}

/// The strength of one frequency: about half the amplitude of such a tone.
fn strength(samples: &[f32], rate: u32, hertz: f32) -> f32 {
    let (mut re, mut im) = (0.0_f64, 0.0_f64);
    for (at, sample) in samples.iter().enumerate() {
        let angle = std::f64::consts::TAU * f64::from(hertz) * at as f64 / f64::from(rate);
        re += f64::from(*sample) * angle.cos();
        im += f64::from(*sample) * angle.sin();
    }
    (re.hypot(im) / samples.len() as f64) as f32
}

/// The strongest of the frequencies from 100 to 1000 Hz, in steps of 5.
fn pitch(samples: &Samples) -> u32 {
    let inner = &samples.mono[samples.mono.len() / 4..samples.mono.len() * 3 / 4];
    let strong = |hertz: u32| strength(inner, samples.rate, hertz as f32);
    let loudest = (20..200).map(|step| step * 5);
    loudest
        .max_by(|a, b| strong(*a).total_cmp(&strong(*b)))
        .unwrap()
}

fn open(bytes: &[u8], rate: u32) -> Samples {
    sound(bytes, rate, &Terms::default()).unwrap()
}

#[test]
fn every_format_gives_the_tone_that_was_put_in() {
    for (name, format, off) in [
        ("tone.mp3", "MP3", 60),
        ("tone.m4a", "M4A", 60),
        ("tone.aac", "AAC", 80),
        ("tone.ogg", "Ogg", 20),
        ("tone.opus", "Ogg", 20),
        ("tone.flac", "FLAC", 1),
        ("tone-alac.m4a", "M4A", 60),
        ("voice.webm", "WebM", 40),
        ("onlysound.mp4", "M4A", 120),
    ] {
        let bytes = file(name);
        let look = look(&bytes, "").unwrap();
        assert_eq!((look.kind, look.format), (Kind::Sound, format), "{name}");
        let Measure::Sound {
            length_ms,
            rate,
            channels,
        } = look.measure
        else {
            panic!("{look:?}");
        };
        assert!(
            rate >= 22_050 && (1..=2).contains(&channels),
            "{name} {look:?}"
        );
        let samples = sound(&bytes, 16_000, &without_ffmpeg())
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert!(
            samples.length_ms().abs_diff(1000) <= off,
            "{name}: {samples:?}"
        );
        if let Some(length) = length_ms {
            assert!(
                length.abs_diff(samples.length_ms()) <= 100,
                "{name}: {length} {samples:?}"
            );
        }
        assert_eq!(pitch(&samples), 440, "{name}");
        // ffmpeg's tone has an amplitude of 1/8, or 0.088 in each of two channels;
        // small AAC files begin with a little burst.
        let peak = waveform(&samples, 1)[0];
        assert!((0.08..0.26).contains(&peak), "{name}: {peak}");
    }
}

#[test]
fn a_recording_goes_through_wav_unchanged() {
    let samples = tone(440.0, 16_000, 0.5);
    let bytes = wav(&samples);
    let look = look(&bytes, "").unwrap();
    let measure = Measure::Sound {
        length_ms: Some(500),
        rate: 16_000,
        channels: 1,
    };
    assert_eq!((look.format, look.measure), ("WAV", measure));
    let back = open(&bytes, 16_000);
    assert_eq!(back.mono.len(), samples.mono.len());
    let off = back
        .mono
        .iter()
        .zip(&samples.mono)
        .map(|(a, b)| (a - b).abs());
    assert!(off.fold(0.0, f32::max) < 1e-4);
}

#[test]
fn resampling_keeps_a_low_tone_and_removes_what_the_new_rate_cannot_hold() {
    for from in [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 47_999] {
        let low = open(&wav(&tone(440.0, from, 1.0)), 16_000);
        assert_eq!(low.mono.len(), 16_000, "{from}");
        assert_eq!(pitch(&low), 440, "{from}");
        let kept = strength(&low.mono[2000..14_000], 16_000, 440.0) / 0.25;
        assert!((0.99..1.01).contains(&kept), "{from}: {kept}");
        if from >= 44_100 {
            let high = open(&wav(&tone(15_000.0, from, 1.0)), 16_000);
            let left = high.mono[500..15_500]
                .iter()
                .fold(0.0_f32, |peak, s| peak.max(s.abs()));
            assert!(left < 0.5e-3, "{from}: {left} is left of 15 kHz");
        }
    }
}

#[test]
fn parts_cover_all_with_their_overlap() {
    for (length, longest, overlap) in [
        (0, 30_000, 1000),
        (30_000, 30_000, 1000),
        (30_001, 30_000, 1000),
        (95_000, 30_000, 2000),
        (10_800_000, 30_000, 0),
        (1000, 10, 500),
        (7, 1, 9),
    ] {
        let parts = split(length, longest, overlap);
        assert_eq!((parts[0].start, parts.last().unwrap().end), (0, length));
        for part in &parts {
            assert!(part.end - part.start <= longest.max(2), "{part:?}");
        }
        for pair in parts.windows(2) {
            assert!(pair[1].start > pair[0].start, "{pair:?}");
            assert_eq!(
                pair[0].end - pair[1].start,
                overlap.min(longest.max(2) / 2),
                "{pair:?}"
            );
        }
    }
    let samples = tone(440.0, 11_025, 1.0);
    let parts = split(samples.length_ms(), 300, 0);
    let all: usize = parts.iter().map(|part| samples.part(part).len()).sum();
    assert_eq!(all, samples.mono.len());
}

#[test]
fn an_outline_shows_where_it_is_loud() {
    let mut mono = vec![0.0; 100];
    mono[30] = -0.5;
    mono[99] = 2.0;
    let outline = waveform(&Samples { rate: 8000, mono }, 10);
    assert_eq!(outline, [0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(
        waveform(
            &Samples {
                rate: 8000,
                mono: vec![]
            },
            3
        ),
        [0.0; 3]
    );
    assert_eq!(
        waveform(
            &Samples {
                rate: 8000,
                mono: vec![0.25]
            },
            3
        ),
        [0.25; 3]
    );
}

#[test]
fn what_is_too_long_or_stopped_is_refused() {
    let bytes = wav(&tone(440.0, 8000, 2.0));
    let mut terms = Terms::default();
    terms.limits.length_ms = 1999;
    assert!(matches!(
        sound(&bytes, 8000, &terms),
        Err(Fault::TooLong { .. })
    ));
    assert!(sound(&file("tone.mp3"), 16_000, &terms).is_ok());
    terms.limits.length_ms = 500;
    assert!(matches!(
        sound(&file("tone.mp3"), 16_000, &terms),
        Err(Fault::TooLong { .. })
    ));
    let terms = Terms {
        stop: &|| true,
        ..Default::default()
    };
    assert!(matches!(sound(&bytes, 8000, &terms), Err(Fault::Stopped)));
    assert!(matches!(
        sound(&bytes, 1, &Terms::default()),
        Err(Fault::Rate(1))
    ));
}

#[test]
fn a_film_gives_its_sound_and_a_silent_one_says_so() {
    let samples = open(&file("colours.mp4"), 16_000);
    assert_eq!(pitch(&samples), 440);
    assert!(samples.length_ms().abs_diff(4000) < 100);
    let fault = sound(&file("silent.webm"), 16_000, &without_ffmpeg()).unwrap_err();
    assert!(matches!(fault, Fault::NoSound { .. }), "{fault}");
    assert!(matches!(
        sound(b"just words", 16_000, &Terms::default()),
        Err(Fault::OtherKind { is: "text", .. })
    ));
}

#[test]
fn our_decoding_agrees_with_ffmpeg() {
    if !ffmpeg_there(&Terms::default().tools) {
        eprintln!("skipped: ffmpeg is not installed");
        return;
    }
    // For Opus the reference decoder, where this ffmpeg has it.
    for (name, codec) in [
        ("tone.opus", "libopus"),
        ("voice.webm", "libopus"),
        ("tone.ogg", "vorbis"),
        ("tone.flac", "flac"),
        ("tone.mp3", "mp3float"),
    ] {
        let path = super::path(name);
        let out = std::process::Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-c:a", codec, "-i"])
            .arg(path)
            .args([
                "-ac",
                "1",
                "-rematrix_maxval",
                "1",
                "-ar",
                "48000",
                "-f",
                "f32le",
                "-",
            ])
            .output()
            .unwrap()
            .stdout;
        let theirs: Vec<f32> = out
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
            .collect();
        if theirs.is_empty() {
            eprintln!("skipped {name}: this ffmpeg has no {codec}");
            continue;
        }
        let ours = sound(&file(name), 48_000, &without_ffmpeg()).unwrap().mono;
        assert!(
            ours.len().abs_diff(theirs.len()) < 1500,
            "{name}: {} {}",
            ours.len(),
            theirs.len()
        );
        let inner = 4800..40_000;
        let off: f32 = inner
            .clone()
            .map(|at| (ours[at] - theirs[at]).powi(2))
            .sum::<f32>();
        let off = (off / inner.len() as f32).sqrt();
        // The tone's own level is 0.06 or 0.09; a shift by one sample gives 0.005.
        assert!(off < 0.006, "{name}: {off}");
    }
}
