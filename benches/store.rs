//! How listing, searching and opening grow with the store: 200 conversations
//! with 4,000 messages, then 20,000 with 400,000. Run with `./dev bench --bench
//! store`; it needs about 1 GB of disk for a few minutes. Figures stand in
//! docs/performance.md.

use parlor::app::{Event, Keep, Keymap, Settings, State, update};
use parlor::chat::{About, Conversation, Record, Role, Standing, Timings, Usage};
use parlor::config::theme;
use parlor::protocol::store::{Shelf, Which};
use parlor::store::Store;
use parlor::ui::{self, Cache};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::path::Path;
use std::time::Instant;

const ROUNDS: usize = 15;
const WORDS: &[&str] = &[
    "harbour", "window", "the", "a", "and", "of", "river", "model", "answer", "token", "quiet",
    "morning", "letter", "stone", "garden", "number", "because", "light", "winter", "bridge",
    "reader", "question", "paper", "street", "memory", "small", "often", "never", "between",
];

fn main() {
    for conversations in [200, 20_000] {
        let folder = tempfile::tempdir().expect("a folder");
        fill(folder.path(), conversations);
        measure(folder.path(), conversations);
    }
}

/// The same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((self.0 >> 33) as usize) % n
    }

    fn text(&mut self, words: usize) -> String {
        let mut text = String::new();
        for _ in 0..words {
            text.push_str(WORDS[self.below(WORDS.len())]);
            text.push(' ');
        }
        text
    }
}

fn record(id: u64, text: String) -> Record {
    Record {
        id,
        parent: id.checked_sub(1).filter(|p| *p > 0),
        role: if id % 2 == 1 {
            Role::User
        } else {
            Role::Assistant
        },
        text,
        thinking: String::new(),
        state: Standing::Done,
        why: String::new(),
        chosen: None,
        at: 1_700_000_000_000,
        made: None,
        usage: Usage::default(),
        timings: Timings::default(),
        sources: Vec::new(),
    }
}

fn fill(folder: &Path, conversations: usize) {
    let mut store = Store::open(folder).expect("a store");
    let mut numbers = Numbers(7);
    for n in 0..conversations {
        // One is very long, one word is said twice in all.
        let long = n == conversations / 2;
        let count = if long { conversations / 2 } else { 20 };
        let records = (1..=count as u64).map(|id| {
            let mut text = numbers.text(40);
            if n % (conversations / 2) == 1 && id == 3 {
                text.push_str("zanzibar");
            }
            record(id, text)
        });
        let records: Vec<Record> = records.collect();
        let about = About {
            id: format!("c{n:06}"),
            title: numbers.text(4),
            created: 1_700_000_000_000,
            updated: 1_700_000_000_000 + n as i64 * 60_000,
            ..About::default()
        };
        let conversation = Conversation::of(about, records, Some(1)).expect("a tree");
        store.insert(&conversation).expect("saved");
    }
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let from = Instant::now();
            work();
            from.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn measure(folder: &Path, conversations: usize) {
    let opening = median(|| drop(Store::open(folder).expect("a store")));
    let mut store = Store::open(folder).expect("a store");
    println!("{conversations} conversations: start {opening:.1} ms");
    let listing = median(|| drop(store.list(Shelf::Active).expect("a list")));
    println!("  list {listing:.1} ms");
    for query in ["zanzibar", "harbour", "the harbour window", "zan", "th"] {
        let mut found = 0;
        let time = median(|| found = store.search(query).expect("hits").len());
        println!("  search “{query}” {time:.1} ms, {found} hits");
    }
    let long = Which::Id(format!("c{:06}", conversations / 2));
    let mut rows = 0;
    let time = median(|| rows = show(&mut store, &long));
    println!("  open and draw {rows} messages {time:.1} ms");
}

/// Opens a conversation and draws its end.
fn show(store: &mut Store, which: &Which) -> usize {
    let opened = store.open_conversation(which).expect("a conversation");
    let mut state = State::new(
        Settings::default(),
        Keymap::default(),
        Some("m.gguf".into()),
    );
    state.begin(1, Keep::Saved);
    let event = parlor::protocol::store::Event::Opened(Box::new(opened));
    update(&mut state, Event::Store(event), Instant::now());
    let mut terminal = Terminal::new(TestBackend::new(200, 60)).expect("a screen");
    let (theme, mut cache) = (theme::default(), Cache::default());
    terminal
        .draw(|frame| {
            ui::draw(frame, &state, &theme, &mut cache, Instant::now());
        })
        .expect("a frame");
    state.talk.len()
}
