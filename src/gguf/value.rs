//! Values of the metadata: numbers, texts, and short lists; of long lists, as
//! the vocabulary is one, only what they hold and how many.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use super::source::to_text;

/// What a value is, as the file codes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    Text,
    Array,
    U64,
    I64,
    F64,
}

impl ValueType {
    /// The type of this code.
    pub(super) fn of(code: u32) -> Option<Self> {
        use ValueType::*;
        const ALL: [ValueType; 13] = [
            U8, I8, U16, I16, U32, I32, F32, Bool, Text, Array, U64, I64, F64,
        ];
        ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// Bytes; None for what has a length of its own.
    pub(super) fn size(self) -> Option<u64> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Text | Self::Array => None,
        }
    }
}

/// A value of the metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Text(Box<str>),
    /// A text above 1 MiB, which is not kept: its length in bytes.
    LongText(u64),
    Array(Array),
}

/// A list.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub kind: ValueType,
    pub count: u64,
    /// The entries as in the file, where they are few.
    pub(super) kept: Option<Box<[u8]>>,
}

impl Value {
    /// A whole number that is not negative.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Unsigned(n) => Some(*n),
            Self::Signed(n) => u64::try_from(*n).ok(),
            _ => None,
        }
    }

    pub fn float(&self) -> Option<f64> {
        match self {
            Self::Float(x) => Some(*x),
            Self::Unsigned(n) => Some(*n as f64),
            Self::Signed(n) => Some(*n as f64),
            _ => None,
        }
    }

    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    /// Entries of a list.
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Array(a) => Some(a.count),
            _ => None,
        }
    }

    /// The whole numbers of a short list, or the one that stands alone; true
    /// is 1, and what is negative 0.
    pub fn numbers(&self) -> Option<Vec<u64>> {
        match self {
            Self::Array(a) => a.entries()?.iter().map(Self::as_number).collect(),
            alone => Some(vec![alone.as_number()?]),
        }
    }

    fn as_number(&self) -> Option<u64> {
        match self {
            Self::Bool(b) => Some(u64::from(*b)),
            Self::Signed(n) => Some(u64::try_from(*n).unwrap_or(0)),
            other => other.number(),
        }
    }

    /// The texts of a short list.
    pub fn texts(&self) -> Option<Vec<String>> {
        match self {
            Self::Array(a) => a.texts(),
            _ => None,
        }
    }
}

impl Array {
    /// The entries of a list of numbers; None when they were not kept.
    fn entries(&self) -> Option<Vec<Value>> {
        let size = usize::try_from(self.kind.size()?).ok()?;
        let kept = self.kept.as_ref()?;
        Some(
            kept.chunks_exact(size)
                .map(|b| decode(self.kind, b))
                .collect(),
        )
    }

    fn texts(&self) -> Option<Vec<String>> {
        let mut rest = match self.kind {
            ValueType::Text => self.kept.as_deref()?,
            _ => return None,
        };
        let mut texts = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<8>() {
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (text, after) = after.split_at_checked(length)?;
            texts.push(to_text(text.to_vec()).into());
            rest = after;
        }
        Some(texts)
    }
}

/// A number from its bytes.
pub(super) fn decode(kind: ValueType, bytes: &[u8]) -> Value {
    // Widened by the sign, so that one conversion fits all sizes.
    let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
    let signed = matches!(
        kind,
        ValueType::I8 | ValueType::I16 | ValueType::I32 | ValueType::I64
    );
    let mut wide = [if signed && negative { 0xff } else { 0 }; 8];
    wide.iter_mut().zip(bytes).for_each(|(w, b)| *w = *b);
    let narrow = [wide[0], wide[1], wide[2], wide[3]];
    match kind {
        ValueType::F32 => Value::Float(f64::from(f32::from_le_bytes(narrow))),
        ValueType::F64 => Value::Float(f64::from_le_bytes(wide)),
        ValueType::Bool => Value::Bool(wide[0] != 0),
        _ if signed => Value::Signed(i64::from_le_bytes(wide)),
        _ => Value::Unsigned(u64::from_le_bytes(wide)),
    }
}
