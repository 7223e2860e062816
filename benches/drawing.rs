//! What a frame costs: long conversations, streaming, a new width.
//! Run with `./dev bench`; figures stand in docs/performance.md.

use divan::{Bencher, black_box};
use parlor::app::{Event, Keymap, Settings, State, update};
use parlor::chat::{FinishReason, Part, Timings, Usage};
use parlor::config::theme;
use parlor::protocol::engine::{self, Finish};
use parlor::ui::{self, Cache, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::Instant;

fn main() {
    divan::main();
}

const PARAGRAPH: &str = "A paragraph of *some* length with `code` and **weight** in it, long \
    enough to be broken into several rows at most widths, as answers are.\n\n";

struct Chat {
    state: State,
    cache: Cache,
    theme: Theme,
    terminal: Terminal<TestBackend>,
}

impl Chat {
    /// A conversation of about so many characters in so many turns.
    fn new(characters: usize, turns: usize) -> Self {
        let mut chat = Self {
            state: State::new(
                Settings::default(),
                Keymap::default(),
                Some("m.gguf".into()),
            ),
            cache: Cache::default(),
            theme: theme::default(),
            terminal: Terminal::new(TestBackend::new(200, 60)).unwrap(),
        };
        let answer = PARAGRAPH.repeat(characters / turns / PARAGRAPH.len() + 1);
        for id in 1..=turns as u64 {
            chat.begin();
            chat.event(Event::Engine(engine::Event::Piece(
                id,
                Part::Answer(answer.clone()),
            )));
            chat.event(Event::Engine(engine::Event::Finished(
                id,
                Finish {
                    reason: FinishReason::Stop,
                    usage: Usage::default(),
                    timings: Timings::default(),
                    seed: 1,
                    notice: None,
                },
            )));
        }
        chat
    }

    fn begin(&mut self) {
        self.event(Event::Paste("go on".into()));
        self.event(Event::Key("enter".parse().unwrap()));
    }

    fn event(&mut self, event: Event) {
        black_box(update(&mut self.state, event, Instant::now()));
    }

    fn draw(&mut self) {
        let Self {
            state,
            cache,
            theme,
            terminal,
        } = self;
        let mut drawn = None;
        let draw = |frame: &mut ratatui::Frame<'_>| {
            drawn = Some(ui::draw(frame, state, theme, cache, Instant::now()));
        };
        terminal.draw(draw).unwrap();
        update(state, Event::Drawn(drawn.unwrap()), Instant::now());
    }
}

/// One frame of a million characters that were drawn before.
#[divan::bench(args = [1, 20, 500])]
fn a_frame_of_a_million_characters(bencher: Bencher, turns: usize) {
    let mut chat = Chat::new(1_000_000, turns);
    chat.draw();
    bencher.bench_local(|| chat.draw());
}

/// One frame after a wheel's turn, up and down by turns.
#[divan::bench(args = [1, 500])]
fn a_scrolled_frame_of_a_million_characters(bencher: Bencher, turns: usize) {
    let mut chat = Chat::new(1_000_000, turns);
    chat.draw();
    let mut rows = 3;
    bencher.bench_local(|| {
        rows = -rows;
        chat.event(Event::Wheel(rows));
        chat.draw();
    });
}

/// The first frame at a width that was not drawn before.
#[divan::bench(args = [1, 500])]
fn a_new_width_of_a_million_characters(bencher: Bencher, turns: usize) {
    let mut chat = Chat::new(1_000_000, turns);
    chat.draw();
    let mut width = 200;
    bencher.bench_local(|| {
        width = 379 - width;
        chat.terminal.backend_mut().resize(width, 60);
        chat.draw();
    });
}

/// One frame for each piece while the last of a million characters stream.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn a_streamed_piece_after_a_million_characters(bencher: Bencher) {
    let mut chat = Chat::new(1_000_000, 20);
    chat.begin();
    chat.draw();
    bencher.bench_local(|| {
        chat.event(Event::Engine(engine::Event::Piece(
            21,
            Part::Answer("word ".into()),
        )));
        chat.draw();
    });
}
