//! The editing keys of the composer, and what each does.

use super::Composer;
use ratatui_textarea::CursorMove;

/// An editing key: its keys, what it does in words, and what it does.
pub struct EditKey {
    pub keys: &'static [&'static str],
    pub doc: &'static str,
    pub(super) run: fn(&mut Composer),
}

/// Every editing key; help is made from this table.
pub const EDIT_KEYS: &[EditKey] = &[
    EditKey {
        keys: &["left", "ctrl-b"],
        doc: "one character left",
        run: |c| c.left(),
    },
    EditKey {
        keys: &["right", "ctrl-f"],
        doc: "one character right",
        run: |c| c.right(),
    },
    EditKey {
        keys: &["ctrl-left", "alt-left", "alt-b"],
        doc: "one word left",
        run: |c| c.go(CursorMove::WordBack),
    },
    EditKey {
        keys: &["ctrl-right", "alt-right", "alt-f"],
        doc: "one word right",
        run: |c| c.go(CursorMove::WordForward),
    },
    EditKey {
        keys: &["home", "ctrl-a"],
        doc: "start of the line",
        run: |c| c.go(CursorMove::Head),
    },
    EditKey {
        keys: &["end", "ctrl-e"],
        doc: "end of the line",
        run: |c| c.go(CursorMove::End),
    },
    EditKey {
        keys: &["backspace", "ctrl-h"],
        doc: "delete the character before",
        run: |c| c.backspace(),
    },
    EditKey {
        keys: &["delete"],
        doc: "delete the character after",
        run: |c| c.delete(),
    },
    EditKey {
        keys: &["ctrl-w", "alt-backspace", "ctrl-backspace"],
        doc: "delete the word before",
        run: |c| {
            c.area.delete_word();
        },
    },
    EditKey {
        keys: &["alt-d", "ctrl-delete"],
        doc: "delete the word after",
        run: |c| {
            c.area.delete_next_word();
        },
    },
    EditKey {
        keys: &["ctrl-u"],
        doc: "delete to the start of the line",
        run: |c| {
            c.area.delete_line_by_head();
        },
    },
    EditKey {
        keys: &["ctrl-k"],
        doc: "delete to the end of the line",
        run: |c| {
            c.area.delete_line_by_end();
        },
    },
    EditKey {
        keys: &["ctrl-y"],
        doc: "put back what was deleted last",
        run: |c| {
            c.area.paste();
        },
    },
    EditKey {
        keys: &["ctrl-/", "ctrl-_", "ctrl-7"],
        doc: "undo",
        run: |c| {
            c.area.undo();
        },
    },
    EditKey {
        keys: &["alt-/"],
        doc: "redo",
        run: |c| {
            c.area.redo();
        },
    },
];
