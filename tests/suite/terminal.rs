//! The program in a real terminal: it enters, resizes, quits, panics, stops and
//! dies, and the terminal is always given back.

use crate::support::engine::program;
use crate::support::gguf::Tiny;
use crate::support::terminal::{Pty, child_of, ends_within, is_stopped, signal};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::Signal;
use std::io::Read;
use std::path::Path;
use tempfile::{TempDir, tempdir};

fn chat(home: &Path) -> Pty {
    let model = Tiny::saying(&["Hel", "lo, ", "world", "."]).write(home, "a.gguf");
    let mut pty = Pty::open(home, 80, 24, &["--model", model.to_str().unwrap()]);
    pty.sees("context 0/2048");
    pty
}

fn home() -> TempDir {
    tempdir().unwrap()
}

/// Fails unless every mode that the chat sets is unset again.
#[track_caller]
fn given_back(pty: &mut Pty) {
    pty.until("the terminal as it was", |p| {
        let screen = p.screen();
        !screen.alternate_screen()
            && !screen.bracketed_paste()
            && !screen.hide_cursor()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    });
    assert!(pty.echoes(), "the terminal is still raw");
}

#[test]
fn it_takes_the_terminal_answers_and_gives_it_back_on_quitting() {
    let home = home();
    let mut pty = chat(home.path());
    assert!(pty.parser.screen().alternate_screen() && pty.parser.screen().bracketed_paste());
    assert!(!pty.echoes());
    pty.write("hi\r");
    pty.sees("Hello, world.");
    pty.sees("tok/s");
    pty.write("\x04");
    assert_eq!(pty.wait(), 0);
    given_back(&mut pty);
}

#[test]
fn the_first_frame_is_up_without_any_model() {
    let home = home();
    let mut pty = Pty::open(home.path(), 80, 24, &[]);
    pty.sees("Which model?");
    pty.write("\x11");
    assert_eq!(pty.wait(), 0);
    given_back(&mut pty);
}

#[test]
fn a_resize_draws_everything_in_the_new_size() {
    let home = home();
    let mut pty = chat(home.path());
    pty.write("hi\r");
    pty.sees("Hello, world.");
    pty.resize(30, 8);
    pty.until("everything in 30 columns and 8 rows", |p| {
        let rows: Vec<String> = p.screen().rows(0, 30).collect();
        rows.len() == 8 && rows[7].starts_with("a · ") && rows[2] == "  Hello, world."
    });
    pty.write("\x11");
    assert_eq!(pty.wait(), 0);
}

#[test]
fn a_bracketed_paste_of_many_lines_sends_nothing() {
    let home = home();
    let mut pty = chat(home.path());
    pty.write("\x1b[200~one\rtwo\rthree\x1b[201~");
    pty.sees("three");
    assert!(pty.screen().contains("❯ one") && !pty.screen().contains("Hello"));
    pty.write("\x11");
    assert_eq!(pty.wait(), 0);
}

#[test]
fn signals_end_it_and_the_terminal_is_given_back() {
    for which in [Signal::TERM, Signal::HUP, Signal::INT] {
        let home = home();
        let mut pty = chat(home.path());
        signal(pty.pid(), which);
        assert_eq!(pty.wait(), 0);
        given_back(&mut pty);
    }
}

#[test]
fn suspending_gives_the_terminal_back_and_continuing_takes_it_again() {
    let home = home();
    let mut pty = chat(home.path());
    pty.write("draft");
    pty.sees("❯ draft");
    for suspend in ["key", "signal"] {
        match suspend {
            "key" => pty.write("\x1a"),
            _ => signal(pty.pid(), Signal::TSTP),
        }
        is_stopped(pty.pid());
        given_back(&mut pty);
        signal(pty.pid(), Signal::CONT);
        pty.until("the chat again", |p| {
            p.screen().alternate_screen() && p.screen().contents().contains("❯ draft")
        });
    }
    pty.write("\x11");
    assert_eq!(pty.wait(), 0);
    given_back(&mut pty);
}

/// Found as programs that computed for ever after their terminal was closed.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_goes_away_without_a_signal_ends_the_program() {
    let home = home();
    // The signal that usually tells is kept away.
    let script = format!(
        "env --block-signal=HUP {} --model none.gguf; :",
        program().display()
    );
    let mut command = CommandBuilder::new("/bin/sh");
    command.args(["-c", &script]);
    command.env("HOME", home.path());
    command.env("PARLOR_CONFIG", home.path().join("config.toml"));
    command.env("TERM", "xterm-256color");
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut shell = pair.slave.spawn_command(command).unwrap();
    let chat = child_of(shell.process_id().unwrap());
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (mut output, mut piece) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&output).contains("not loaded") {
        let read = reader.read(&mut piece).unwrap();
        output.extend_from_slice(&piece[..read]);
    }
    // When its leader ends, the session loses the terminal: reading gives
    // nothing from then on, at once and for ever. The window closes after it.
    signal(shell.process_id().unwrap(), Signal::KILL);
    shell.wait().unwrap();
    drop((pair, reader));
    assert!(
        ends_within(chat, 30_000),
        "the program goes on without a terminal"
    );
}

