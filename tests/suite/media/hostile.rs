//! Files made to harm: none may panic, take memory beyond the limits, or time
//! without end.

use std::time::{Duration, Instant};

use image::{ImageFormat, RgbImage};
use parlor::media::{Fault, Limits, Pace, Terms, frames, look, picture, sound, text, wav};

use super::moving::moving;
use super::pictures::{document, encoded};
use super::{file, without_ffmpeg};

/// A small generator of numbers, the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % end.max(1)
    }
}

fn small() -> Terms<'static> {
    let mut terms = without_ffmpeg();
    terms.limits = Limits {
        pixels: 4_000_000,
        memory: 64 << 20,
        edge: 256,
        length_ms: 60_000,
    };
    terms
}

/// Opens the bytes in every way there is.
fn open(bytes: &[u8], terms: &Terms) {
    let _ = look(bytes, "a.txt");
    if let Ok(pixels) = picture(bytes, 1, terms) {
        assert!(pixels.width.max(pixels.height) <= 256 && pixels.width.min(pixels.height) > 0);
        assert_eq!(
            pixels.rgb.len(),
            (pixels.width * pixels.height * 3) as usize
        );
    }
    if let Ok(frames) = frames(
        bytes,
        &Pace {
            most: 8,
            per_second: 4.0,
        },
        terms,
    ) {
        assert!((1..=8).contains(&frames.len()));
    }
    if let Ok(samples) = sound(bytes, 16_000, terms) {
        assert!(samples.mono.len() <= 16_000 * 60);
        assert!(samples.mono.iter().all(|sample| sample.abs() <= 1.0));
    }
    let _ = text(bytes, "a.txt", 100);
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let image = RgbImage::from_fn(24, 16, |x, y| {
        image::Rgb([(x * 10) as u8, (y * 15) as u8, 90])
    });
    let with = |format| encoded(image.clone().into(), format);
    let samples = parlor::media::Samples {
        rate: 8000,
        mono: vec![0.25; 800],
    };
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><defs><g id="a"><path
        d="M0 0L9 9" stroke="#f00" stroke-width="2"/></g></defs><use href="#a"/><text>hi</text></svg>"##;
    let mut seeds = vec![
        ("png", with(ImageFormat::Png)),
        ("jpeg", with(ImageFormat::Jpeg)),
        ("webp", with(ImageFormat::WebP)),
        ("bmp", with(ImageFormat::Bmp)),
        ("tiff", with(ImageFormat::Tiff)),
        ("gif", moving()),
        ("svg", svg.into()),
        ("pdf", document(&[(100, 100)])),
        ("wav", wav(&samples)),
    ];
    for name in [
        "tone.mp3",
        "tone.m4a",
        "tone.aac",
        "tone.ogg",
        "blip.opus",
        "tone.flac",
        "blip.mka",
        "red.avif",
    ] {
        seeds.push((name, file(name)));
    }
    seeds
}

/// The memory of this process that was ever in use at once, in MiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(
        line.trim()
            .trim_end_matches(" kB")
            .trim()
            .parse::<u64>()
            .ok()?
            >> 10,
    )
}

#[test]
fn damaged_files_of_every_format_give_a_fault_or_something_small() {
    // Panics that are caught would otherwise be printed.
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !parlor::media::guarded() {
            before(panic);
        }
    }));
    let terms = small();
    let start = Instant::now();
    let mut slowest = (Duration::ZERO, "", 0);
    for (name, seed) in seeds() {
        let mut dice = Dice(42);
        for round in 0..200 {
            let mut bytes = seed.clone();
            for _ in 0..1 + dice.below(8) {
                // Headers are near the start: half of the changes go there.
                let reach = if dice.below(2) == 0 {
                    bytes.len().min(80)
                } else {
                    bytes.len()
                };
                let at = dice.below(reach);
                match dice.below(4) {
                    0 => bytes[at] = 0xff,
                    1 => bytes[at] = 0,
                    2 => bytes[at] ^= 1 << dice.below(8),
                    _ => bytes[at] = dice.below(256) as u8,
                }
            }
            if dice.below(8) == 0 {
                bytes.truncate(1 + dice.below(bytes.len()));
            }
            let began = Instant::now();
            open(&bytes, &terms);
            slowest = slowest.max((began.elapsed(), name, round));
        }
    }
    eprintln!(
        "{:?} in all, slowest {slowest:?}, peak {:?} MiB",
        start.elapsed(),
        peak()
    );
    assert!(start.elapsed() < Duration::from_secs(20), "{slowest:?}");
    assert!(slowest.0 < Duration::from_secs(5), "{slowest:?}");
    assert!(peak().is_none_or(|peak| peak < 1500), "{:?}", peak());
}

