//! What a file is, by its first bytes.

use super::Fault;

/// What a file can be attached as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One picture, a page of a document, or a short one that moves.
    Picture,
    Sound,
    Film,
    Text,
}

impl Kind {
    /// A short name with its article, for messages.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Picture => "a picture",
            Self::Sound => "a sound",
            Self::Film => "a film",
            Self::Text => "text",
        }
    }
}

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Png,
    Jpeg,
    Gif,
    WebP,
    Bmp,
    Tiff,
    Svg,
    Pdf,
    Avif,
    Heic,
    Wav,
    Mp3,
    Flac,
    Ogg,
    Adts,
    Aiff,
    Mp4,
    Matroska,
    Avi,
    MpegTs,
    MpegPs,
    Flv,
    Asf,
    Text,
}

impl Form {
    /// The name that people know it by.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Svg => "SVG",
            Self::Pdf => "PDF",
            Self::Avif => "AVIF",
            Self::Heic => "HEIC",
            Self::Wav => "WAV",
            Self::Mp3 => "MP3",
            Self::Flac => "FLAC",
            Self::Ogg => "Ogg",
            Self::Adts => "AAC",
            Self::Aiff => "AIFF",
            Self::Mp4 => "MP4",
            Self::Matroska => "Matroska",
            Self::Avi => "AVI",
            Self::MpegTs => "MPEG-TS",
            Self::MpegPs => "MPEG",
            Self::Flv => "FLV",
            Self::Asf => "WMV",
            Self::Text => "text",
        }
    }

    /// What it is for; an MP4, Matroska, Ogg or WMV file can also be a sound.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Png | Self::Jpeg | Self::Gif | Self::WebP | Self::Bmp => Kind::Picture,
            Self::Tiff | Self::Svg | Self::Pdf | Self::Avif | Self::Heic => Kind::Picture,
            Self::Wav | Self::Mp3 | Self::Flac | Self::Ogg | Self::Adts | Self::Aiff => Kind::Sound,
            Self::Mp4 | Self::Matroska | Self::Avi | Self::MpegTs => Kind::Film,
            Self::MpegPs | Self::Flv | Self::Asf => Kind::Film,
            Self::Text => Kind::Text,
        }
    }

    /// The one demuxer of ffmpeg that may open it. Naming it keeps ffmpeg from
    /// taking the file for a playlist that fetches or reads other files.
    pub(super) fn demuxer(self) -> Option<&'static str> {
        Some(match self {
            Self::Mp4 | Self::Avif | Self::Heic => "mov",
            Self::Matroska => "matroska",
            Self::Avi => "avi",
            Self::MpegTs => "mpegts",
            Self::MpegPs => "mpeg",
            Self::Flv => "flv",
            Self::Asf => "asf",
            Self::Ogg => "ogg",
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Adts => "aac",
            Self::Aiff => "aiff",
            _ => return None,
        })
    }
}

/// Finds the form of a file from its bytes. Anything that is not known and not
/// text is a fault that says what it seems to be.
pub(super) fn form(bytes: &[u8]) -> Result<Form, Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    let found = picture(bytes)
        .or_else(|| container(bytes))
        .or_else(|| stream(bytes));
    if let Some(form) = found {
        return Ok(form);
    }
    if let Some((seems, advice)) = super::isobmff::stranger(bytes) {
        return Err(Fault::Unknown { seems, advice });
    }
    if super::svg::is_svg(bytes) {
        return Ok(Form::Svg);
    }
    super::text::check(bytes)?;
    Ok(Form::Text)
}

fn picture(bytes: &[u8]) -> Option<Form> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    Some(if starts(b"\x89PNG\r\n\x1a\n") {
        Form::Png
    } else if starts(b"\xff\xd8\xff") {
        Form::Jpeg
    } else if starts(b"GIF87a") || starts(b"GIF89a") {
        Form::Gif
    } else if riff(bytes, b"WEBP") {
        Form::WebP
    } else if starts(b"BM") && bytes.get(6..10) == Some(&[0; 4]) {
        Form::Bmp
    } else if starts(b"II*\0") || starts(b"MM\0*") {
        Form::Tiff
    } else if starts(b"%PDF-") || bytes.iter().take(1024).any(|byte| *byte == b'%') && pdf(bytes) {
        Form::Pdf
    } else {
        return None;
    })
}

/// Some writers put a little before the header of a PDF; readers allow 1 KiB.
fn pdf(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    // Text about PDF may say this too; a real header has a line to itself
    // and a version.
    head.windows(9).any(|window| {
        matches!(window[0], b'\n' | b'\r' | 0)
            && window[1..].starts_with(b"%PDF-")
            && window[6].is_ascii_digit()
            && window[7] == b'.'
    })
}

fn riff(bytes: &[u8], kind: &[u8; 4]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(kind)
}

fn container(bytes: &[u8]) -> Option<Form> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    Some(if riff(bytes, b"WAVE") {
        Form::Wav
    } else if riff(bytes, b"AVI ") {
        Form::Avi
    } else if starts(b"fLaC") {
        Form::Flac
    } else if starts(b"OggS") {
        Form::Ogg
    } else if starts(b"FORM") && matches!(bytes.get(8..12), Some(b"AIFF" | b"AIFC")) {
        Form::Aiff
    } else if starts(b"\x1a\x45\xdf\xa3") {
        Form::Matroska
    } else if starts(b"FLV\x01") {
        Form::Flv
    } else if starts(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11") {
        Form::Asf
    } else if starts(b"\x00\x00\x01\xba") {
        Form::MpegPs
    } else if (0..5).all(|packet| bytes.get(packet * 188) == Some(&0x47)) {
        Form::MpegTs
    } else {
        return super::isobmff::form(bytes);
    })
}

/// The streams without a container, which have little to know them by.
fn stream(bytes: &[u8]) -> Option<Form> {
    if super::text::is_utf16(bytes) {
        return Some(Form::Text);
    }
    if bytes.starts_with(b"ID3") {
        // The tag may stand before other streams too.
        let size = bytes.get(6..10)?;
        let size = size
            .iter()
            .fold(0_usize, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
        return match bytes.get(10 + size..) {
            Some(rest) if rest.starts_with(b"fLaC") => Some(Form::Flac),
            Some([0xff, second, ..]) if second & 0xf6 == 0xf0 => Some(Form::Adts),
            _ => Some(Form::Mp3),
        };
    }
    match bytes {
        // Sync word, layer 0.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(Form::Adts),
        // Sync word; version, layer, bit rate and sample rate are not the reserved ones.
        [0xff, second, third, ..]
            if second & 0xe0 == 0xe0
                && second & 0x18 != 0x08
                && second & 0x06 != 0
                && third & 0xf0 != 0xf0
                && third & 0x0c != 0x0c =>
        {
            Some(Form::Mp3)
        }
        _ => None,
    }
}
