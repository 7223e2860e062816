//! The terms under which a file is opened: how much may be taken for it, with
//! which programs, and for how long.

use super::{Fault, Tools};

/// What one file may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Declared pixels of one picture. Default: 100 million.
    pub pixels: u64,
    /// Bytes that decoding one file may take at once. Default: 1 GiB.
    pub memory: u64,
    /// Longest edge of the pixels that come out. Default: 2048.
    pub edge: u32,
    /// Longest recording, in milliseconds. Default: 3 hours.
    pub length_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pixels: 100_000_000,
            memory: 1 << 30,
            edge: 2048,
            length_ms: 3 * 60 * 60 * 1000,
        }
    }
}

/// What the longer functions of this folder take besides the file.
#[derive(Clone)]
pub struct Terms<'a> {
    pub limits: Limits,
    pub tools: Tools,
    /// Says true once the result is no longer wanted. Asked often, so it
    /// should be as cheap as reading an atomic.
    pub stop: &'a dyn Fn() -> bool,
}

impl Default for Terms<'_> {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            tools: Tools::default(),
            stop: &|| false,
        }
    }
}

impl Terms<'_> {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if (self.stop)() {
            return Err(Fault::Stopped);
        }
        Ok(())
    }
}

impl Limits {
    /// Refuses a picture by the size that it declares. `bytes_per_pixel` is
    /// what decoding takes for each pixel.
    pub(super) fn check(
        &self,
        format: &'static str,
        width: u64,
        height: u64,
        bytes_per_pixel: u64,
    ) -> Result<(), Fault> {
        if width == 0 || height == 0 {
            return Err(Fault::broken(format, "it has no width or no height"));
        }
        let pixels = width.saturating_mul(height);
        if pixels > self.pixels {
            return Err(Fault::TooManyPixels {
                width,
                height,
                limit: self.pixels / 1_000_000,
            });
        }
        let needed = pixels.saturating_mul(bytes_per_pixel);
        if needed > self.memory {
            return Err(Fault::TooMuchMemory {
                format,
                needed: needed >> 20,
                limit: self.memory >> 20,
            });
        }
        Ok(())
    }

    /// The width and height that fit the longest edge, at least 1×1.
    /// Never larger than given.
    pub(super) fn fit(&self, width: u32, height: u32) -> (u32, u32) {
        let longest = width.max(height);
        let edge = self.edge.max(1);
        if longest <= edge {
            return (width, height);
        }
        let scaled = |side: u32| {
            let side = u64::from(side) * u64::from(edge);
            let side = (side + u64::from(longest) / 2) / u64::from(longest);
            u32::try_from(side).unwrap_or(edge).clamp(1, edge)
        };
        (scaled(width), scaled(height))
    }
}
