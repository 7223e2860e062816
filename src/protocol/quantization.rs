//! Names of the number types that whole models come in: llama.cpp's names of
//! file types, and the spellings that repositories on the hub add to them,
//! `UD-` in front and `_XL` behind.

/// llama.cpp's `enum llama_ftype` (`include/llama.h`), those that it can write.
pub const WRITABLE: &[(&str, u32)] = &[
    ("F32", 0),
    ("F16", 1),
    ("BF16", 32),
    ("Q8_0", 7),
    ("Q6_K", 18),
    ("Q5_K_M", 17),
    ("Q5_K_S", 16),
    ("Q5_1", 9),
    ("Q5_0", 8),
    ("Q4_K_M", 15),
    ("Q4_K_S", 14),
    ("IQ4_NL", 25),
    ("IQ4_XS", 30),
    ("Q4_1", 3),
    ("Q4_0", 2),
    ("MXFP4_MOE", 38),
    ("Q3_K_L", 13),
    ("Q3_K_M", 12),
    ("Q3_K_S", 11),
    ("IQ3_M", 27),
    ("IQ3_S", 26),
    ("Q2_K", 10),
    ("TQ2_0", 37),
    ("TQ1_0", 36),
];

/// The number of a type, by its name in any case.
pub fn number(name: &str) -> Result<u32, String> {
    let known = WRITABLE.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    known.map(|(_, number)| *number).ok_or_else(|| {
        let names: Vec<&str> = WRITABLE.iter().map(|(name, _)| *name).collect();
        format!("there is no type {name}; there are {}", names.join(", "))
    })
}

/// The quantization that a file's name tells, in capitals: `Q4_K_M`,
/// `IQ3_XXS`, `UD-Q4_K_XL`, `F16`, `MXFP4`. The last one in the name counts.
pub fn in_name(name: &str) -> Option<String> {
    let words: Vec<&str> = name.split(['-', '.', ' ']).collect();
    let (at, quant) = (0..words.len())
        .rev()
        .find_map(|at| Some((at, in_word(words[at])?)))?;
    let dynamic = at > 0 && words[at - 1].eq_ignore_ascii_case("ud");
    Some(if dynamic {
        format!("UD-{quant}")
    } else {
        quant
    })
}

/// A quantization is a word, or what follows an underscore in one.
fn in_word(word: &str) -> Option<String> {
    let word = word.to_ascii_uppercase();
    let starts = [0].into_iter();
    let mut starts = starts.chain(word.match_indices('_').map(|(at, _)| at + 1));
    starts.find_map(|at| {
        let mut pieces = word[at..].split('_');
        let kind = kind(pieces.next()?)?;
        let rest: Vec<&str> = pieces.collect();
        let plain = kind.starts_with(['F', 'B', 'M', 'N']);
        let fits = |piece: &&str| FOLLOWING.contains(piece) && (!plain || **piece == *"MOE");
        (rest.len() <= 3 && rest.iter().all(fits)).then(|| {
            let mut quant = kind;
            for piece in rest {
                quant.push('_');
                quant.push_str(piece);
            }
            quant
        })
    })
}

/// What may follow `Q4`, `IQ3` and the like, each after an underscore.
const FOLLOWING: &[&str] = &[
    "0", "1", "4", "8", "K", "S", "M", "L", "XS", "XXS", "XL", "XXL", "NL", "KS", "KSS", "KT",
    "KL", "R4", "R8", "MOE",
];

fn kind(word: &str) -> Option<String> {
    match word {
        "F16" | "FP16" => return Some("F16".into()),
        "F32" | "FP32" => return Some("F32".into()),
        "BF16" | "F64" | "MXFP4" | "NVFP4" => return Some(word.into()),
        _ => {}
    }
    let bits = ["IQ", "TQ", "Q"]
        .iter()
        .find_map(|p| word.strip_prefix(p))?;
    (bits.len() == 1 && ("1"..="8").contains(&bits)).then(|| word.into())
}
