//! Opus, the codec of voice messages and of films on the web, to mono samples.

use opus_decoder::OpusDecoder;

/// Opus always decodes to this rate here.
pub(super) const RATE: u32 = 48_000;
/// The longest packet is 120 ms.
const LONGEST: usize = 5760;

/// Decodes packets of one or two channels, mixed to one.
pub(super) struct Opus {
    decoder: OpusDecoder,
    buffer: Vec<f32>,
}

impl Opus {
    /// `head` is the identification header (RFC 7845, 5.1), where the container
    /// keeps one. `None` for more than two channels, which are not decoded here.
    pub(super) fn new(head: Option<&[u8]>) -> Option<Self> {
        let stereo = match head {
            Some(head) if head.starts_with(b"OpusHead") => match (head.get(9), head.get(18)) {
                (Some(1), Some(0)) => false,
                (Some(2), Some(0)) => true,
                _ => return None,
            },
            _ => true,
        };
        // Two channels are mixed here; a decoder for one would drop the other.
        let _ = stereo;
        Some(Self {
            decoder: OpusDecoder::new(RATE, 2).ok()?,
            buffer: vec![0.0; LONGEST * 2],
        })
    }

    /// The samples of one packet, at [`RATE`]; `None` when it is damaged.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Option<Vec<f32>> {
        let frames = self.decoder.decode_float(packet, &mut self.buffer, false);
        let both = self.buffer.get(..frames.ok()? * 2)?;
        let both = both.chunks_exact(2);
        Some(both.map(|pair| (pair[0] + pair[1]) / 2.0).collect())
    }
}
