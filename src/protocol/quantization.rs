//! Names of the number types that whole models come in.

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
