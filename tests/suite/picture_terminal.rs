//! What a terminal can draw: from its environment, and from its answers on a
//! pseudo-terminal. The other side of that is this program itself, see `child`.

use parlor::ui::picture::{CellSize, Depth, Protocol, Wish, depth, known, parse, through_tmux};

/// Variables and their values.
type List = &'static [(&'static str, &'static str)];

fn variables<'a>(list: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| {
        let found = list.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| (*value).to_string())
    }
}

#[test]
fn the_environment_tells_what_most_terminals_draw() {
    use Protocol::{HalfBlocks, Iterm2, Kitty, Off, Sixel};
    let cases: [(List, Option<Protocol>); 16] = [
        (&[("TERM", "xterm-kitty")], Some(Kitty)),
        (&[("TERM", "xterm-ghostty")], Some(Kitty)),
        (
            &[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")],
            Some(Kitty),
        ),
        (
            &[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")],
            Some(Iterm2),
        ),
        (
            &[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2")],
            Some(Iterm2),
        ),
        (&[("TERM", "foot")], Some(Sixel)),
        (&[("TERM", "dumb")], Some(Off)),
        (&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")], Some(Off)),
        (&[("TERM", "linux")], Some(HalfBlocks)),
        (&[], Some(HalfBlocks)),
        // Started from another terminal's shell.
        (
            &[("TERM", "alacritty"), ("TERM_PROGRAM", "WezTerm")],
            Some(HalfBlocks),
        ),
        (
            &[
                ("TERM", "xterm"),
                ("KITTY_WINDOW_ID", "1"),
                ("VTE_VERSION", "7600"),
            ],
            None,
        ),
        // A multiplexer that keeps the outer name.
        (&[("TERM", "xterm-kitty"), ("ZELLIJ", "0")], None),
        (
            &[
                ("TERM", "screen"),
                ("TMUX", "/tmp/x"),
                ("KITTY_WINDOW_ID", "1"),
            ],
            Some(HalfBlocks),
        ),
        // To be asked.
        (&[("TERM", "xterm-256color")], None),
        (
            &[("TERM", "xterm-256color"), ("TERM_PROGRAM", "vscode")],
            None,
        ),
    ];
    for (list, expected) in cases {
        assert_eq!(known(&variables(list)), expected, "{list:?}");
    }
}

#[test]
fn tmux_draws_what_its_own_terminal_draws_when_it_may_pass_it_on() {
    assert_eq!(
        through_tmux("kitty(0.35.2)\txterm-kitty\ton\n"),
        Protocol::Kitty
    );
    assert_eq!(
        through_tmux("ghostty 1.1.0\txterm-256color\tall\n"),
        Protocol::Kitty
    );
    assert_eq!(through_tmux("\txterm-ghostty\t1\n"), Protocol::Kitty);
    assert_eq!(
        through_tmux("kitty(0.35.2)\txterm-kitty\toff\n"),
        Protocol::HalfBlocks
    );
    assert_eq!(
        through_tmux("XTerm(379)\txterm-256color\ton\n"),
        Protocol::HalfBlocks
    );
    assert_eq!(through_tmux(""), Protocol::HalfBlocks);
}

#[test]
fn colours_and_names_are_read() {
    let of = |list: &[(&str, &str)]| depth(&variables(list));
    assert_eq!(
        of(&[("COLORTERM", "truecolor"), ("TERM", "xterm")]),
        Depth::True
    );
    assert_eq!(of(&[("TERM", "tmux-256color")]), Depth::Indexed);
    assert_eq!(of(&[("TERM", "linux")]), Depth::Basic);
    assert_eq!("sixel".parse(), Ok(Wish::Use(Protocol::Sixel)));
    assert_eq!("auto".parse(), Ok(Wish::Auto));
    assert!("sixels".parse::<Wish>().unwrap_err().contains("halfblocks"));
}

#[test]
fn answers_are_told_from_keys() {
    let answers = parse("aü\x1b[6;18;9t\x1b[Ab\x1b[?62;4;22cq".as_bytes());
    assert_eq!(
        answers.cell,
        Some(CellSize {
            width: 9,
            height: 18
        })
    );
    assert_eq!(answers.sixel, Some(true));
    assert_eq!(answers.typed, "aü\x1b[Abq".as_bytes());
    assert!(!answers.unfinished);
    let answers = parse(b"\x1b[6;0;0t\x1b[?64;1c");
    assert_eq!((answers.cell, answers.sixel), (None, Some(false)));
    assert!(parse(b"\x1b[?62;4").unfinished);
}

#[cfg(unix)]
mod asking {
    use parlor::ui::picture::Wish;
    use portable_pty::{Child, CommandBuilder, PtyPair, PtySize, native_pty_system};
    use std::io::{Read, Write};

    /// Runs in a child: asks, says what it found, then the keys until `q`.
    #[test]
    #[ignore = "is run by the tests beside it, on a pseudo-terminal"]
    fn child() {
        use crossterm::event::{Event, KeyCode, KeyEvent, read};
        crossterm::terminal::enable_raw_mode().unwrap();
        let begun = std::time::Instant::now();
        let asked = parlor::runtime::ask::abilities(Wish::Auto);
        let took = begun.elapsed().as_millis();
        print!(
            "<{:?} {:?} {took}>",
            asked.abilities.protocol, asked.abilities.cell
        );
        let show = |key: KeyEvent| match key.code {
            KeyCode::Char(c) if key.modifiers.is_empty() => print!("[{c}]"),
            code => print!("[{:?}-{code:?}]", key.modifiers),
        };
        asked.typed.into_iter().for_each(show);
        print!("<ready>");
        std::io::stdout().flush().unwrap();
        loop {
            match read().unwrap() {
                Event::Key(key) if key.code == KeyCode::Char('q') => break,
                Event::Key(key) => show(key),
                other => print!("[{other:?}]"),
            }
        }
        print!("<over>");
        std::io::stdout().flush().unwrap();
        crossterm::terminal::disable_raw_mode().unwrap();
    }

    /// A terminal in which the child runs.
    struct Terminal {
        _pair: PtyPair,
        child: Box<dyn Child + Send + Sync>,
        reader: Box<dyn Read + Send>,
        writer: Box<dyn Write + Send>,
        heard: String,
    }

    impl Terminal {
        fn start(pixels: (u16, u16), term: &str) -> Self {
            let size = PtySize {
                rows: 24,
                cols: 80,
                pixel_width: pixels.0,
                pixel_height: pixels.1,
            };
            let pair = native_pty_system().openpty(size).unwrap();
            let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
            command.args(["--ignored", "--exact", "--nocapture", "--test-threads=1"]);
            command.arg(format!(
                "{}::child",
                module_path!().split_once("::").unwrap().1
            ));
            command.env_clear();
            command.env("TERM", term);
            let child = pair.slave.spawn_command(command).unwrap();
            Self {
                reader: pair.master.try_clone_reader().unwrap(),
                writer: pair.master.take_writer().unwrap(),
                _pair: pair,
                child,
                heard: String::new(),
            }
        }

        /// Reads until this was said.
        fn hear(&mut self, what: &str) {
            let mut buffer = [0; 4096];
            while !self.heard.contains(what) {
                let count = self.reader.read(&mut buffer).unwrap();
                assert!(count > 0, "ended after {:?}", self.heard);
                self.heard += &String::from_utf8_lossy(&buffer[..count]);
            }
        }

        fn say(&mut self, bytes: &str) {
            self.writer.write_all(bytes.as_bytes()).unwrap();
            self.writer.flush().unwrap();
        }

        /// What the child found, the milliseconds it took, and its keys.
        fn end(mut self) -> (String, u64, String) {
            self.hear("<ready>");
            self.say("q");
            self.hear("<over>");
            self.child.wait().unwrap();
            let said = self.heard.split_once('<').unwrap().1;
            let (found, keys) = said.split_once('>').unwrap();
            let (found, took) = found.rsplit_once(' ').unwrap();
            let keys = keys.split_once("<over>").unwrap().0.replace("<ready>", "");
            (found.to_string(), took.parse().unwrap(), keys)
        }
    }

    #[test]
    fn a_terminal_that_answers_is_believed_and_keys_are_kept() {
        let mut terminal = Terminal::start((0, 0), "xterm-256color");
        terminal.hear("\x1b[16t\x1b[c");
        terminal.say("a\x1b[6;18;9tB\x1b[?62;4;22c");
        terminal.hear("<ready>");
        terminal.say("c");
        let (found, took, keys) = terminal.end();
        assert_eq!(found, "Sixel CellSize { width: 9, height: 18 }");
        assert_eq!(keys, "[a][KeyModifiers(SHIFT)-Char('B')][c]");
        assert!(took < 1000, "{took} ms");
    }

    #[test]
    fn a_terminal_without_sixels_gets_half_blocks() {
        let mut terminal = Terminal::start((800, 480), "xterm-256color");
        terminal.hear("\x1b[c");
        terminal.say("\x1b[?64;1;2c");
        let (found, _, keys) = terminal.end();
        assert_eq!(found, "HalfBlocks CellSize { width: 10, height: 20 }");
        assert_eq!(keys, "");
    }

    #[test]
    fn a_terminal_that_never_answers_holds_nothing_up_and_keys_are_kept() {
        let mut terminal = Terminal::start((0, 0), "xterm-256color");
        terminal.hear("\x1b[c");
        terminal.say("hi\x1b[A");
        terminal.hear("<ready>");
        let (found, took, keys) = terminal.end();
        assert!(found.starts_with("HalfBlocks"), "{found}");
        assert_eq!(keys, "[h][i][KeyModifiers(0x0)-Up]");
        // What is promised is 100; the rest is for a machine that is busy.
        assert!((80..1000).contains(&took), "{took} ms");
    }

    #[test]
    fn an_answer_in_pieces_is_put_together() {
        let mut terminal = Terminal::start((800, 480), "xterm-256color");
        terminal.hear("\x1b[c");
        for piece in ["x\x1b", "[6;20", ";10t", "y", "\x1b[?6", "2;4", "c"] {
            terminal.say(piece);
        }
        let (found, _, keys) = terminal.end();
        assert!(found.starts_with("Sixel"), "{found}");
        assert_eq!(keys, "[x][y]");
    }

    #[test]
    fn answers_that_come_too_late_are_no_keys() {
        let mut terminal = Terminal::start((0, 0), "xterm-256color");
        terminal.hear("<ready>");
        terminal.say("m\x1b[6;18;9t\x1b[?62;4;22cn");
        let (found, _, keys) = terminal.end();
        assert!(found.starts_with("HalfBlocks"), "{found}");
        assert_eq!(keys, "[m][n]");
    }

    #[test]
    fn a_terminal_that_is_known_is_not_asked() {
        for (term, found) in [("xterm-kitty", "Kitty"), ("alacritty", "HalfBlocks")] {
            let mut terminal = Terminal::start((800, 480), term);
            terminal.hear("<ready>");
            assert!(!terminal.heard.contains("\x1b["), "{:?}", terminal.heard);
            assert!(terminal.end().0.starts_with(found), "{term}");
        }
    }
}
