//! What the name of a GGUF file tells: its parts and its quantization.
//!
//! Parts are named as `llama-gguf-split` does it, `NAME-00001-of-00003.gguf`
//! (llama.cpp, `src/llama.cpp`, `llama_split_path`).

use crate::protocol::quantization;

/// One part of a model in several files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'n> {
    /// The name without number and ending.
    pub base: &'n str,
    /// From 1.
    pub index: u32,
    pub count: u32,
}

/// The name without `.gguf`, in whatever case; `None` for any other ending.
pub(super) fn stem(file: &str) -> Option<&str> {
    let at = file.len().checked_sub(".gguf".len())?;
    let (stem, ending) = file.split_at_checked(at)?;
    (ending.eq_ignore_ascii_case(".gguf") && !stem.is_empty()).then_some(stem)
}

/// Which part a file is by its stem; `None` for a file that stands alone.
pub(super) fn part(stem: &str) -> Option<Part<'_>> {
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (base, index) = rest.rsplit_once('-')?;
    let number = |text: &str| {
        let digits = text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (index, count) = (number(index)?, number(count)?);
    let possible = (1..=count).contains(&index) && !base.is_empty();
    possible.then_some(Part { base, index, count })
}

/// The name without ending and number of its part.
pub(super) fn base(file: &str) -> &str {
    let stem = stem(file).unwrap_or(file);
    part(stem).map_or(stem, |p| p.base)
}

/// The quantization that a file's name or path tells, in capitals: `Q4_K_M`,
/// `IQ3_XXS`, `UD-Q4_K_XL`, `F16`, `MXFP4`. The last one in the name counts;
/// the name of its folder is asked when its own has none.
pub fn quant_of(name: &str) -> Option<String> {
    name.rsplit(['/', '\\'])
        .take(2)
        .find_map(|piece| quantization::in_name(base(piece.strip_suffix(".part").unwrap_or(piece))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_two_numbers_of_five_digits() {
        let found = part("big-Q4_K_M-00002-of-00003");
        let expected = Part {
            base: "big-Q4_K_M",
            index: 2,
            count: 3,
        };
        assert_eq!(found, Some(expected));
        for no in [
            "big",
            "big-1-of-3",
            "big-00004-of-00003",
            "big-00000-of-00003",
            "-00001-of-00001",
            "00001-of-00003",
        ] {
            assert_eq!(part(no), None, "{no}");
        }
        assert_eq!(stem("A.GgUf"), Some("A"));
        assert_eq!(stem(".gguf"), None);
        assert_eq!(stem("ä€gguf"), None);
    }
}
