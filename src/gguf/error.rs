//! What can be wrong with a GGUF file, in words that say what to do.

/// Why a header could not be read, or is of no use.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    #[error("the file cannot be read: {0}; check its path and permissions")]
    Io(#[from] std::io::Error),
    #[error("this is not a file; name the .gguf file itself")]
    NotAFile,
    #[error("the file is empty; fetch it again")]
    Empty,
    #[error("this is not a GGUF file but {what}; {advice}")]
    NotGguf {
        what: &'static str,
        advice: &'static str,
    },
    #[error(
        "the file is GGUF of version {0}, which is no longer read; fetch a newer conversion of the model"
    )]
    TooOld(u32),
    #[error(
        "the file is GGUF of version {0}, and this Parlor reads 2 and 3; a newer one may read it"
    )]
    TooNew(u32),
    #[error(
        "the file is written for big-endian machines; fetch the little-endian one, or convert it with gguf-convert-endian"
    )]
    BigEndian,
    #[error(
        "the file ends within {place}, at byte {at}: it was cut short or is damaged; fetch it again"
    )]
    EndsInHeader { place: &'static str, at: u64 },
    #[error(
        "the file is cut short: it should have at least {needed} bytes and has {there}; fetch it again"
    )]
    CutShort { needed: u64, there: u64 },
    #[error("the header is longer than {0} bytes: the file is damaged; fetch it again")]
    HeaderTooLong(u64),
    #[error(
        "the header counts {count} {what}, and more than {most} are never needed: the file is damaged; fetch it again"
    )]
    TooMany {
        what: &'static str,
        count: u64,
        most: u64,
    },
    #[error("a name in the header is empty or too long: the file is damaged; fetch it again")]
    BadName,
    #[error("the header has {0} twice: the file is damaged; fetch it again")]
    Twice(String),
    #[error(
        "the value of {key} is of an unknown type ({code}): the file is damaged, or needs a newer Parlor"
    )]
    ValueType { key: String, code: u32 },
    #[error(
        "the value of {0} has lists within lists too deep: the file is damaged; fetch it again"
    )]
    TooDeep(String),
    #[error("the alignment {0} is not a power of two: the file is damaged; fetch it again")]
    Alignment(String),
    #[error(
        "the tensor {name} has {dims} dimensions, more than 4: the file is damaged; fetch it again"
    )]
    Dimensions { name: String, dims: u32 },
    #[error("the tensor {0} is larger than can be: the file is damaged; fetch it again")]
    TensorTooLarge(String),
    #[error(
        "the tensor {name} has rows of {width} numbers, not a multiple of {block}: the file is damaged; fetch it again"
    )]
    Row {
        name: String,
        width: u64,
        block: u64,
    },
    #[error(
        "the tensor {name} is of the type {kind}, which llama.cpp no longer reads; fetch the model as {instead}"
    )]
    RemovedType {
        name: String,
        kind: &'static str,
        instead: &'static str,
    },
    #[error(
        "the tensor {name} is of an unknown type ({code}): the file is damaged, or made for another program or a newer Parlor"
    )]
    TensorType { name: String, code: u32 },
    #[error(
        "the tensor {name} begins at {offset}, where {expected} is due: the file is damaged; fetch it again"
    )]
    Offset {
        name: String,
        offset: u64,
        expected: u64,
    },
    #[error("this is {what}; {advice}")]
    NotAModel {
        what: &'static str,
        advice: &'static str,
    },
    #[error("this is part {part} of {count}; name the first part")]
    NotFirstPart { part: u64, count: u64 },
    #[error(
        "the file is the first of {count} parts, but its name does not end in {ending}, by which the others are found; give it that name back"
    )]
    PartName { count: u64, ending: String },
    #[error("of {name}, one of the model's parts: {why}")]
    Part { name: String, why: Box<GgufError> },
    #[error("the parts hold {there} tensors, and {expected} are due; fetch the model again")]
    PartsDiffer { expected: u64, there: u64 },
}

/// A name out of a file, fit for a message: short, and without control
/// characters, which a terminal would obey.
pub(super) fn shown(name: &str) -> String {
    plain(name, 80)
}

/// Text in one line of at most `most` characters.
pub(super) fn plain(text: &str, most: usize) -> String {
    let line = |c: char| if c.is_control() { ' ' } else { c };
    let short: String = text.trim().chars().take(most).map(line).collect();
    short.trim_end().to_string()
}
