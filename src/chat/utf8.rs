//! Joins bytes that arrive in any split into whole UTF-8 characters.

/// Holds the bytes of a character that has not fully arrived.
#[derive(Debug, Default)]
pub struct Utf8Stream {
    pending: Vec<u8>,
}

impl Utf8Stream {
    /// Adds bytes and returns every character that is now whole. Bytes that
    /// can never become a character turn into U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        let mut used = 0;
        while used < self.pending.len() {
            match std::str::from_utf8(&self.pending[used..]) {
                Ok(rest) => {
                    text.push_str(rest);
                    used = self.pending.len();
                }
                Err(error) => {
                    let valid = used + error.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.pending[used..valid]));
                    used = valid;
                    match error.error_len() {
                        Some(len) => {
                            text.push(char::REPLACEMENT_CHARACTER);
                            used += len;
                        }
                        None => break,
                    }
                }
            }
        }
        self.pending.drain(..used);
        text
    }

    /// Ends the stream: an unfinished character becomes U+FFFD.
    pub fn finish(&mut self) -> String {
        let rest = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_character_split_over_pushes_arrives_whole() {
        let mut stream = Utf8Stream::default();
        let bytes = "é€🦀".as_bytes();
        let texts: Vec<String> = bytes.iter().map(|b| stream.push(&[*b])).collect();
        assert_eq!(texts.concat(), "é€🦀");
        assert!(texts.iter().all(|t| t.chars().count() <= 1));
    }

    proptest! {
        #[test]
        fn any_split_of_bytes_gives_the_same_text(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..10),
        ) {
            let whole = String::from_utf8_lossy(&bytes).into_owned();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let mut stream = Utf8Stream::default();
            let mut text = String::new();
            let mut from = 0;
            for to in cuts {
                text.push_str(&stream.push(&bytes[from..to]));
                from = to;
            }
            text.push_str(&stream.finish());
            prop_assert_eq!(text, whole);
        }
    }
}
