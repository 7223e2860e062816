//! The one task that owns the store: takes commands in order, tells what came
//! of them, and keeps what cannot be saved until it can.

use super::{Store, StoreError, set_aside};
use crate::protocol::store::{Change, Command, Event, Which};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often saving is tried again while it does not work.
const AGAIN: Duration = Duration::from_secs(1);
/// The same, when the program ends.
const LAST_TRIES: Duration = Duration::from_millis(50);

/// The end that the chat holds.
pub struct Handle {
    commands: Sender<Command>,
    thread: JoinHandle<bool>,
}

impl Handle {
    /// A sender of commands.
    pub fn commands(&self) -> Sender<Command> {
        self.commands.clone()
    }

    /// Waits until everything is saved, but no longer than this, and says whether
    /// it is; every other sender must be gone.
    pub fn finish(self, patience: Duration) -> bool {
        drop(self.commands);
        let end = Instant::now() + patience;
        // A thread cannot be waited for with a limit.
        while !self.thread.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.thread.is_finished() && self.thread.join().unwrap_or(false)
    }
}

/// Starts the task over the store in a folder; `tell` is called in its thread.
pub fn start(folder: PathBuf, tell: impl Fn(Event) + Send + 'static) -> Handle {
    let (commands, inbox) = channel();
    let thread = std::thread::spawn(move || {
        let mut worker = Worker {
            folder,
            store: None,
            backlog: VecDeque::new(),
            troubled: false,
            swept: false,
            tell: Box::new(tell),
        };
        worker.open();
        worker.serve(&inbox);
        worker.backlog.is_empty()
    });
    Handle { commands, thread }
}

struct Worker {
    folder: PathBuf,
    store: Option<Store>,
    /// Writes that did not work, the oldest first.
    backlog: VecDeque<Command>,
    /// Whether the chat has been told that saving does not work.
    troubled: bool,
    /// Whether files that nothing names were looked for.
    swept: bool,
    tell: Box<dyn Fn(Event) + Send>,
}

