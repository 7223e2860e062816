//! What can be wrong with an attached file, in words that say what to do next.

/// Why a file cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the file cannot be read: {0}; check its path and permissions")]
    Io(#[from] std::io::Error),
    #[error("the file is empty; attach one with something in it")]
    Empty,
    #[error("this looks like {seems}, which no model takes; {advice}")]
    Unknown {
        seems: &'static str,
        advice: &'static str,
    },
    #[error("this is {is}, not {wanted}; attach it as what it is")]
    OtherKind {
        is: &'static str,
        wanted: &'static str,
    },
    #[error("the {format} file is damaged ({what}); save or download it again")]
    Broken { format: &'static str, what: String },
    #[error(
        "the {format} file could not be decoded: the decoder gave up on it; open it elsewhere and save it again"
    )]
    DecoderFailed { format: &'static str },
    #[error(
        "the picture is {width}×{height}, more than the {limit} megapixels that are taken; make it smaller first"
    )]
    TooManyPixels { width: u64, height: u64, limit: u64 },
    #[error(
        "decoding the {format} file needs {needed} MiB of memory, and {limit} MiB are allowed; make it smaller first"
    )]
    TooMuchMemory {
        format: &'static str,
        needed: u64,
        limit: u64,
    },
    #[error("the recording is longer than {limit} minutes; cut it into shorter ones")]
    TooLong { limit: u64 },
    #[error(
        "the file is {size} MiB, and a {what} of at most {limit} MiB is taken; make it smaller first"
    )]
    TooLarge {
        what: &'static str,
        size: u64,
        limit: u64,
    },
    #[error(
        "the drawing is too intricate ({what}); export it as a PNG from a drawing program and attach that"
    )]
    TooIntricate { what: &'static str },
    #[error(
        "{what} needs the program ffmpeg, which was not found; {how}, or {instead}",
        how = super::tools::HOW_TO_INSTALL
    )]
    NeedsFfmpeg {
        what: &'static str,
        instead: &'static str,
    },
    #[error("ffmpeg could not read the {format} file: {said}; convert it to another format")]
    FfmpegFailed { format: &'static str, said: String },
    #[error(
        "the ffmpeg that is installed reads only a part of this {format} picture; save it as JPEG or PNG and attach that"
    )]
    OnlyPart { format: &'static str },
    #[error("the PDF is encrypted; open it with its password, print it to a new PDF, attach that")]
    Encrypted,
    #[error("the PDF has {pages} pages, and page {asked} was asked for; choose one of them")]
    NoSuchPage { pages: usize, asked: usize },
    #[error("the {format} picture does not move; attach it as a picture")]
    NotAnimated { format: &'static str },
    #[error("there is no sound in this {format} file; attach one that has a sound track")]
    NoSound { format: &'static str },
    #[error("there are no pictures in this {format} file; attach it as a sound")]
    NoPictures { format: &'static str },
    #[error("{what} is not read in {format} files; convert it to MP3 or WAV")]
    Codec {
        format: &'static str,
        what: &'static str,
    },
    #[error("a sample rate of {0} Hz is out of range; 1000 to 768000 are taken")]
    Rate(u32),
    #[error("this is not text: byte {at} is {byte:#04x}; attach text, a picture, sound or film")]
    NotText { at: usize, byte: u8 },
    #[error("stopped")]
    Stopped,
}

impl Fault {
    /// A file that is not what its format asks for; `what` says where, if known.
    pub(super) fn broken(format: &'static str, what: impl std::fmt::Display) -> Self {
        let mut what = what.to_string();
        if what.is_empty() {
            what.push_str("no more is known");
        }
        // Some decoders repeat bytes of the file in what they say.
        what.retain(|sign| !sign.is_control());
        let what = what.chars().take(160).collect();
        Self::Broken { format, what }
    }
}
