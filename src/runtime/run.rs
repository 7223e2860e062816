//! The loop: waits for whatever comes first, updates, draws when something
//! changed, at most once in a frame's time.

use super::ask;
use super::attach::{Attacher, Shelf};
use super::drawing::{Drawing, Ready};
use super::input;
use super::library::LibraryWorker;
use super::perform::{Inward, Workers};
use super::signals::{Signal, Signals, stop_self};
use super::terminal::Screen;
use crate::app::attach::Origin;
use crate::app::{self, Effect, Event, Keep, Settings, State, update};
use crate::app::{Keymap, talk::Tone};
use crate::config::spec::Said;
use crate::config::{Config, paths};
use crate::engine::host;
use crate::protocol::engine;
use crate::protocol::store::Which;
use crate::store;
use crate::ui::picture::{Gallery, Wish};
use crate::ui::{self, Cache, Theme};
use crossterm::event::EventStream;
use futures_util::StreamExt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// No two frames are closer than this.
const FRAME: Duration = Duration::from_millis(16);
/// While only the engine speaks, frames are this far apart: each takes a moment
/// from the cores that compute, and nobody reads faster.
const STREAM_FRAME: Duration = Duration::from_millis(40);
/// How long the engine may take to end when the chat does.
const GOODBYE: Duration = Duration::from_secs(6);
/// How long the store may take to save what is left.
const SAVING: Duration = Duration::from_secs(3);

/// What the chat starts with.
pub struct Start {
    pub settings: Settings,
    pub keymap: Keymap,
    pub theme: Theme,
    pub mouse: bool,
    pub pictures: Wish,
    pub model: Option<PathBuf>,
    pub host: host::Options,
    pub config: Config,
    /// How models are loaded, as the command line says.
    pub said: Said,
    /// Files to attach to the first message.
    pub attach: Vec<PathBuf>,
    /// The folder of the conversations; None where none is known.
    pub store: Option<PathBuf>,
    /// The conversation to open first; None begins a new one.
    pub open: Option<Which>,
    pub keep: Keep,
    /// Problems found before the start, to be shown in the chat.
    pub notices: Vec<String>,
}

/// What the chat leaves behind.
pub struct Left {
    /// The conversation that was open, when it is saved.
    pub conversation: Option<String>,
    /// Something could not be saved in the end.
    pub unsaved: bool,
}

