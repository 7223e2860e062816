//! Mends JSON that names half a character, as some exports do where a text was
//! cut in the middle of one.

/// The JSON with U+FFFD for every half of a character that stands alone; None
/// when there is none, as there is nothing to mend.
pub(super) fn surrogates(json: &str) -> Option<String> {
    const STAND_IN: &str = "\\ufffd";
    let mut out = String::new();
    // Up to where the text is taken over.
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        at += found;
        let Some(code) = unit(json, at) else {
            // The character after it is escaped, be it a backslash itself.
            at += 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        let next = unit(json, at + 6);
        match code {
            0xd800..=0xdbff if next.is_some_and(|n| (0xdc00..=0xdfff).contains(&n)) => at += 12,
            0xd800..=0xdfff => {
                out.push_str(&json[done..at]);
                out.push_str(STAND_IN);
                at += 6;
                done = at;
            }
            _ => at += 6,
        }
    }
    if done == 0 {
        return None;
    }
    out.push_str(&json[done..]);
    Some(out)
}

/// The number in a `\uXXXX` that begins here.
fn unit(json: &str, at: usize) -> Option<u32> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_halves_that_stand_alone_are_replaced() {
        let mended = |json| surrogates(json).unwrap_or_default();
        assert_eq!(mended(r#""a\ud83d""#), r#""a\ufffd""#);
        assert_eq!(mended(r#""\ude00\ud83d\ude00""#), r#""\ufffd\ud83d\ude00""#);
        assert_eq!(mended(r#""\ud83d\ud83d\ude00""#), r#""\ufffd\ud83d\ude00""#);
        // A backslash that is escaped escapes nothing.
        assert_eq!(surrogates(r#""\\ud83d \n \u00e4 \ud83d\ude00""#), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"(\\|\\u|ud[8-f]..|[\\u0-9a-dä😀]){0,12}") {
            let mended = surrogates(&text);
            prop_assert!(mended.is_none_or(|m| surrogates(&m).is_none()));
        }
    }
}
