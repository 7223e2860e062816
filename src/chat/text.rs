//! Makes hostile text harmless before it can reach a terminal.

/// Whether a character could command or deceive the terminal: C0 (apart from
/// line feed and tab), DEL, C1, bidirectional controls (UAX #9), line and
/// paragraph separators, and the tag characters that hide text.
pub fn is_hostile(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// What stands in for a hostile character: C0 as its picture (␛ for escape),
/// carriage return and hidden tags as nothing, anything else as U+FFFD.
pub fn stand_in(c: char) -> Option<char> {
    match c {
        '\r' | '\u{e0000}'..='\u{e007f}' => None,
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32),
        '\u{7f}' => Some('\u{2421}'),
        _ => Some(char::REPLACEMENT_CHARACTER),
    }
}

/// The text with every hostile character replaced; borrowed when it is clean.
pub fn sanitise(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(is_hostile) {
        return text.into();
    }
    let safe: String = text
        .chars()
        .filter_map(|c| if is_hostile(c) { stand_in(c) } else { Some(c) })
        .collect();
    safe.into()
}

/// The text on one line of at most `max` characters, for notices and titles.
pub fn one_line(text: &str, max: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = sanitise(&line);
    if line.chars().count() <= max {
        return line.into_owned();
    }
    let mut short: String = line.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// What stands in the last fenced block of code.
pub fn last_code(text: &str) -> Option<String> {
    let mut last = None;
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        let mark = line.trim_start();
        match &mut open {
            None => {
                let fence = ["```", "~~~"].into_iter().find(|f| mark.starts_with(f));
                open = fence.map(|fence| (fence, String::new()));
            }
            Some((fence, code)) if mark.trim_end() == *fence => {
                last = Some(std::mem::take(code));
                open = None;
            }
            Some((_, code)) => {
                code.push_str(line);
                code.push('\n');
            }
        }
    }
    // One that is still being written counts as well.
    open.map(|(_, code)| code).or(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_lose_their_power_and_stay_visible() {
        assert_eq!(sanitise("a\x1b[31mb\x07"), "a␛[31mb␇");
        assert_eq!(sanitise("a\u{9b}31m\u{202e}b"), "a\u{fffd}31m\u{fffd}b");
        assert_eq!(sanitise("line\r\nline\t."), "line\nline\t.");
    }

    proptest! {
        #[test]
        fn nothing_hostile_ever_comes_through(text in any::<String>()) {
            prop_assert!(!sanitise(&text).contains(is_hostile));
        }
    }
}