#[test]
fn pictures_that_declare_too_much_are_refused_at_once() {
    let start = Instant::now();
    let one = RgbImage::new(1, 1);
    let mut huge = encoded(one.clone().into(), ImageFormat::Png);
    huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    // The header's checksum covers the size.
    let sum = checksum(&huge[12..29]);
    huge[29..33].copy_from_slice(&sum.to_be_bytes());
    let fault = picture(&huge, 1, &Terms::default()).unwrap_err();
    assert!(
        matches!(
            fault,
            Fault::TooManyPixels {
                width: 60_000,
                height: 60_000,
                ..
            }
        ),
        "{fault}"
    );
    assert!(look(&huge, "").is_err());
    let mut gif = moving();
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert!(matches!(
        picture(&gif, 1, &Terms::default()),
        Err(Fault::TooManyPixels { .. })
    ));
    let pace = Pace {
        most: 4,
        per_second: 1.0,
    };
    assert!(matches!(
        frames(&gif, &pace, &Terms::default()),
        Err(Fault::TooManyPixels { .. })
    ));
    let mut bmp = encoded(one.into(), ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0]);
    let fault = picture(&bmp, 1, &Terms::default()).unwrap_err();
    assert!(
        matches!(fault, Fault::TooManyPixels { .. } | Fault::Broken { .. }),
        "{fault}"
    );
    let fault = picture(&tiff(60_000), 1, &Terms::default()).unwrap_err();
    assert!(matches!(fault, Fault::TooManyPixels { .. }), "{fault}");
    assert!(start.elapsed() < Duration::from_secs(2));
}

/// A TIFF that declares a square and holds a single byte of it.
fn tiff(side: u32) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    let entries: [(u16, u32); 8] = [
        (256, side),
        (257, side),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (278, side),
        (279, 1),
    ];
    bytes.extend(8_u16.to_le_bytes());
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(4_u16.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

/// CRC-32 as PNG has it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

#[test]
fn a_wav_that_declares_too_much_gives_what_is_there() {
    let samples = parlor::media::Samples {
        rate: 8000,
        mono: vec![0.25; 800],
    };
    let mut bytes = wav(&samples);
    bytes[4..8].copy_from_slice(&[0xff; 4]);
    bytes[40..44].copy_from_slice(&[0xff; 4]);
    assert_eq!(
        sound(&bytes, 8000, &Terms::default()).unwrap().length_ms(),
        100
    );
    let measure = look(&bytes, "").unwrap().measure;
    let parlor::media::Measure::Sound {
        length_ms: Some(length),
        ..
    } = measure
    else {
        panic!("{measure:?}");
    };
    assert!(length <= 110, "{length}");
}

#[test]
fn drawings_that_multiply_themselves_are_refused() {
    let start = Instant::now();
    let entities: String = (1..12)
        .map(|level| {
            format!(
                "<!ENTITY e{level} \"{}\">",
                format!("&e{};", level - 1).repeat(10)
            )
        })
        .collect();
    let laughs = format!(
        "<!DOCTYPE svg [<!ENTITY e0 \"<g/>\">{entities}]><svg xmlns=\"http://www.w3.org/2000/svg\">&e11;</svg>"
    );
    let uses: String = (1..12)
        .map(|level| {
            let inner = format!("<use href=\"#u{}\"/>", level - 1).repeat(10);
            format!("<g id=\"u{level}\">{inner}</g>")
        })
        .collect();
    let uses = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><rect id=\"u0\" width=\"1\" height=\"1\"/>{uses}</svg>"
    );
    let deep = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\">{}{}</svg>",
        "<g>".repeat(100_000),
        "</g>".repeat(100_000)
    );
    let huge = r#"<svg xmlns="http://www.w3.org/2000/svg" width="1e9" height="1e9"/>"#.to_owned();
    for svg in [laughs, uses, deep] {
        let fault = picture(svg.as_bytes(), 1, &Terms::default()).unwrap_err();
        assert!(
            matches!(fault, Fault::TooIntricate { .. } | Fault::Broken { .. }),
            "{fault}"
        );
    }
    let pixels = picture(huge.as_bytes(), 1, &Terms::default()).unwrap();
    assert_eq!((pixels.width, pixels.height), (2048, 2048));
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn groups_within_groups_take_no_canvas_each_beyond_the_limit() {
    let nested = |levels: usize, group: &str| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">{}<rect width=\"9\" height=\"9\"/>\
             <circle r=\"2\"/>{}</svg>",
            group.repeat(levels),
            "</g>".repeat(levels)
        )
    };
    let open = |svg: String, edge| {
        let mut terms = Terms::default();
        terms.limits.edge = edge;
        terms.limits.memory = 256 << 20;
        picture(svg.as_bytes(), 1, &terms)
    };
    assert!(open(nested(190, "<g>"), 1024).is_ok());
    assert!(open(nested(190, "<g opacity=\".99\">"), 64).is_ok());
    let fault = open(nested(190, "<g opacity=\".99\">"), 1024).unwrap_err();
    assert!(matches!(fault, Fault::TooMuchMemory { .. }), "{fault}");
    // A chain of `use` nests as deep without a deep file.
    let chain: String = (1..3000)
        .map(|at| {
            format!(
                "<g id=\"u{at}\" opacity=\".99\"><use href=\"#u{}\"/></g>",
                at - 1
            )
        })
        .collect();
    let chain = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><rect id=\"u0\" width=\"9\" height=\"9\"/>{chain}</svg>"
    );
    assert!(open(chain, 256).is_err());
}
