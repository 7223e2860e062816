//! The message being written: an editor, the history of what was sent, and
//! the choice among slash commands.
//!
//! What is attached stands in the text as a chip, its name between ⟦ and ⟧.
//!
//! The text and its undo live in `ratatui_textarea`, which is used here as an
//! editing model only; movement and deletion are by whole graphemes.

mod keys;

use super::key::{Code, Key};
use super::slash;
use crate::chat::attachment::{self, Attachment};
use crate::chat::text::sanitise;
pub use keys::{EDIT_KEYS, EditKey};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};
use unicode_segmentation::UnicodeSegmentation;

#[derive(Debug)]
pub struct Composer {
    /// The editor. The view may read it.
    pub area: TextArea<'static>,
    /// What was sent before, the oldest first.
    history: Vec<String>,
    /// Which entry of the history is shown, if any.
    at: Option<usize>,
    /// What was being written when walking the history began.
    draft: String,
    /// The chosen slash command, when some match.
    pub choice: usize,
    /// What the chips stand for, by their names.
    attached: Vec<(String, Attachment)>,
    /// Set whenever the text may have changed.
    pub(super) touched: bool,
}

/// On both sides of a chip's name.
const CHIP: (char, char) = ('⟦', '⟧');

fn chip(name: &str) -> String {
    format!("{}{name}{}", CHIP.0, CHIP.1)
}

impl Default for Composer {
    fn default() -> Self {
        Self {
            area: fresh(""),
            history: Vec::new(),
            at: None,
            draft: String::new(),
            choice: 0,
            attached: Vec::new(),
            touched: false,
        }
    }
}

fn fresh(text: &str) -> TextArea<'static> {
    let mut area = TextArea::new(text.split('\n').map(str::to_string).collect());
    area.set_wrap_mode(WrapMode::WordOrGlyph);
    // No underline under the cursor's line.
    area.set_cursor_line_style(Default::default());
    area.set_max_histories(1000);
    area.move_cursor(CursorMove::Bottom);
    area.move_cursor(CursorMove::End);
    area
}

impl Composer {
    /// The message as it would be sent: what is attached as its marker.
    pub fn text(&self) -> String {
        let mut text = self.area.lines().join("\n");
        if text.contains(CHIP.0) {
            for (name, attachment) in &self.attached {
                text = text.replace(&chip(name), &attachment.marker());
            }
        }
        text
    }

    /// Puts a chip for something attached where the cursor is.
    pub fn attach(&mut self, attachment: &Attachment) {
        let chip = self.chip_of(attachment);
        let (row, column) = self.cursor();
        let before = self.line(row).chars().take(column).last();
        if before.is_some_and(|c| !c.is_whitespace()) {
            self.area.insert_char(' ');
        }
        self.area.insert_str(chip);
        self.area.insert_char(' ');
        self.edited();
    }

    /// The chip of an attachment, under a name that no other has.
    fn chip_of(&mut self, attachment: &Attachment) -> String {
        let known = self.attached.iter().find(|(_, known)| known == attachment);
        if let Some((name, _)) = known {
            return chip(name);
        }
        let is_taken = |name: &str| self.attached.iter().any(|(taken, _)| taken == name);
        let plain = &attachment.name;
        let mut numbered = (2..).map(|n| format!("{plain} {n}"));
        let name = match is_taken(plain) {
            false => plain.clone(),
            true => numbered.find(|name| !is_taken(name)).unwrap_or_default(),
        };
        let chip = chip(&name);
        self.attached.push((name, attachment.clone()));
        chip
    }

