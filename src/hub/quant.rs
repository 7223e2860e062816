//! Names of quantizations, and which is better.

/// The names, best first. Those above the usual choice need some room to
/// spare; whole numbers come last of all, where nothing else is there.
const BEST_FIRST: &[&str] = &[
    "Q8_K_XL",
    "Q8_0",
    "Q6_K_XL",
    "Q6_K_L",
    "Q6_K",
    "Q5_K_XL",
    "Q5_K_L",
    "Q5_K_M",
    "Q5_K_S",
    "Q5_1",
    "Q5_0",
    "Q4_K_XL",
    "Q4_K_L",
    "Q4_K_M",
    "Q4_K_S",
    "IQ4_NL",
    "MXFP4",
    "MXFP4_MOE",
    "NVFP4",
    "IQ4_XS",
    "Q4_1",
    "Q4_0",
    "Q3_K_XL",
    "Q3_K_L",
    "Q3_K_M",
    "IQ3_M",
    "IQ3_S",
    "Q3_K_S",
    "IQ3_XS",
    "IQ3_XXS",
    "Q2_K_XL",
    "Q2_K_L",
    "Q2_K",
    "IQ2_M",
    "Q2_K_S",
    "IQ2_S",
    "TQ2_0",
    "IQ2_XS",
    "IQ2_XXS",
    "TQ1_0",
    "IQ1_M",
    "IQ1_S",
];

/// Numbers that are not quantized, in the order in which they are taken.
const FLOATS: &[&str] = &["BF16", "F16", "F32"];

/// The usual choice.
pub(super) const USUAL: usize = place("Q4_K_M");
/// The last one with three bits: below, models lose much.
pub(super) const LAST_GOOD: usize = place("IQ3_XXS");

const fn place(name: &str) -> usize {
    let mut at = 0;
    while at < BEST_FIRST.len() {
        if same(BEST_FIRST[at].as_bytes(), name.as_bytes()) {
            return at;
        }
        at += 1;
    }
    at
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// Whether the numbers are not quantized.
pub(super) fn is_float(quant: &str) -> bool {
    FLOATS.contains(&quant)
}

/// The lower the better; floats after all others, best to take first.
pub(super) fn rank(quant: &str) -> usize {
    let name = quant.strip_prefix("UD-").unwrap_or(quant);
    let listed = |names: &[&str]| names.iter().position(|n| *n == name);
    if let Some(at) = listed(FLOATS) {
        return 2 * BEST_FIRST.len() + at;
    }
    listed(BEST_FIRST).unwrap_or_else(|| unknown(name))
}

/// A name that came later than this list: beside the first with as many bits.
fn unknown(name: &str) -> usize {
    let bits = name.chars().find(char::is_ascii_digit);
    let like = |known: &&str| known.chars().find(char::is_ascii_digit) == bits;
    bits.and_then(|_| BEST_FIRST.iter().rposition(like))
        .unwrap_or(BEST_FIRST.len())
}
