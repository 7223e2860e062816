//! Sounds of every format to mono samples at the rate that a model takes.

use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::packet::Packet;

use super::form::{Form, Kind, form};
use super::guard::guard;
use super::opus::{self, Opus};
use super::program::Input;
use super::resample::Resampler;
use super::{Fault, Samples, Terms, film, reel, track};

/// Decodes a sound, or the sound track of a film, mixed to one channel at
/// `rate` Hz. What is not read here goes through ffmpeg, if that is there.
///
/// # Errors
/// No sound in it, damaged before the first sample, longer than
/// `terms.limits.length_ms`, a codec that is not known, or stopped.
pub fn sound(bytes: &[u8], rate: u32, terms: &Terms) -> Result<Samples, Fault> {
    let form = form(bytes)?;
    if !matches!(form.kind(), Kind::Sound | Kind::Film) {
        return Err(Fault::OtherKind {
            is: form.kind().words(),
            wanted: "a sound",
        });
    }
    // Opus is decoded here only where ffmpeg, which is much faster, is missing.
    let ours = |opus| guard(form.name(), || decode(bytes, form, rate, opus, terms));
    let fault = match ours(false) {
        Err(fault @ (Fault::Codec { .. } | Fault::DecoderFailed { .. })) => fault,
        result => return result,
    };
    match (through_ffmpeg(bytes, form, rate, terms), fault) {
        (Err(missing @ Fault::NeedsFfmpeg { .. }), Fault::Codec { .. }) => match ours(true) {
            Err(Fault::Codec { .. }) => Err(missing),
            result => result,
        },
        (Err(Fault::NeedsFfmpeg { .. }), fault) => Err(fault),
        (result, _) => result,
    }
}

/// Gathers samples at the rate wanted, up to the longest that is taken.
pub(super) struct Collector {
    rate: u32,
    resampler: Option<(u32, Resampler)>,
    mono: Vec<f32>,
    most: usize,
    limit_ms: u64,
}

impl Collector {
    pub(super) fn new(rate: u32, terms: &Terms) -> Result<Self, Fault> {
        in_range(rate)?;
        let limit_ms = terms.limits.length_ms;
        let most = limit_ms.saturating_mul(u64::from(rate)) / 1000;
        // Four bytes for each sample.
        let most = most.min(terms.limits.memory / 4);
        Ok(Self {
            rate,
            resampler: None,
            mono: Vec::new(),
            most: usize::try_from(most).unwrap_or(usize::MAX),
            limit_ms,
        })
    }

    /// Takes samples of one channel at their own rate.
    pub(super) fn take(&mut self, rate: u32, samples: &[f32]) -> Result<(), Fault> {
        if self
            .resampler
            .as_ref()
            .is_none_or(|(known, _)| *known != rate)
        {
            in_range(rate)?;
            self.flush();
            self.resampler = Some((rate, Resampler::new(rate, self.rate)));
        }
        if let Some((_, resampler)) = &mut self.resampler {
            resampler.push(samples, &mut self.mono);
        }
        if self.mono.len() > self.most {
            return Err(self.too_long());
        }
        Ok(())
    }

    fn flush(&mut self) {
        if let Some((_, resampler)) = self.resampler.take() {
            resampler.finish(&mut self.mono);
        }
    }

    fn too_long(&self) -> Fault {
        Fault::TooLong {
            limit: (self.limit_ms / 60_000).max(1),
        }
    }

    pub(super) fn finish(mut self) -> Result<Samples, Fault> {
        self.flush();
        // Damaged floats would spread through everything that is done later.
        for sample in &mut self.mono {
            *sample = if sample.is_finite() {
                sample.clamp(-1.0, 1.0)
            } else {
                0.0
            };
        }
        Ok(Samples {
            rate: self.rate,
            mono: self.mono,
        })
    }
}

fn in_range(rate: u32) -> Result<(), Fault> {
    if (1000..=768_000).contains(&rate) {
        Ok(())
    } else {
        Err(Fault::Rate(rate))
    }
}