/// Runs the chat until the person leaves.
pub async fn run(start: Start) -> io::Result<Left> {
    let mut engine = host::start(start.host);
    let (answers, inbox) = mpsc::unbounded_channel();
    let shelf = Shelf::new(start.store.as_deref());
    let tell = answers.clone();
    let store = start.store.map(|folder| {
        store::start(folder, move |event| {
            // Nobody listens any more when the chat ends.
            let _ = tell.send(Event::Store(event));
        })
    });
    let workers = Workers {
        engine: engine.commands.clone(),
        library: LibraryWorker::new(Arc::new(start.config), answers.clone()),
        held: Arc::default(),
        said: start.said,
        config_file: paths::config_file(),
        clipboard: super::clipboard::Clipboard::default(),
        attacher: Attacher::new(shelf.clone(), answers.clone()),
        store: store.as_ref().map(store::Handle::commands),
        answers,
    };
    let mut state = State::new(start.settings, start.keymap, start.model.clone());
    state.begin(store::random_bits(), start.keep);
    for notice in start.notices {
        state.talk.notice(Tone::Problem, notice);
    }
    // Before the terminal is taken: from then on every signal gives it back.
    let signals = Signals::listen()?;
    let screen = Screen::enter(start.mouse)?;
    super::hangup::watch();
    let (drawing, mut prepared) = Drawing::start(shelf.clone());
    let mut chat = Chat {
        state,
        theme: start.theme,
        cache: Cache::default(),
        drawing,
        workers,
        screen,
        dirty: true,
        urgent: true,
        drawn_at: None,
        stopped_self: false,
    };
    // The first frame is up before the model loads.
    chat.draw()?;
    // The search through the help learns while the person looks at it.
    std::thread::spawn(crate::help::Find::english);
    if let Some(which) = start.open {
        let command = crate::protocol::store::Command::Open(which);
        chat.workers.perform(Effect::Store(command));
    }
    chat.workers.perform(match start.model {
        Some(model) => Effect::Load(model),
        None => Effect::FindModels(Vec::new()),
    });
    for path in start.attach {
        let effects = app::attach::begin(&mut chat.state, Origin::Path(path));
        for effect in effects {
            chat.workers.perform(effect);
        }
    }
    if chat.state.model.is_none() {
        // What fits is told by the graphics cards.
        chat.workers.perform(Effect::Devices);
    }
    let ended = match chat.meet_terminal(start.pictures)? {
        Next::Done => Ok(()),
        Next::On => {
            chat.turn_until_done(&mut engine.events, inbox, &mut prepared, signals)
                .await
        }
    };
    for effect in app::finish(&mut chat.state, Instant::now()) {
        chat.workers.perform(effect);
    }
    let talk = &chat.state.talk;
    let saved = talk.keep == Keep::Saved && !talk.tree().is_empty();
    let id = saved.then(|| talk.about.id.clone());
    // The terminal first; then the store, which loses nothing; then the engine,
    // which must not hold it.
    let _ = write_out(&chat.cache.gallery.farewell());
    drop(chat);
    let unsaved = store.is_some_and(|store| !store.finish(SAVING));
    drop(engine.commands);
    let _ = tokio::time::timeout(GOODBYE, engine.task).await;
    ended.map(|()| Left {
        conversation: id.filter(|_| !unsaved),
        unsaved,
    })
}

struct Chat {
    state: State,
    theme: Theme,
    cache: Cache,
    drawing: Drawing,
    workers: Workers,
    screen: Screen,
    dirty: bool,
    /// What changed came from the person or the terminal.
    urgent: bool,
    drawn_at: Option<Instant>,
    /// A SIGCONT is still to come for a stop that was our own.
    stopped_self: bool,
}

/// Whether the loop goes on.
#[derive(PartialEq, Eq)]
enum Next {
    On,
    Done,
}

impl Chat {
    async fn turn_until_done(
        &mut self,
        engine: &mut mpsc::Receiver<engine::Event>,
        mut answers: mpsc::UnboundedReceiver<Event>,
        prepared: &mut mpsc::UnboundedReceiver<Ready>,
        mut signals: Signals,
    ) -> io::Result<()> {
        let mut terminal = EventStream::new();
        loop {
            let frame = self.next_frame();
            let tick = self.state.deadline();
            let next = tokio::select! {
                event = terminal.next() => match event {
                    Some(Ok(event)) => match input::event(event) {
                        Some(event) => self.take(event)?,
                        None => Next::On,
                    },
                    // The terminal is gone.
                    Some(Err(error)) => return Err(error),
                    None => Next::Done,
                },
                signal = signals.next() => self.signal(signal)?,
                Some(event) = answers.recv() => self.take(event)?,
                Some(ready) = prepared.recv() => {
                    self.hang(ready);
                    Next::On
                }
                Some(event) = engine.recv() => self.drain(event, engine)?,
                () = until(frame) => {
                    self.draw()?;
                    Next::On
                }
                () = until(tick) => self.take(Event::Tick)?,
            };
            if next == Next::Done {
                return Ok(());
            }
        }
    }

    /// Asks the terminal what it can draw, before keys are read: the answer would
    /// be among them. What was typed meanwhile is taken in.
    fn meet_terminal(&mut self, pictures: Wish) -> io::Result<Next> {
        let asked = ask::abilities(pictures);
        // Numbers of pictures must not be another program's.
        let run = (store::random_bits() & 0xff) as u8;
        self.cache = Cache::new(Gallery::new(asked.abilities, run));
        self.dirty = true;
        for key in asked.typed {
            let event = input::event(crossterm::event::Event::Key(key));
            if let Some(event) = event
                && self.take(event)? == Next::Done
            {
                return Ok(Next::Done);
            }
        }
        Ok(Next::On)
    }

