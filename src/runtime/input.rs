//! Terminal events in the chat's own words.

use crate::app::{Code, Event, Key};
use crossterm::event::{
    Event as Term, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};

/// Rows that one turn of the wheel scrolls.
const WHEEL: i32 = 3;

/// The event that this is, if it is one for the chat.
pub fn event(term: Term) -> Option<Event> {
    match term {
        Term::Key(key) if key.kind != KeyEventKind::Release => self::key(key).map(Event::Key),
        Term::Paste(text) => Some(Event::Paste(text)),
        Term::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(Event::Wheel(-WHEEL)),
            MouseEventKind::ScrollDown => Some(Event::Wheel(WHEEL)),
            MouseEventKind::Down(MouseButton::Left) => Some(Event::Click(mouse.column, mouse.row)),
            _ => None,
        },
        Term::Resize(..) => Some(Event::Resized),
        Term::Key(_) | Term::FocusGained | Term::FocusLost => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    let mut shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => {
            shift = true;
            Code::Tab
        }
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    };
    let key = Key {
        code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
        shift,
    };
    Some(key.normal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifted_letters_are_characters_and_shifted_enter_keeps_its_shift() {
        let press = |code, modifiers| key(KeyEvent::new(code, modifiers)).unwrap();
        assert_eq!(
            press(KeyCode::Char('A'), KeyModifiers::SHIFT),
            "A".parse().unwrap()
        );
        assert_eq!(
            press(KeyCode::Enter, KeyModifiers::SHIFT),
            "shift-enter".parse().unwrap()
        );
        assert_eq!(
            press(KeyCode::Char('j'), KeyModifiers::CONTROL),
            "ctrl-j".parse().unwrap()
        );
    }
}
