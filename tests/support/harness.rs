//! The whole chat without a terminal or a model: keys in, screen out. The
//! engine is a script that speaks the real messages.

use crate::support::engine::PATIENCE;
use parlor::app::{Effect, Event, Keep, Keymap, Settings, State, update};
use parlor::chat::{FinishReason, Part, Timings, Usage};
use parlor::config::theme;
use parlor::protocol::engine::{self, Finish, ModelFacts, ReadProgress, Request, RequestId};
use parlor::protocol::store;
use parlor::ui::{self, Cache, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

pub struct Harness {
    pub state: State,
    pub effects: Vec<Effect>,
    /// What was asked of the store.
    pub stored: Vec<store::Command>,
    /// A real store, and what it answers.
    store: Option<(Sender<store::Command>, Receiver<store::Event>)>,
    terminal: Terminal<TestBackend>,
    cache: Cache,
    theme: Theme,
    now: Instant,
}

impl Harness {
    /// A chat with a loaded model.
    pub fn new(width: u16, height: u16) -> Self {
        let mut chat = Self::starting(width, height, Some("tiny.gguf"));
        chat.engine(engine::Event::Loaded(ModelFacts {
            file: "tiny.gguf".into(),
            context: 1000,
            ..ModelFacts::default()
        }));
        chat
    }

    /// A chat at its start: the model, if any, is still loading.
    pub fn starting(width: u16, height: u16, model: Option<&str>) -> Self {
        let model = model.map(Into::into);
        let mut chat = Self {
            state: State::new(Settings::default(), Keymap::default(), model),
            effects: Vec::new(),
            stored: Vec::new(),
            store: None,
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
            cache: Cache::default(),
            theme: theme::default(),
            now: Instant::now(),
        };
        chat.state.begin(1, Keep::Saved);
        chat.draw();
        chat
    }

    pub fn event(&mut self, event: Event) -> &mut Self {
        let effects = update(&mut self.state, event, self.now);
        self.perform(effects);
        self.draw();
        self
    }

    /// Effects for the store are kept apart, and go to one where there is one;
    /// what it answers comes back at once.
    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Effect::Store(command) = effect else {
                // What is done by the way is of no interest here.
                let aside = matches!(
                    effect,
                    Effect::Keep | Effect::Used(_) | Effect::Learn { .. } | Effect::Devices
                );
                if !aside {
                    self.effects.push(effect);
                }
                continue;
            };
            let answers = match &command {
                store::Command::Open(_)
                | store::Command::List(_)
                | store::Command::Search { .. }
                | store::Command::Change { .. }
                | store::Command::Duplicate { .. } => true,
                store::Command::Save { .. } | store::Command::Close(_) => false,
            };
            self.stored.push(command.clone());
            if let Some((commands, events)) = &self.store {
                commands.send(command).unwrap();
                if answers {
                    let event = events.recv_timeout(PATIENCE).unwrap();
                    self.event(Event::Store(event));
                }
            }
        }
    }

    /// Conversations are saved in this folder from now on.
    pub fn saved_in(mut self, folder: &Path) -> Self {
        let (tell, events) = channel();
        let handle = parlor::store::start(folder.to_path_buf(), move |event| {
            let _ = tell.send(event);
        });
        self.store = Some((handle.commands(), events));
        // Ids differ from those of other chats over the same store.
        self.state.begin(parlor::store::random_bits(), Keep::Saved);
        self
    }

    /// Opens a conversation at the start.
    pub fn opening(mut self, which: store::Which) -> Self {
        self.perform(vec![Effect::Store(store::Command::Open(which))]);
        self.draw();
        self
    }

    /// Asks the store for something that it may leave unanswered.
    pub fn ask_store(&mut self, command: store::Command) {
        self.store.as_ref().unwrap().0.send(command).unwrap();
    }

    /// Waits for the store to say something of its own accord.
    pub fn store_says(&mut self) -> &mut Self {
        let events = &self.store.as_ref().unwrap().1;
        let event = events.recv_timeout(PATIENCE).unwrap();
        self.event(Event::Store(event))
    }

    /// Leaves as a person does, and waits until everything is saved.
    pub fn leave(&mut self) {
        let effects = parlor::app::finish(&mut self.state, self.now);
        self.perform(effects);
        let (commands, events) = self.store.take().unwrap();
        drop(commands);
        // The worker ends when nobody can ask anything of it any more.
        while events.recv_timeout(PATIENCE).is_ok() {}
    }

    pub fn engine(&mut self, event: engine::Event) -> &mut Self {
        self.event(Event::Engine(event))
    }

    /// Presses keys by name, with spaces between: `"ctrl-k enter"`.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            self.event(Event::Key(key.parse().unwrap()));
        }
        self
    }

    /// Types text, character by character.
    pub fn write(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.event(Event::Key(parlor::app::Key::plain(
                parlor::app::Code::Char(c),
            )));
        }
        self
    }

    /// Writes a message and sends it.
    pub fn send(&mut self, text: &str) -> &mut Self {
        self.write(text).press("enter")
    }

    /// The last request for an answer.
    pub fn request(&self) -> &Request {
        self.effects
            .iter()
            .rev()
            .find_map(|e| match e {
                Effect::Generate(request) => Some(request),
                _ => None,
            })
            .expect("nothing was asked of the engine")
    }

    pub fn id(&self) -> RequestId {
        self.request().id
    }

    pub fn reads(&mut self, read: u32, total: u32, left_ms: u64) -> &mut Self {
        let progress = ReadProgress {
            read,
            total,
            left_ms: Some(left_ms),
            ..ReadProgress::default()
        };
        let id = self.id();
        self.engine(engine::Event::Reading(id, progress))
    }

    pub fn says(&mut self, text: &str) -> &mut Self {
        let id = self.id();
        self.engine(engine::Event::Piece(id, Part::Answer(text.into())))
    }

    pub fn thinks(&mut self, text: &str) -> &mut Self {
        let id = self.id();
        self.engine(engine::Event::Piece(id, Part::Thinking(text.into())))
    }

    pub fn finishes(&mut self, reason: FinishReason) -> &mut Self {
        let finish = Finish {
            reason,
            usage: Usage {
                prompt_tokens: 90,
                cached_tokens: 0,
                completion_tokens: 10,
                encoded: 0,
            },
            timings: Timings {
                generate_tps: 12.0,
                ..Timings::default()
            },
            seed: 1,
            notice: None,
        };
        let id = self.id();
        self.engine(engine::Event::Finished(id, finish))
    }

    /// A question and its whole answer.
    pub fn turn(&mut self, question: &str, answer: &str) -> &mut Self {
        self.send(question)
            .says(answer)
            .finishes(FinishReason::Stop)
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        if self.state.deadline().is_some_and(|at| at <= self.now) {
            self.event(Event::Tick);
        }
        self.draw();
        self
    }

    /// A frame is drawn when so much time has passed, before anything else.
    pub fn draw_later(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self.draw();
        self
    }

    pub fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.terminal.backend_mut().resize(width, height);
        self.event(Event::Resized)
    }

    fn draw(&mut self) {
        let mut drawn = None;
        let (state, theme, cache, now) = (&self.state, &self.theme, &mut self.cache, self.now);
        self.terminal
            .draw(|frame| drawn = Some(ui::draw(frame, state, theme, cache, now)))
            .unwrap();
        let drawn = Event::Drawn(drawn.unwrap());
        assert_eq!(update(&mut self.state, drawn, self.now), []);
    }

    /// The rows of the screen without trailing spaces.
    pub fn rows(&self) -> Vec<String> {
        let buffer = self.terminal.backend().buffer();
        let area = buffer.area;
        (0..area.height)
            .map(|y| {
                let mut row = String::new();
                let mut skip = 0;
                for x in 0..area.width {
                    let symbol = buffer[(x, y)].symbol();
                    if skip == 0 {
                        row.push_str(symbol);
                        skip = unicode_width::UnicodeWidthStr::width(symbol).max(1);
                    }
                    skip -= 1;
                }
                row.trim_end().to_string()
            })
            .collect()
    }

    pub fn screen(&self) -> String {
        self.rows().join("\n")
    }

    /// Fails unless the screen shows this.
    #[track_caller]
    pub fn sees(&mut self, text: &str) -> &mut Self {
        assert!(
            self.screen().contains(text),
            "no “{text}” on:\n{}",
            self.screen()
        );
        self
    }

    #[track_caller]
    pub fn sees_not(&mut self, text: &str) -> &mut Self {
        assert!(
            !self.screen().contains(text),
            "“{text}” on:\n{}",
            self.screen()
        );
        self
    }
}
