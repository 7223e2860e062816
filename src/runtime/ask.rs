//! Asks the terminal once what it can draw, before the loop reads keys.

use crate::ui::picture::{
    Abilities, Answers, CellSize, Protocol, Wish, depth, known, through_tmux,
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::io::{self, IsTerminal};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(80);
/// How much longer when half of an answer is there.
#[cfg(unix)]
const HALF_SAID: Duration = Duration::from_millis(20);

/// What the terminal can, and the keys that were pressed while it was asked,
/// which the loop must take in before others.
#[derive(Debug)]
pub struct Asked {
    pub abilities: Abilities,
    pub typed: Vec<KeyEvent>,
}

/// Finds out what the terminal can draw, in at most a tenth of a second. Sends
/// nothing where the environment tells enough, or where input or output is no
/// terminal. Must not run while another reads the terminal.
pub fn abilities(wish: Wish) -> Asked {
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let tmux = var("TMUX").is_some();
    let terminal = io::stdout().is_terminal();
    let wanted = match wish {
        _ if !terminal => Some(Protocol::Off),
        // Without colours neither half blocks nor placeholders can be drawn.
        _ if var("NO_COLOR").is_some() => Some(Protocol::Off),
        Wish::Use(protocol) => Some(protocol),
        Wish::Auto if tmux => Some(tmux_says().map_or(Protocol::HalfBlocks, |s| through_tmux(&s))),
        Wish::Auto => known(&var),
    };
    let cell = measured();
    let needless = matches!(wanted, Some(Protocol::Off | Protocol::HalfBlocks))
        || wanted.is_some() && cell.is_some();
    let answers = match needless || !io::stdin().is_terminal() {
        true => Answers::default(),
        false => ask().unwrap_or_default(),
    };
    let cell = cell.or(answers.cell);
    let protocol = wanted.unwrap_or(match answers.sixel {
        // Sixels count in pixels: of another size they would leave their place.
        Some(true) if cell.is_some() => Protocol::Sixel,
        _ => Protocol::HalfBlocks,
    });
    let abilities = Abilities {
        protocol,
        cell: cell.unwrap_or_default(),
        depth: depth(&var),
        tmux,
    };
    Asked {
        abilities,
        typed: keys(&answers.typed),
    }
}

/// A cell's size as the kernel knows it; most terminals tell it. Worth another
/// look when the screen changes its size, for then the font may have.
pub fn measured() -> Option<CellSize> {
    let size = crossterm::terminal::window_size().ok()?;
    let cell = CellSize {
        width: size.width.checked_div(size.columns)?,
        height: size.height.checked_div(size.rows)?,
    };
    cell.is_plausible().then_some(cell)
}

/// What tmux says of the terminal that it is shown on. It is asked beside the
/// terminal: an answer through it could come at any time and look like keys.
fn tmux_says() -> Option<String> {
    let format = "#{client_termtype}\t#{client_termname}\t#{allow-passthrough}";
    let mut command = Command::new("tmux");
    command.args(["display-message", "-p", format]);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more when it took too long.
        let _ = tell.send(command.output());
    });
    let output = told.recv_timeout(PATIENCE).ok()?.ok()?;
    String::from_utf8(output.stdout).ok()
}

/// Asks, and waits for the last answer.
#[cfg(unix)]
fn ask() -> io::Result<Answers> {
    use crossterm::terminal::{disable_raw_mode, enable_raw_mode, is_raw_mode_enabled};
    let was_raw = is_raw_mode_enabled()?;
    if !was_raw {
        enable_raw_mode()?;
    }
    let answers = converse();
    if !was_raw {
        disable_raw_mode()?;
    }
    answers
}

#[cfg(unix)]
fn converse() -> io::Result<Answers> {
    use crate::ui::picture::{QUESTIONS, parse};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use std::io::Write;
    use std::time::Instant;
    let mut out = io::stdout();
    out.write_all(QUESTIONS.as_bytes())?;
    out.flush()?;
    let input = rustix::stdio::stdin();
    let begun = Instant::now();
    let mut heard = Vec::new();
    let mut answers = Answers::default();
    let mut buffer = [0; 1024];
    while answers.sixel.is_none() {
        let limit = match answers.unfinished {
            true => PATIENCE + HALF_SAID,
            false => PATIENCE,
        };
        let left = limit.saturating_sub(begun.elapsed());
        let timeout = Timespec::try_from(left).ok();
        let ready = poll(&mut [PollFd::new(&input, PollFlags::IN)], timeout.as_ref());
        match ready {
            Ok(0) => break,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let count = rustix::io::read(input, &mut buffer)?;
        if count == 0 {
            break;
        }
        heard.extend_from_slice(&buffer[..count]);
        answers = parse(&heard);
    }
    Ok(answers)
}

/// Elsewhere nothing is asked: there are only half blocks, or what is wanted.
#[cfg(not(unix))]
fn ask() -> io::Result<Answers> {
    Ok(Answers::default())
}

/// Keys from the bytes of a terminal: characters, the keys that have a control
/// character, and the arrows. What is beyond that is dropped: it would have to
/// be pressed in the tenth of a second after the start.
fn keys(bytes: &[u8]) -> Vec<KeyEvent> {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.as_ref();
    let mut keys = Vec::new();
    while let Some(first) = rest.chars().next() {
        if let Some(inner) = rest.strip_prefix("\x1b[") {
            let end = inner.find(|c| ('@'..='~').contains(&c));
            let (sequence, after) = inner.split_at(end.map_or(inner.len(), |end| end + 1));
            keys.extend(sequence_key(sequence));
            rest = after;
        } else {
            keys.push(key(first));
            rest = &rest[first.len_utf8()..];
        }
    }
    keys
}

fn key(c: char) -> KeyEvent {
    let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
    match c {
        '\r' => plain(KeyCode::Enter),
        '\t' => plain(KeyCode::Tab),
        '\x1b' => plain(KeyCode::Esc),
        '\x7f' => plain(KeyCode::Backspace),
        '\x01'..='\x1a' => {
            let letter = char::from(b'a' - 1 + u8::try_from(c).unwrap_or(1));
            KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
        }
        c if c.is_uppercase() => KeyEvent::new(KeyCode::Char(c), KeyModifiers::SHIFT),
        c => plain(KeyCode::Char(c)),
    }
}

fn sequence_key(sequence: &str) -> Option<KeyEvent> {
    let code = match sequence {
        "A" => KeyCode::Up,
        "B" => KeyCode::Down,
        "C" => KeyCode::Right,
        "D" => KeyCode::Left,
        // As terminals with kitty's keyboard protocol send Escape and control.
        "27u" => KeyCode::Esc,
        _ => {
            let (code, control) = sequence.strip_suffix('u')?.split_once(';')?;
            let letter = char::from_u32(code.parse().ok()?)?;
            let modifiers = KeyModifiers::CONTROL;
            return (control == "5").then(|| KeyEvent::new(KeyCode::Char(letter), modifiers));
        }
    };
    Some(KeyEvent::new(code, KeyModifiers::NONE))
}