    /// Takes in everything that the engine has said by now.
    fn drain(
        &mut self,
        first: engine::Event,
        engine: &mut mpsc::Receiver<engine::Event>,
    ) -> io::Result<Next> {
        let mut event = Some(first);
        while let Some(said) = event {
            if self.take(Event::Engine(said))? == Next::Done {
                return Ok(Next::Done);
            }
            event = engine.try_recv().ok();
        }
        Ok(Next::On)
    }

    fn take(&mut self, event: Event) -> io::Result<Next> {
        self.dirty = true;
        self.urgent |= !matches!(event, Event::Engine(_));
        for effect in update(&mut self.state, event, Instant::now()) {
            match self.workers.perform(effect) {
                None => {}
                Some(Inward::Quit) => return Ok(Next::Done),
                Some(Inward::Redraw) => self.screen.clear()?,
                Some(Inward::Suspend) => self.suspend()?,
            }
        }
        Ok(Next::On)
    }

    fn signal(&mut self, signal: Signal) -> io::Result<Next> {
        match signal {
            Signal::End => return Ok(Next::Done),
            Signal::Suspend => self.suspend()?,
            // The end of a stop of our own, after which the terminal is taken
            // already: giving it back for a moment would lose a key.
            Signal::Continue if std::mem::take(&mut self.stopped_self) => {}
            Signal::Continue => {
                // After a stop that could not be caught the terminal is as the
                // shell left it, although it counts as taken.
                self.screen.leave();
                self.resume()?;
            }
        }
        Ok(Next::On)
    }

    /// Gives the terminal to the shell until the person comes back.
    fn suspend(&mut self) -> io::Result<()> {
        write_out(&self.cache.gallery.farewell())?;
        self.screen.leave();
        self.stopped_self = true;
        stop_self();
        self.resume()
    }

    fn resume(&mut self) -> io::Result<()> {
        self.cache.gallery.send_again();
        self.dirty = true;
        self.urgent = true;
        self.screen.back()
    }

    /// When the next frame may be drawn; None while nothing has changed.
    fn next_frame(&self) -> Option<Instant> {
        self.dirty.then(|| match self.drawn_at {
            Some(at) if self.urgent => at + FRAME,
            Some(at) => at + STREAM_FRAME,
            None => Instant::now(),
        })
    }

    fn draw(&mut self) -> io::Result<()> {
        let now = Instant::now();
        self.send_pictures()?;
        let Self {
            state,
            theme,
            cache,
            screen,
            ..
        } = self;
        let mut drawn = None;
        screen
            .terminal
            .draw(|frame| drawn = Some(ui::draw(frame, state, theme, cache, now)))?;
        if let Some(drawn) = drawn {
            update(state, Event::Drawn(drawn), now);
        }
        self.dirty = false;
        self.urgent = false;
        self.drawn_at = Some(now);
        let abilities = self.cache.gallery.abilities();
        for key in self.cache.gallery.take_missing() {
            self.drawing.picture(key, abilities);
        }
        for digest in self.cache.waves.take_missing() {
            self.drawing.wave(digest);
        }
        Ok(())
    }

    /// Takes in what was prepared for the screen.
    fn hang(&mut self, ready: Ready) {
        self.dirty = true;
        match ready {
            Ready::Picture(key, prepared) => self.cache.gallery.insert(key, *prepared),
            Ready::Wave(digest, wave) => self.cache.waves.insert(digest, wave),
        }
    }

    /// What the terminal must have of pictures before they can be placed.
    fn send_pictures(&mut self) -> io::Result<()> {
        match self.cache.gallery.take_outbox() {
            Some(bytes) => write_out(&bytes),
            None => Ok(()),
        }
    }
}

fn write_out(bytes: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(bytes.as_bytes())?;
    out.flush()
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