impl Worker {
    fn serve(&mut self, inbox: &Receiver<Command>) {
        loop {
            let command = if self.backlog.is_empty() && self.swept {
                inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                inbox.recv_timeout(AGAIN)
            };
            match command {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {
                    self.catch_up();
                    self.sweep();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // The chat waits for this no longer than it says.
        self.catch_up();
        while !self.backlog.is_empty() && !self.store.as_ref().is_some_and(Store::is_newer) {
            std::thread::sleep(LAST_TRIES);
            self.catch_up();
        }
    }

    /// Removes files that nothing names: once, when nobody waits for anything
    /// and everything is saved.
    fn sweep(&mut self) {
        if self.swept || !self.backlog.is_empty() {
            return;
        }
        self.swept = true;
        if let Some(store) = &self.store {
            // What cannot be removed now is swept another time.
            let _ = store.sweep();
        }
    }

    /// Whether something that is said in a conversation waits to be saved.
    fn backlog_names(&self, which: &Which) -> bool {
        let Which::Id(id) = which else {
            return false;
        };
        self.backlog.iter().any(|command| match command {
            Command::Save { conversation, .. } => conversation == id,
            _ => false,
        })
    }

    /// Whether a conversation can be deleted: no other program has it open.
    fn may_delete(&mut self, id: &str) -> bool {
        let Some(store) = &mut self.store else {
            return true;
        };
        let held = store.holds(id);
        let free = store.take(id).unwrap_or(true);
        if !held {
            store.release(id);
        }
        free
    }

    /// Opens the file; a broken one is set aside and a new one begun.
    fn open(&mut self) {
        let opened = Store::open(&self.folder).or_else(|error| {
            if !error.is_corrupt() {
                return Err(error);
            }
            self.begin_anew()
        });
        match opened {
            Ok(mut store) => {
                if store.is_newer() {
                    self.trouble(&StoreError::Newer);
                } else {
                    match store.purge(false) {
                        Ok(gone) => gone
                            .iter()
                            .for_each(|id| super::forget_state(&self.folder, id)),
                        Err(error) => self.trouble(&error),
                    }
                }
                self.store = Some(store);
            }
            Err(error) => self.trouble(&error),
        }
    }

    fn begin_anew(&self) -> Result<Store, StoreError> {
        // Another program may have begun one already.
        if let Ok(store) = Store::open(&self.folder)
            && matches!(store.flaw(), Ok(None))
        {
            return Ok(store);
        }
        let aside = set_aside(&self.folder)?;
        let store = Store::open(&self.folder)?;
        (self.tell)(Event::SetAside(aside.display().to_string()));
        Ok(store)
    }

    fn trouble(&mut self, error: &StoreError) {
        if !self.troubled {
            self.troubled = true;
            (self.tell)(Event::Trouble(error.to_string()));
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Change {
                conversation,
                change: Change::Delete(true),
            } if !self.may_delete(&conversation) => {
                let why = StoreError::Taken(conversation).to_string();
                (self.tell)(Event::NotOpened(why));
                (self.tell)(Event::Changed);
            }
            Command::Save { .. } | Command::Change { .. } | Command::Duplicate { .. } => {
                let changes_lists = !matches!(command, Command::Save { .. });
                self.backlog.push_back(command);
                self.catch_up();
                if changes_lists && self.backlog.is_empty() {
                    (self.tell)(Event::Changed);
                }
            }
            Command::Open(which) => {
                self.catch_up();
                let waits = self.backlog_names(&which);
                let event = match waits {
                    true => Err("what was said in it is not saved yet".into()),
                    false => self.reading(|store| open(store, &which)),
                };
                match (event, &which) {
                    (Ok(event), _) => (self.tell)(event),
                    // There was none yet, and the chat has begun one.
                    (Err(_), Which::Last | Which::Unsent) => {}
                    (Err(why), Which::Id(_) | Which::Named(_)) => {
                        (self.tell)(Event::NotOpened(why));
                    }
                }
            }
            // It stays taken while something of it waits.
            Command::Close(id) if self.backlog_names(&Which::Id(id.clone())) => {}
            Command::Close(id) => {
                if let Some(store) = &mut self.store {
                    store.release(&id);
                }
            }
            Command::List(shelf) => {
                let listed = self.reading(|store| store.list(shelf));
                (self.tell)(Event::Listed(listed.unwrap_or_default()));
            }
            Command::Search { number, query } => {
                let hits = self.reading(|store| store.search(&query));
                (self.tell)(Event::Found {
                    number,
                    hits: hits.unwrap_or_default(),
                });
            }
        }
    }

    /// Reads; the error is in words, and a broken file is set aside.
    fn reading<T>(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, String> {
        if self.store.is_none() {
            self.open();
        }
        let Some(store) = &mut self.store else {
            return Err("the store cannot be opened".into());
        };
        work(store).map_err(|error| {
            if error.is_corrupt() {
                self.replace();
            }
            error.to_string()
        })
    }

    /// Saves what waits, in order, as far as that works.
    fn catch_up(&mut self) {
        while let Some(command) = self.backlog.pop_front() {
            if self.store.is_none() {
                self.open();
            }
            let Some(store) = &mut self.store else {
                self.backlog.push_front(command);
                return;
            };
            match write(store, &command) {
                Ok(()) => {}
                Err(error) if error.is_corrupt() => {
                    // The chat saves anew whatever it still knows.
                    self.backlog.clear();
                    self.replace();
                    return;
                }
                Err(error) if is_final(&error) => self.refuse(&command, &error),
                Err(error) => {
                    self.backlog.push_front(command);
                    self.trouble(&error);
                    return;
                }
            }
        }
        let works = self.store.as_ref().is_some_and(|s| !s.is_newer());
        if works && std::mem::take(&mut self.troubled) {
            (self.tell)(Event::Mended);
        }
    }

    fn replace(&mut self) {
        self.store = None;
        match self.begin_anew() {
            Ok(store) => self.store = Some(store),
            Err(error) => self.trouble(&error),
        }
    }

    /// A write that can never work.
    fn refuse(&mut self, command: &Command, error: &StoreError) {
        match command {
            Command::Save { conversation, .. } => {
                (self.tell)(Event::Unknown(conversation.clone()));
            }
            Command::Change { .. } | Command::Duplicate { .. } => self.trouble(error),
            Command::Open(_) | Command::Close(_) | Command::List(_) | Command::Search { .. } => {}
        }
    }
}

/// Whether trying again is of no use.
fn is_final(error: &StoreError) -> bool {
    match error {
        StoreError::Missing(_) | StoreError::Unsound(..) => true,
        StoreError::Sqlite(error) => matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::ConstraintViolation)
        ),
        StoreError::Io { .. } | StoreError::Taken(_) | StoreError::Newer => false,
    }
}

/// What was open before is let go when another conversation is.
fn open(store: &mut Store, which: &Which) -> Result<Event, StoreError> {
    let opened = store.open_conversation(which)?;
    // Another program's draft is nobody else's.
    if *which == Which::Unsent && !opened.writable {
        return Err(StoreError::Missing("there is no draft".into()));
    }
    store.release_all_but(&opened.conversation.about.id);
    Ok(Event::Opened(Box::new(opened)))
}

fn write(store: &mut Store, command: &Command) -> Result<(), StoreError> {
    match command {
        Command::Save {
            conversation,
            writes,
        } => {
            // A new conversation is taken by whoever begins it.
            if !store.take(conversation)? {
                return Err(StoreError::Taken(conversation.clone()));
            }
            store.save(conversation, writes)
        }
        Command::Change {
            conversation,
            change,
        } => store.change(conversation, change),
        Command::Duplicate { conversation, id } => store.duplicate(conversation, id),
        Command::Open(_) | Command::Close(_) | Command::List(_) | Command::Search { .. } => Ok(()),
    }
}
