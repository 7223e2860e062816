//! A picture in at most 256 colours of its own, for sixels: median cut over
//! colours of five bits a channel, and an ordered dither against bands.

use super::half::{distance, nearest};
use crate::media::Pixels;

/// Colours that a sixel terminal can be trusted to have.
const COLOURS: usize = 256;
/// Every colour of five bits a channel.
const BINS: usize = 1 << 15;

/// A picture whose pixels are numbers of colours.
#[derive(Debug, Clone)]
pub struct Indexed {
    pub width: usize,
    pub colours: Vec<[u8; 3]>,
    pub pixels: Vec<u8>,
}

impl Indexed {
    /// Chooses the colours and gives each pixel its own.
    pub fn new(from: &Pixels) -> Self {
        let width = super::scale::index(from.width);
        let mut counts = vec![0_u32; BINS];
        for pixel in from.rgb.chunks_exact(3) {
            counts[bin(pixel)] += 1;
        }
        let colours = median_cut(&counts);
        let mut known = vec![None; BINS];
        let pixels = from
            .rgb
            .chunks_exact(3)
            .enumerate()
            .map(|(at, pixel)| {
                let nudge = DITHER[(at / width) % 4][(at % width) % 4];
                let nudged = [pixel[0], pixel[1], pixel[2]].map(|v| v.saturating_add_signed(nudge));
                *known[bin(&nudged)].get_or_insert_with(|| {
                    let middle = centre(bin(&nudged));
                    nearest(colours.iter().map(|c| distance(c, &middle)))
                })
            })
            .collect();
        Self {
            width,
            colours,
            pixels,
        }
    }
}

/// Bayer's matrix, about one step of five bits from end to end.
const DITHER: [[i8; 4]; 4] = [
    [-4, 0, -3, 1],
    [2, -2, 3, -1],
    [-3, 1, -4, 0],
    [3, -1, 2, -2],
];

fn bin(pixel: &[u8]) -> usize {
    pixel
        .iter()
        .take(3)
        .fold(0, |bin, value| bin << 5 | usize::from(value >> 3))
}

/// The colour in a bin's middle; black and white stay what they are.
fn centre(bin: usize) -> [u8; 3] {
    [10, 5, 0].map(|shift| {
        let level = u8::try_from(bin >> shift & 31).unwrap_or(31);
        level << 3 | level >> 2
    })
}

/// Divides the colours in boxes until there are enough, always the box where
/// most is to be gained, and takes the mean of each.
fn median_cut(counts: &[u32]) -> Vec<[u8; 3]> {
    let used: Vec<([u8; 3], u32)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(bin, count)| (centre(bin), *count))
        .collect();
    let mut boxes = vec![used];
    while boxes.len() < COLOURS {
        let widest = boxes
            .iter()
            .enumerate()
            .map(|(at, colours)| (gain(colours), at))
            .max();
        let Some((1.., at)) = widest else { break };
        let (left, right) = halves(boxes.swap_remove(at));
        boxes.extend([left, right]);
    }
    boxes.iter().map(|colours| mean(colours)).collect()
}

/// The channel that spreads most in a box, and how far.
fn spread(colours: &[([u8; 3], u32)]) -> (u8, usize) {
    (0..3)
        .map(|channel| {
            let values = || colours.iter().map(|(colour, _)| colour[channel]);
            let most = values().max().unwrap_or(0);
            (most - values().min().unwrap_or(0), channel)
        })
        .max()
        .unwrap_or((0, 0))
}

/// What dividing a box would gain: nothing where it has one colour.
fn gain(colours: &[([u8; 3], u32)]) -> u64 {
    let pixels: u64 = colours.iter().map(|(_, count)| u64::from(*count)).sum();
    u64::from(spread(colours).0) * pixels.isqrt()
}

type Colours = Vec<([u8; 3], u32)>;

/// Two boxes of about as many pixels each.
fn halves(mut colours: Colours) -> (Colours, Colours) {
    let (_, channel) = spread(&colours);
    colours.sort_unstable_by_key(|(colour, _)| colour[channel]);
    let pixels: u64 = colours.iter().map(|(_, count)| u64::from(*count)).sum();
    let mut below = 0;
    let middle = colours
        .iter()
        .position(|(_, count)| {
            below += u64::from(*count);
            below * 2 >= pixels
        })
        .unwrap_or(0);
    let middle = (middle + 1).clamp(1, colours.len() - 1);
    let right = colours.split_off(middle);
    (colours, right)
}

fn mean(colours: &[([u8; 3], u32)]) -> [u8; 3] {
    let pixels: u64 = colours.iter().map(|(_, count)| u64::from(*count)).sum();
    [0, 1, 2].map(|channel| {
        let sum: u64 = colours
            .iter()
            .map(|(colour, count)| u64::from(colour[channel]) * u64::from(*count))
            .sum();
        u8::try_from(sum / pixels.max(1)).unwrap_or(u8::MAX)
    })
}
