//! Stub until the real folder comes.
use std::ops::Range;
use std::path::Path;
#[derive(Debug, Clone, Default)]
pub struct Limits {
    pub edge: u32,
}
#[derive(Debug, Clone)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
}
#[derive(Debug, Clone)]
pub struct Samples {
    pub rate: u32,
    pub mono: Vec<f32>,
}
impl Samples {
    pub fn ms(&self) -> u64 {
        0
    }
    pub fn between(&self, _from: u64, _to: u64) -> &[f32] {
        &self.mono
    }
}
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct Fault;
pub struct Pace {
    pub most: usize,
    pub per_second: f32,
}
pub struct Frame {
    pub at_ms: u64,
    pub pixels: Pixels,
}
pub struct Film {
    pub frames: Vec<Frame>,
    pub sound: Option<Samples>,
    pub ms: u64,
}
pub struct Cut {
    pub shown_lines: usize,
    pub all_lines: usize,
}
pub struct Excerpt {
    pub language: String,
    pub text: String,
    pub lines: usize,
    pub cut: Option<Cut>,
}
pub fn picture(_: &[u8], _: &Limits) -> Result<Pixels, Fault> {
    Err(Fault)
}
pub fn frames(_: &[u8], _: &Pace) -> Result<Vec<Frame>, Fault> {
    Err(Fault)
}
pub fn film(
    _: &Path,
    _: &Pace,
    _: &Limits,
    _: Option<u32>,
    _: &dyn Fn() -> bool,
) -> Result<Film, Fault> {
    Err(Fault)
}
pub fn sound(_: &[u8], _: u32) -> Result<Samples, Fault> {
    Err(Fault)
}
pub fn split(_: u64, _: u64, _: u64) -> Vec<Range<u64>> {
    Vec::new()
}
pub fn text(_: &[u8], _: &str, _: usize) -> Result<Excerpt, Fault> {
    Err(Fault)
}
