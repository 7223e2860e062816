//! Messages as frames on a pipe: a big-endian u32 length, then postcard.

use crate::protocol::engine::MAX_FRAME;
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, Read, Write};
use tokio_util::codec::LengthDelimitedCodec;

/// The codec of the tokio side; the blocking functions below speak the same.
pub fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(MAX_FRAME)
        .new_codec()
}

/// A message as the bytes of one frame's body.
pub fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    postcard::to_allocvec(message).map_err(io::Error::other)
}

/// The message in a frame's body.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    postcard::from_bytes(body).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

/// Writes one frame and flushes it.
pub fn write<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let body = encode(message)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut frame = Vec::with_capacity(body.len() + 4);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&body);
    to.write_all(&frame)?;
    to.flush()
}

/// Reads one frame; None at a clean end.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "frame too long"));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    decode(&body).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::engine::Command;

    #[test]
    fn a_message_comes_back_as_it_went_in() {
        let mut pipe = Vec::new();
        write(&mut pipe, &Command::Cancel(7)).unwrap();
        write(&mut pipe, &Command::Devices).unwrap();
        let mut from = pipe.as_slice();
        assert_eq!(read(&mut from).unwrap(), Some(Command::Cancel(7)));
        assert_eq!(read(&mut from).unwrap(), Some(Command::Devices));
        assert_eq!(read::<Command>(&mut from).unwrap(), None);
    }
}
