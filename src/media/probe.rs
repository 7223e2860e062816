//! What ffprobe says of a film, without decoding it.

use std::ffi::OsString;

use super::program::{Input, failed, missing, run};
use super::{Fault, Terms};

/// What ffprobe says of a film.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub length_ms: Option<u64>,
    pub width: u32,
    pub height: u32,
    pub pictures: bool,
    pub sound: bool,
}

pub(super) fn probe(input: &Input, terms: &Terms) -> Result<Facts, Fault> {
    const SHOWN: &str = "stream=codec_type,width,height:stream_disposition=attached_pic:stream_side_data=rotation:format=duration";
    let mut arguments: Vec<OsString> =
        ["-v", "error", "-show_entries", SHOWN, "-of", "default=nk=0"]
            .map(OsString::from)
            .into();
    arguments.extend(input.arguments()?);
    let mut said = Vec::new();
    let (good, complaint) = run(
        &terms.tools.ffprobe,
        &arguments,
        missing(),
        terms,
        &mut |piece| {
            said.extend_from_slice(piece);
            Ok(said.len() < 1 << 20)
        },
    )?;
    if !good {
        return Err(failed(input.form, complaint));
    }
    Ok(facts(&String::from_utf8_lossy(&said)))
}

/// Reads the sections `[STREAM]` and `[FORMAT]` of `key=value` lines.
fn facts(said: &str) -> Facts {
    let mut facts = Facts::default();
    for section in said.split("[STREAM]").skip(1) {
        let section = section.split("[/STREAM]").next().unwrap_or(section);
        let value = |key: &str| {
            let mut lines = section.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        };
        let side = |key| value(key).and_then(|side| side.parse::<u32>().ok());
        match value("codec_type") {
            // A cover of an album is a stream of pictures to ffmpeg.
            Some("video") if value("DISPOSITION:attached_pic") != Some("1") && !facts.pictures => {
                facts.pictures = true;
                facts.width = side("width").unwrap_or(0);
                facts.height = side("height").unwrap_or(0);
                let turn = value("rotation").and_then(|turn| turn.parse::<i32>().ok());
                if turn.is_some_and(|turn| turn.rem_euclid(180) == 90) {
                    std::mem::swap(&mut facts.width, &mut facts.height);
                }
            }
            Some("audio") => facts.sound = true,
            _ => {}
        }
    }
    let length = said.lines().find_map(|line| line.strip_prefix("duration="));
    let length = length.and_then(|length| length.parse::<f64>().ok());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from float saturates, and negative lengths are sorted out"
    )]
    let whole = |seconds: f64| (seconds * 1000.0).round() as u64;
    facts.length_ms = length.filter(|length| *length > 0.0).map(whole);
    facts
}