    /// What is attached now, in order.
    pub fn attached(&self) -> Vec<Attachment> {
        match self.attached.is_empty() {
            true => Vec::new(),
            false => attachment::of(&self.text()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Replaces everything, as one step that can be undone.
    pub fn set(&mut self, text: &str) {
        self.touched = true;
        let text = &attachment::replace(text, |one| self.chip_of(one));
        // `select_all` of the text area ends at column 65,535.
        self.area.cancel_selection();
        self.go(CursorMove::Top);
        self.go(CursorMove::Head);
        self.area.start_selection();
        self.go(CursorMove::Bottom);
        self.go(CursorMove::End);
        if text.is_empty() {
            self.area.cut();
        } else {
            self.area.insert_str(text);
        }
        self.area.cancel_selection();
        self.choice = 0;
    }

    /// Inserts pasted text as one step, made harmless, with its line ends as
    /// line feeds.
    pub fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.area.insert_str(sanitise(&text).as_ref());
        self.edited();
    }

    /// Puts what is written among what was sent before, so that Up brings it
    /// back when something else takes its place.
    pub fn shelve(&mut self) {
        let text = self.text();
        if !text.trim().is_empty() && self.history.last() != Some(&text) {
            self.history.push(text);
        }
        self.at = None;
    }

    pub fn newline(&mut self) {
        self.area.insert_newline();
        self.edited();
    }

    /// Takes the message away to be sent, and remembers it.
    pub fn take(&mut self) -> String {
        let text = self.text();
        self.touched = true;
        self.shelve();
        self.draft.clear();
        self.choice = 0;
        self.area = fresh("");
        text
    }

    /// Edits by a key; false when the key means nothing here.
    pub fn key(&mut self, key: Key) -> bool {
        self.touched = true;
        if let Some(c) = key.typed() {
            self.area.insert_char(c);
            self.edited();
            return true;
        }
        match key.code {
            Code::Up if !key.ctrl && !key.alt => self.up(),
            Code::Down if !key.ctrl && !key.alt => self.down(),
            _ => {
                let edit = EDIT_KEYS
                    .iter()
                    .find(|e| e.keys.iter().any(|k| k.parse().as_ref() == Ok(&key)));
                let Some(edit) = edit else { return false };
                (edit.run)(self);
                self.choice = 0;
            }
        }
        true
    }

    /// Whether the cursor is at the end of its line.
    pub fn at_line_end(&self) -> bool {
        let (row, column) = self.cursor();
        self.line(row).chars().count() == column
    }

    /// Slash commands that match what is written so far.
    pub fn suggestions(&self) -> Vec<&'static super::action::Entry> {
        slash::matches(&self.text())
    }

    fn edited(&mut self) {
        self.touched = true;
        self.at = None;
        self.choice = 0;
    }

    fn cursor(&self) -> (usize, usize) {
        let cursor = self.area.cursor();
        (cursor.0, cursor.1)
    }

    fn line(&self, row: usize) -> &str {
        self.area.lines().get(row).map_or("", String::as_str)
    }

    fn go(&mut self, to: CursorMove) {
        self.area.move_cursor(to);
    }

    /// Characters of the grapheme before the cursor; 0 at the line's start.
    fn before(&self) -> usize {
        let (row, column) = self.cursor();
        let head: String = self.line(row).chars().take(column).collect();
        head.graphemes(true)
            .next_back()
            .map_or(0, |g| g.chars().count())
    }

    /// Characters of the grapheme after the cursor; 0 at the line's end.
    fn after(&self) -> usize {
        let (row, column) = self.cursor();
        let tail: String = self.line(row).chars().skip(column).collect();
        tail.graphemes(true).next().map_or(0, |g| g.chars().count())
    }

    fn left(&mut self) {
        for _ in 0..self.before().max(1) {
            self.go(CursorMove::Back);
        }
    }

    fn right(&mut self) {
        for _ in 0..self.after().max(1) {
            self.go(CursorMove::Forward);
        }
    }

    fn backspace(&mut self) {
        let (row, column) = self.cursor();
        let head: String = self.line(row).chars().take(column).collect();
        let mut names = self.attached.iter().map(|(name, _)| chip(name));
        if let Some(chip) = names.find(|chip| head.ends_with(chip.as_str())) {
            // A chip goes as a whole.
            let chars = chip.chars().count();
            for _ in 0..chars {
                self.go(CursorMove::Back);
            }
            self.area.delete_str(chars);
            self.edited();
            return;
        }
        match self.before() {
            // The start of a line: joins it to the one above.
            0 | 1 => {
                self.area.delete_char();
            }
            chars => {
                self.left();
                self.area.delete_str(chars);
            }
        }
        self.edited();
    }

    fn delete(&mut self) {
        match self.after() {
            0 | 1 => {
                self.area.delete_next_char();
            }
            chars => {
                self.area.delete_str(chars);
            }
        }
        self.edited();
    }

    /// Up: the suggestion above, the row above, or the message sent before.
    fn up(&mut self) {
        if self.at.is_none() && !self.suggestions().is_empty() {
            self.choice = self.choice.saturating_sub(1);
            return;
        }
        if self.area.screen_cursor().row > 0 {
            self.go(CursorMove::Up);
            return;
        }
        let earlier = self.at.unwrap_or(self.history.len()).checked_sub(1);
        if let Some(earlier) = earlier {
            if self.at.is_none() {
                self.draft = self.text();
            }
            self.show_history(Some(earlier));
        }
    }

    /// Down: the suggestion below, the row below, or the message sent after.
    fn down(&mut self) {
        let suggestions = self.suggestions().len();
        if self.at.is_none() && suggestions > 0 {
            self.choice = (self.choice + 1).min(suggestions - 1);
            return;
        }
        let before = self.area.cursor();
        self.go(CursorMove::Down);
        let moved = self.area.cursor().0 != before.0 || self.area.cursor().1 != before.1;
        if moved {
            return;
        }
        if let Some(at) = self.at {
            let later = (at + 1 < self.history.len()).then_some(at + 1);
            self.show_history(later);
        }
    }

    fn show_history(&mut self, at: Option<usize>) {
        let text = match at {
            Some(i) => self.history.get(i).cloned().unwrap_or_default(),
            None => std::mem::take(&mut self.draft),
        };
        self.set(&text);
        self.at = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Composer {
        let mut composer = Composer::default();
        composer.paste(text);
        composer
    }

    fn press(composer: &mut Composer, keys: &[&str]) {
        for key in keys {
            assert!(composer.key(key.parse().unwrap()), "{key} does nothing");
        }
    }

    #[test]
    fn every_editing_key_can_be_parsed() {
        for key in EDIT_KEYS.iter().flat_map(|e| e.keys) {
            key.parse::<Key>().unwrap();
        }
    }

    #[test]
    fn backspace_takes_a_whole_family_emoji() {
        let mut composer = typed("a👨‍👩‍👧é");
        press(&mut composer, &["backspace", "backspace"]);
        assert_eq!(composer.text(), "a");
        press(&mut composer, &["ctrl-/"]);
        assert_eq!(composer.text(), "a👨‍👩‍👧");
    }

    #[test]
    fn a_paste_of_many_lines_is_one_step_to_undo() {
        let mut composer = typed("one\r\ntwo\rthree");
        assert_eq!(composer.text(), "one\ntwo\nthree");
        press(&mut composer, &["ctrl-/"]);
        assert_eq!(composer.text(), "");
    }

    #[test]
    fn up_at_the_first_row_walks_the_history_and_down_returns_to_the_draft() {
        let mut composer = typed("first");
        composer.take();
        composer.paste("second");
        composer.take();
        composer.paste("draft");
        press(&mut composer, &["up"]);
        assert_eq!(composer.text(), "second");
        press(&mut composer, &["up", "up"]);
        assert_eq!(composer.text(), "first");
        press(&mut composer, &["down", "down"]);
        assert_eq!(composer.text(), "draft");
    }

    #[test]
    fn up_inside_several_lines_moves_the_cursor_first() {
        let mut composer = typed("sent");
        composer.take();
        composer.paste("a\nb");
        press(&mut composer, &["up"]);
        assert_eq!(composer.text(), "a\nb");
        press(&mut composer, &["up"]);
        assert_eq!(composer.text(), "sent");
    }

    #[test]
    fn words_are_moved_over_and_deleted() {
        let mut composer = typed("one two three");
        press(&mut composer, &["ctrl-w", "alt-b", "alt-d"]);
        assert_eq!(composer.text(), "one  ");
    }

    /// Found as the rest of a long paste that was sent with the next message.
    #[test]
    fn a_line_longer_than_the_text_area_counts_is_replaced_whole() {
        let mut composer = typed(&"word ".repeat(30_000));
        composer.set("");
        assert_eq!(composer.text(), "");
        composer.paste(&"word ".repeat(30_000));
        composer.set("short");
        assert_eq!(composer.text(), "short");
    }

    #[test]
    fn an_escape_sequence_in_a_paste_is_made_visible() {
        assert_eq!(typed("a\u{1b}[2Jb").text(), "a␛[2Jb");
    }
}
