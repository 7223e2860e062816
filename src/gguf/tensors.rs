//! The list of tensors, with what llama.cpp's `gguf.cpp` holds against it.

use super::error::{GgufError, shown};
use super::source::Source;
use super::types::{TensorType, removed_type, tensor_type};

/// Real files have some thousands.
const MOST_TENSORS: u64 = 16_384;
/// Bytes that a tensor takes in the list at least.
const LEAST_TENSOR: u64 = 8 + 1 + 4 + 4 + 8;
/// `GGML_MAX_NAME` is 64, and builds may raise it.
const LONGEST_NAME: u64 = 1024;

/// One tensor in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub name: Box<str>,
    /// Numbers along each dimension, a row's first; at most four.
    pub dims: Box<[u64]>,
    pub kind: &'static TensorType,
    /// From the start of the data.
    pub offset: u64,
    /// Bytes of the data, without padding.
    pub bytes: u64,
}

impl Tensor {
    /// How many numbers it holds.
    pub fn numbers(&self) -> u64 {
        self.dims.iter().product()
    }
}

/// Reads the list, each tensor with its place in the data.
pub fn read_tensors(
    source: &mut Source,
    count: u64,
    alignment: u64,
) -> Result<Vec<Tensor>, GgufError> {
    let count = source.count("tensors", count, LEAST_TENSOR, MOST_TENSORS)?;
    let mut tensors = Vec::with_capacity(count);
    // Each follows the one before it: llama.cpp reads no others.
    let mut expected = 0u64;
    for _ in 0..count {
        let tensor = read_tensor(source)?;
        if tensor.offset != expected {
            return Err(GgufError::Offset {
                name: shown(&tensor.name),
                offset: tensor.offset,
                expected,
            });
        }
        expected = expected
            .checked_add(tensor.bytes)
            .and_then(|end| end.checked_next_multiple_of(alignment))
            .ok_or_else(|| GgufError::TensorTooLarge(shown(&tensor.name)))?;
        tensors.push(tensor);
    }
    match first_twice(count, |i| &tensors[i].name) {
        Some(i) => Err(GgufError::Twice(format!(
            "the tensor {}",
            shown(&tensors[i].name)
        ))),
        None => Ok(tensors),
    }
}

fn read_tensor(source: &mut Source) -> Result<Tensor, GgufError> {
    let name = source.name(LONGEST_NAME)?;
    let count = source.u32()?;
    if count > 4 {
        return Err(GgufError::Dimensions {
            name: shown(&name),
            dims: count,
        });
    }
    let dims: Result<Vec<u64>, _> = (0..count).map(|_| source.u64()).collect();
    let dims = dims?.into_boxed_slice();
    let code = source.u32()?;
    let offset = source.u64()?;
    let kind = tensor_type(code).ok_or_else(|| unknown_type(&name, code))?;
    let bytes = tensor_bytes(&name, &dims, kind)?;
    Ok(Tensor {
        name,
        dims,
        kind,
        offset,
        bytes,
    })
}

fn unknown_type(name: &str, code: u32) -> GgufError {
    let name = shown(name);
    match removed_type(code) {
        Some((kind, instead)) => GgufError::RemovedType {
            name,
            kind,
            instead,
        },
        None => GgufError::TensorType { name, code },
    }
}

fn tensor_bytes(name: &str, dims: &[u64], kind: &TensorType) -> Result<u64, GgufError> {
    let too_large = || GgufError::TensorTooLarge(shown(name));
    // Without a zero among them: the product of the others counts too.
    let all = dims
        .iter()
        .try_fold(1u64, |n, d| n.checked_mul((*d).max(1)));
    all.filter(|n| i64::try_from(*n).is_ok())
        .ok_or_else(too_large)?;
    let width = dims.first().copied().unwrap_or(1);
    if width % kind.block != 0 {
        return Err(GgufError::Row {
            name: shown(name),
            width,
            block: kind.block,
        });
    }
    let blocks = dims.iter().product::<u64>() / kind.block;
    blocks.checked_mul(kind.bytes).ok_or_else(too_large)
}

/// The place of a name that comes again.
pub fn first_twice<'a>(count: usize, name: impl Fn(usize) -> &'a str) -> Option<usize> {
    let mut order: Vec<u32> = (0..).take(count).collect();
    let name = |i: u32| name(i as usize);
    order.sort_unstable_by_key(|i| name(*i));
    let pair = order.windows(2).find(|w| name(w[0]) == name(w[1]))?;
    Some(pair[0] as usize)
}
