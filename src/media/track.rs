//! Containers and streams of sound, opened to tell their tracks apart.

use std::io::Cursor;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use super::Fault;
use super::form::Form;

/// What a container says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub pictures: bool,
    pub sound: bool,
    pub length_ms: Option<u64>,
    /// Of the sound; 0 where unknown.
    pub rate: u32,
    pub channels: u32,
}

/// Opens the bytes; nothing is decoded yet.
pub(super) fn open<'a>(bytes: &'a [u8], form: Form) -> Result<Box<dyn FormatReader + 'a>, Fault> {
    let mut hint = Hint::new();
    let extension = match form {
        Form::Wav => "wav",
        Form::Mp3 => "mp3",
        Form::Flac => "flac",
        Form::Ogg => "ogg",
        Form::Adts => "aac",
        Form::Aiff => "aiff",
        Form::Mp4 => "mp4",
        Form::Matroska => "mkv",
        _ => return Err(codec(form, "the sound of this format")),
    };
    hint.with_extension(extension);
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let (format, meta) = (FormatOptions::default(), MetadataOptions::default());
    symphonia::default::get_probe()
        .probe(&hint, source, format, meta)
        .map_err(|error| fault(form, error))
}

/// What the container says; only as much of it as lies in `bytes` is read.
pub(super) fn told(bytes: &[u8], form: Form) -> Result<Told, Fault> {
    let reader = open(bytes, form)?;
    let mut told = Told::default();
    for track in reader.tracks() {
        match track.track_type() {
            Some(TrackType::Video) => told.pictures = true,
            Some(TrackType::Audio) => told.sound = true,
            _ => {}
        }
        told.length_ms = told.length_ms.max(length(track));
    }
    if let Some(audio) = reader.default_track(TrackType::Audio).and_then(audio) {
        told.rate = audio.sample_rate.unwrap_or(0);
        let channels = audio
            .channels
            .as_ref()
            .map_or(0, |channels| channels.count());
        told.channels = u32::try_from(channels).unwrap_or(0);
        if form == Form::Wav {
            let most = possible(bytes, audio, told.channels);
            told.length_ms = told.length_ms.or(most).min(most.or(told.length_ms));
        }
    }
    Ok(told)
}

/// The longest that PCM of this many bytes can be: programs that write into a
/// pipe leave a made-up length in the header.
fn possible(bytes: &[u8], audio: &AudioCodecParameters, channels: u32) -> Option<u64> {
    let bits = audio.bits_per_coded_sample.or(audio.bits_per_sample)?;
    let each = u64::from(bits.div_ceil(8)) * u64::from(channels);
    let size = u64::try_from(bytes.len()).ok()?;
    let rate = u64::from(audio.sample_rate?);
    (size * 1000).checked_div(each.checked_mul(rate)?)
}

/// The length of a track, where the container tells.
pub(super) fn length(track: &Track) -> Option<u64> {
    let time = track.time_base?.calc_duration(track.duration?)?;
    u64::try_from(time.as_millis()).ok()
}

pub(super) fn audio(track: &Track) -> Option<&AudioCodecParameters> {
    match track.codec_params.as_ref()? {
        CodecParameters::Audio(audio) => Some(audio),
        _ => None,
    }
}

pub(super) fn codec(form: Form, what: &'static str) -> Fault {
    Fault::Codec {
        format: form.name(),
        what,
    }
}

pub(super) fn fault(form: Form, error: Error) -> Fault {
    match error {
        Error::Unsupported(_) => codec(form, "this kind of sound"),
        Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Fault::broken(form.name(), "it ends early")
        }
        error => Fault::broken(form.name(), error),
    }
}
