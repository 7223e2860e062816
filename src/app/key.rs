//! Keys in our own words, so that tests and files can write `"ctrl-k"`.

use std::fmt;
use std::str::FromStr;

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

/// A key with its modifiers. For characters the shift is in the character
/// itself (`A`, not shift-a), unless ctrl or alt is held too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
    pub shift: bool,
}

const NAMED: &[(&str, Code)] = &[
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("insert", Code::Insert),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pageup", Code::PageUp),
    ("pagedown", Code::PageDown),
    ("space", Code::Char(' ')),
    ("minus", Code::Char('-')),
];

impl Key {
    /// The key without modifiers.
    pub fn plain(code: Code) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
            shift: false,
        }
    }

    /// The one form in which equal keys are equal.
    pub fn normal(mut self) -> Self {
        if let Code::Char(c) = self.code {
            if self.ctrl || self.alt {
                self.shift |= c.is_uppercase();
                self.code = Code::Char(c.to_lowercase().next().unwrap_or(c));
            } else {
                self.shift = false;
            }
        }
        self
    }

    /// The character that this key types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

/// A key that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a key; write for instance \"ctrl-k\", \"alt-enter\", \"f1\" or \"pageup\"")]
pub struct KeyError(String);

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(written: &str) -> Result<Self, KeyError> {
        let error = || KeyError(written.to_string());
        let mut key = Key::plain(Code::Esc);
        let mut rest = written.trim();
        loop {
            let lower = rest.to_lowercase();
            let (flag, len) = match lower.as_str() {
                l if l.starts_with("ctrl-") => (&mut key.ctrl, 5),
                l if l.starts_with("alt-") => (&mut key.alt, 4),
                l if l.starts_with("shift-") => (&mut key.shift, 6),
                _ => break,
            };
            *flag = true;
            rest = rest.get(len..).ok_or_else(error)?;
        }
        let lower = rest.to_lowercase();
        let mut chars = rest.chars();
        key.code = if let Some((_, code)) = NAMED.iter().find(|(name, _)| *name == lower) {
            *code
        } else if let (Some(c), None) = (chars.next(), chars.next()) {
            Code::Char(c)
        } else {
            let number = lower.strip_prefix('f').and_then(|n| n.parse().ok());
            Code::F(number.filter(|n| (1..=24).contains(n)).ok_or_else(error)?)
        };
        Ok(key.normal())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = [
            (self.ctrl, "Ctrl+"),
            (self.alt, "Alt+"),
            (self.shift, "Shift+"),
        ];
        for (_, name) in held.iter().filter(|(on, _)| *on) {
            f.write_str(name)?;
        }
        match self.code {
            Code::F(n) => write!(f, "F{n}"),
            Code::Char(' ') => f.write_str("Space"),
            Code::Char(c) if self.ctrl || self.alt => write!(f, "{}", c.to_uppercase()),
            Code::Char(c) => write!(f, "{c}"),
            Code::PageUp => f.write_str("PgUp"),
            Code::PageDown => f.write_str("PgDn"),
            Code::Up => f.write_str("↑"),
            Code::Down => f.write_str("↓"),
            Code::Left => f.write_str("←"),
            Code::Right => f.write_str("→"),
            code => {
                let name = NAMED
                    .iter()
                    .find(|(_, c)| *c == code)
                    .map_or("", |(n, _)| n);
                let mut chars = name.chars();
                let first = chars.next().map(|c| c.to_ascii_uppercase());
                write!(
                    f,
                    "{}{}",
                    first.map_or(String::new(), String::from),
                    chars.as_str()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_people_write_them() {
        for (written, shown) in [
            ("ctrl-k", "Ctrl+K"),
            ("alt-enter", "Alt+Enter"),
            ("f1", "F1"),
            ("?", "?"),
            ("ctrl-minus", "Ctrl+-"),
            ("ctrl--", "Ctrl+-"),
            ("PageUp", "PgUp"),
        ] {
            assert_eq!(
                written.parse::<Key>().unwrap().to_string(),
                shown,
                "{written}"
            );
        }
    }

    #[test]
    fn a_typo_is_an_error_that_shows_how_keys_are_written() {
        let error = "crtl-k".parse::<Key>().unwrap_err().to_string();
        assert!(error.contains("crtl-k") && error.contains("\"ctrl-k\""));
        assert!("f99".parse::<Key>().is_err());
        assert!("".parse::<Key>().is_err());
    }
}
