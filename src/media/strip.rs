//! When the frames of a moving picture begin, read from its blocks without
//! decoding any of them.

use super::form::Form;

/// Browsers show frames that ask for 10 ms or less for 100 ms, and files are
/// made for that.
const SHORTEST_MS: u64 = 10;
const USUAL_MS: u64 = 100;
/// Frames beyond this many are not counted.
const MOST: usize = 100_000;

/// The frames of a picture in time. A still one has a single frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Strip {
    /// When each frame begins, from 0.
    pub starts: Vec<u64>,
    pub length_ms: u64,
}

impl Strip {
    fn of(delays: Vec<u64>) -> Self {
        let mut at = 0;
        let starts = delays.iter().map(|delay| {
            let start = at;
            at += if *delay <= SHORTEST_MS {
                USUAL_MS
            } else {
                *delay
            };
            start
        });
        let starts = starts.collect();
        Self {
            starts,
            length_ms: at,
        }
    }
}

/// The strip of a picture that moves; `None` when it has one frame, or is of a
/// format that has only one. Stops at damage, with what was read before.
pub(super) fn strip(bytes: &[u8], form: Form) -> Option<Strip> {
    let delays = match form {
        Form::Gif => gif(bytes),
        Form::WebP => webp(bytes),
        Form::Png => png(bytes),
        _ => return None,
    };
    (delays.len() > 1).then(|| Strip::of(delays))
}

/// GIF89a: after the header and colours come blocks; 0x21 0xF9 tells the delay
/// of the image 0x2C that follows.
fn gif(bytes: &[u8]) -> Vec<u64> {
    let mut delays = Vec::new();
    let colours = |packed: u8| {
        if packed & 0x80 == 0 {
            0
        } else {
            3 << ((packed & 7) + 1)
        }
    };
    let mut at = 13 + bytes.get(10).map_or(0, |packed| colours(*packed));
    let mut delay = 0;
    while delays.len() < MOST {
        match bytes.get(at) {
            Some(0x21) => {
                if let Some([0xf9, 4, _, low, high, ..]) = bytes.get(at + 1..) {
                    delay = u64::from(u16::from_le_bytes([*low, *high])) * 10;
                }
                at += 2;
            }
            Some(0x2c) => {
                let Some(packed) = bytes.get(at + 9) else {
                    break;
                };
                delays.push(std::mem::take(&mut delay));
                at += 10 + colours(*packed) + 1;
            }
            _ => break,
        }
        // Sub-blocks up to one of no length.
        while let Some(length) = bytes.get(at) {
            at += 1 + usize::from(*length);
            if *length == 0 {
                break;
            }
        }
    }
    delays
}

/// WebP: chunks `ANMF`, with the duration in 24 bits from the twelfth byte.
fn webp(bytes: &[u8]) -> Vec<u64> {
    let mut delays = Vec::new();
    let mut at = 12_usize;
    while let Some([a, b, c, d, size @ ..]) = bytes.get(at..at.saturating_add(8)) {
        if [*a, *b, *c, *d] == *b"ANMF"
            && let Some(duration) = bytes.get(at + 20..at + 23)
            && delays.len() < MOST
        {
            let parts = [duration[0], duration[1], duration[2], 0];
            delays.push(u32::from_le_bytes(parts).into());
        }
        let Ok(size) = size.try_into().map(u32::from_le_bytes) else {
            break;
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        at = at.saturating_add(8).saturating_add(size);
        at = at.saturating_add(size & 1);
    }
    delays
}

/// PNG with animation: chunks `fcTL`, with the delay as a fraction of seconds.
fn png(bytes: &[u8]) -> Vec<u64> {
    let mut delays = Vec::new();
    let mut at = 8_usize;
    while let Some(head) = bytes.get(at..at.saturating_add(8)) {
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        if &head[4..] == b"fcTL"
            && let Some(delay) = bytes.get(at + 28..at + 32)
            && delays.len() < MOST
        {
            let over = u64::from(u16::from_be_bytes([delay[0], delay[1]]));
            let under = u64::from(u16::from_be_bytes([delay[2], delay[3]]));
            // A denominator of 0 means hundredths.
            delays.push(over * 1000 / if under == 0 { 100 } else { under });
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        at = at.saturating_add(12).saturating_add(size);
    }
    delays
}