/// What turns packets into samples.
enum Decoder {
    Opus(Box<Opus>),
    Other(Box<dyn AudioDecoder>),
}

fn decode(
    bytes: &[u8],
    form: Form,
    rate: u32,
    opus: bool,
    terms: &Terms,
) -> Result<Samples, Fault> {
    let format = form.name();
    let mut collector = Collector::new(rate, terms)?;
    let mut reader = track::open(bytes, form)?;
    let none = Fault::NoSound { format };
    let chosen = reader.default_track(TrackType::Audio).ok_or(none)?;
    let id = chosen.id;
    if form != Form::Wav && track::length(chosen).is_some_and(|ms| ms > terms.limits.length_ms) {
        return Err(collector.too_long());
    }
    let unknown = || track::codec(form, "this kind of sound");
    let audio = track::audio(chosen).ok_or_else(unknown)?;
    let mut decoder = if audio.codec == CODEC_ID_OPUS {
        let known = Opus::new(audio.extra_data.as_deref()).filter(|_| opus);
        Decoder::Opus(Box::new(known.ok_or_else(unknown)?))
    } else {
        let other = symphonia::default::get_codecs()
            .make_audio_decoder(audio, &AudioDecoderOptions::default())
            .map_err(|error| track::fault(form, error))?;
        Decoder::Other(other)
    };
    let mut damage = None;
    let mut some = false;
    while let Some(packet) = next(&mut *reader, &mut damage) {
        terms.check()?;
        if packet.track_id != id {
            continue;
        }
        match decoder.samples(&packet) {
            Ok((rate, mono)) => {
                collector.take(rate, &mono)?;
                some |= !mono.is_empty();
            }
            // A damaged packet is passed over, as players do.
            Err(what) => damage = Some(what),
        }
    }
    match damage {
        Some(what) if !some => Err(Fault::broken(format, what)),
        _ if !some => Err(Fault::broken(format, "there is no sound in it")),
        _ => collector.finish(),
    }
}

/// The next packet; the end of the file and damage both end it.
fn next(reader: &mut dyn FormatReader, damage: &mut Option<String>) -> Option<Packet> {
    match reader.next_packet() {
        Ok(packet) => packet,
        Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => None,
        Err(error) => {
            damage.get_or_insert(error.to_string());
            None
        }
    }
}

impl Decoder {
    /// The samples of a packet in one channel, and their rate.
    fn samples(&mut self, packet: &Packet) -> Result<(u32, Vec<f32>), String> {
        match self {
            Self::Opus(opus) => {
                let damaged = || "a packet is damaged".to_owned();
                let mut mono = opus.decode(&packet.data).ok_or_else(damaged)?;
                let end = usize::try_from(packet.trim_end.get()).unwrap_or(usize::MAX);
                mono.truncate(mono.len().saturating_sub(end));
                Ok((opus::RATE, mono))
            }
            Self::Other(decoder) => {
                let buffer = decoder.decode(packet).map_err(|error| error.to_string())?;
                let rate = buffer.spec().rate();
                let channels = buffer.num_planes().max(1);
                let mut all: Vec<f32> = Vec::new();
                buffer.copy_to_vec_interleaved(&mut all);
                if channels == 1 {
                    return Ok((rate, all));
                }
                #[expect(clippy::cast_precision_loss, reason = "few channels")]
                let share = 1.0 / channels as f32;
                let mixed = all.chunks_exact(channels);
                Ok((
                    rate,
                    mixed.map(|all| all.iter().sum::<f32>() * share).collect(),
                ))
            }
        }
    }
}

/// Lets ffmpeg read what our decoders do not know.
fn through_ffmpeg(bytes: &[u8], form: Form, rate: u32, terms: &Terms) -> Result<Samples, Fault> {
    let file = reel::copy(bytes)?;
    let input = Input {
        path: file.path(),
        form,
    };
    film::track(&input, rate, terms).map_err(|fault| match fault {
        Fault::NeedsFfmpeg { .. } => Fault::NeedsFfmpeg {
            what: "sound of this kind",
            instead: "convert it to MP3 or WAV",
        },
        fault => fault,
    })
}