/// Panics in the way the program would, when the test below runs this binary
/// in a terminal; on its own it does nothing.
#[test]
fn panics_when_told() {
    if std::env::var_os("PARLOR_TEST_PANIC").is_some() {
        let _screen = parlor::runtime::terminal::Screen::enter(true).unwrap();
        panic!("on purpose");
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_says_anything() {
    let home = home();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "suite::terminal::panics_when_told",
        "--nocapture",
    ]);
    command.env("PARLOR_TEST_PANIC", "1");
    let mut pty = Pty::start(home.path(), 100, 30, command);
    // On the ordinary screen: what is said after it was given back.
    pty.until("the panic's words", |p| {
        !p.screen().alternate_screen() && p.screen().contents().contains("on purpose")
    });
    given_back(&mut pty);
}

#[test]
fn a_killed_engine_leaves_the_chat_and_the_next_message_starts_another() {
    let home = home();
    let mut pty = chat(home.path());
    signal(child_of(pty.pid()), Signal::KILL);
    pty.sees("The engine stopped");
    pty.sees("SIGKILL");
    pty.write("hi\r");
    pty.sees("Hello, world.");
    pty.write("\x11");
    assert_eq!(pty.wait(), 0);
}

#[test]
fn when_the_chat_is_killed_the_engine_ends_within_a_second() {
    let home = home();
    let pty = chat(home.path());
    let engine = child_of(pty.pid());
    signal(pty.pid(), Signal::KILL);
    assert!(ends_within(engine, 1000), "the engine still runs");
}

#[test]
fn settings_are_saved_to_the_config_file_with_its_comments() {
    let home = home();
    let config = home.path().join("config.toml");
    std::fs::write(
        &config,
        "# my own words\n[sampling]\ntemperature = 1.0 # warm\n",
    )
    .unwrap();
    let mut pty = chat(home.path());
    pty.write("\x1bOQ");
    pty.sees("Settings");
    pty.write("\x1b[C\x13");
    pty.sees("Saved to");
    pty.write("\x11");
    assert_eq!(pty.wait(), 0);
    let text = std::fs::read_to_string(&config).unwrap();
    assert_eq!(
        text,
        "# my own words\n[sampling]\ntemperature = 1.1 # warm\n"
    );
}

#[test]
fn a_broken_config_file_is_told_and_the_chat_opens_with_defaults() {
    let home = home();
    std::fs::write(
        home.path().join("config.toml"),
        "[sampling]\ntemperatur = 1\n",
    )
    .unwrap();
    let mut pty = chat(home.path());
    pty.sees("did you mean `temperature`?");
    pty.sees("The defaults are used instead.");
    pty.write("\x11");
    assert_eq!(pty.wait(), 0);
}

#[test]
fn without_colours_none_is_sent() {
    let home = home();
    let model = Tiny::saying(&["# T\n\n```\nc\n```"]).write(home.path(), "a.gguf");
    let mut command = CommandBuilder::new(crate::support::engine::program());
    command.args(["--model", model.to_str().unwrap()]);
    let coloured = |pty: &Pty| {
        let screen = pty.parser.screen();
        (0..24)
            .flat_map(|y| (0..80).map(move |x| (y, x)))
            .any(|(y, x)| {
                screen
                    .cell(y, x)
                    .is_some_and(|c| c.fgcolor() != vt100::Color::Default)
            })
    };
    let mut pty = Pty::start(home.path(), 80, 24, command);
    pty.sees("context 0/");
    assert!(coloured(&pty));
    let mut command = CommandBuilder::new("env");
    command.arg("NO_COLOR=1");
    command.arg(crate::support::engine::program());
    command.args(["--model", model.to_str().unwrap()]);
    let mut pty = Pty::start(home.path(), 80, 24, command);
    pty.sees("context 0/");
    pty.write("hi\r");
    pty.sees("▎");
    assert!(!coloured(&pty));
}

#[test]
fn after_a_stop_that_cannot_be_caught_the_terminal_is_taken_again() {
    let home = home();
    let mut pty = chat(home.path());
    signal(pty.pid(), Signal::STOP);
    is_stopped(pty.pid());
    // As a shell leaves it.
    pty.parser = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
    signal(pty.pid(), Signal::CONT);
    pty.until("the chat again", |p| {
        p.screen().alternate_screen()
            && p.screen().bracketed_paste()
            && p.screen().contents().contains("context 0/2048")
    });
    pty.write("\x11");
    assert_eq!(pty.wait(), 0);
    given_back(&mut pty);
}
