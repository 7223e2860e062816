//! Opus, the codec of voice messages and of films on the web, to mono samples.

use opus_decoder::OpusDecoder;

/// Opus always decodes to this rate here.
pub(super) const RATE: u32 = 48_000;
/// The longest packet is 120 ms.
const LONGEST: usize = 5760;

/// Decodes packets of one or two channels, mixed to one. About twice as fast as
/// the sound is long, so ffmpeg is asked first.
pub(super) struct Opus {
    decoder: OpusDecoder,
    buffer: Vec<f32>,
    /// Samples at the start that belong to no sound.
    skip: usize,
}

impl Opus {
    /// `head` is the identification header (RFC 7845, 5.1), where the container
    /// keeps one. `None` for more than two channels, which are not decoded here.
    pub(super) fn new(head: Option<&[u8]>) -> Option<Self> {
        let mut skip = 0;
        if let Some(head) = head.filter(|head| head.starts_with(b"OpusHead")) {
            if !matches!((head.get(9)?, head.get(18)?), (1 | 2, 0)) {
                return None;
            }
            skip = usize::from(u16::from_le_bytes([*head.get(10)?, *head.get(11)?]));
        }
        Some(Self {
            // Two channels whatever the file has: they are mixed here.
            decoder: OpusDecoder::new(RATE, 2).ok()?,
            buffer: vec![0.0; LONGEST * 2],
            skip,
        })
    }

    /// The samples of one packet, at [`RATE`]; `None` when it is damaged.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Option<Vec<f32>> {
        let frames = self.decoder.decode_float(packet, &mut self.buffer, false);
        let both = self.buffer.get(..frames.ok()? * 2)?;
        let pairs = both.chunks_exact(2);
        let mut mono: Vec<f32> = pairs.map(|pair| (pair[0] + pair[1]) / 2.0).collect();
        let skipped = self.skip.min(mono.len());
        self.skip -= skipped;
        mono.drain(..skipped);
        Some(mono)
    }
}
