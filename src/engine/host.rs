//! Drives the engine's child process: starts it, forwards commands and events,
//! watches it, and starts another when it is needed.

mod care;
mod running;

use super::check;
use super::child::Child;
use crate::protocol::engine::{Command, Event, LoadSpec, RequestId};
use running::{Running, cancelled, id_of};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// A stop that would take longer than this ends the child instead.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a child may take to keep its state when the program ends.
const KEEPING: Duration = Duration::from_secs(5);
/// Events in flight: a slow screen slows the engine beyond this.
const EVENTS: usize = 64;

/// Where the child comes from and where it logs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The binary that is started with the engine's subcommand.
    pub program: PathBuf,
    pub log: Option<PathBuf>,
    /// Whether the engine may use a GPU: a death is then tried again without.
    pub gpu: bool,
}

impl Options {
    /// As this program was built.
    pub fn new(program: PathBuf, log: Option<PathBuf>) -> Self {
        let gpu = cfg!(any(
            feature = "cuda",
            feature = "vulkan",
            feature = "metal",
            feature = "rocm",
            feature = "dynamic-backends",
            target_os = "macos"
        ));
        Self { program, log, gpu }
    }
}

/// The two ends that the rest of the program holds. Dropping `commands` ends
/// the host and its child.
pub struct Engine {
    pub commands: mpsc::UnboundedSender<Command>,
    pub events: mpsc::Receiver<Event>,
    /// The child's process id, while there is one.
    pub pid: watch::Receiver<Option<u32>>,
    pub task: tokio::task::JoinHandle<()>,
}

/// Starts the host on the current tokio runtime. No child runs until a
/// command needs one.
pub fn start(options: Options) -> Engine {
    let (commands, queue) = mpsc::unbounded_channel();
    let (sender, events) = mpsc::channel(EVENTS);
    let (pid_sender, pid) = watch::channel(None);
    let host = Host {
        options,
        child: None,
        loaded: false,
        loading: false,
        spec: None,
        waiting: VecDeque::new(),
        running: None,
        keeping: false,
        on_gpu: false,
        rest_at: None,
        resting: false,
        outgoing: VecDeque::new(),
        pid: pid_sender,
    };
    let task = tokio::spawn(host.run(queue, sender));
    Engine {
        commands,
        events,
        pid,
        task,
    }
}

struct Host {
    options: Options,
    child: Option<Child>,
    /// Whether the child has its model.
    loaded: bool,
    /// Whether the child was told to load it.
    loading: bool,
    spec: Option<LoadSpec>,
    /// Requests that wait for the model to be loaded.
    waiting: VecDeque<Command>,
    running: Option<Running>,
    /// The child was told to keep its state, and has not said that it did.
    keeping: bool,
    /// Whether the child's model has layers on a GPU, or may while it loads.
    on_gpu: bool,
    /// When an idle model lets go of its memory.
    rest_at: Option<Instant>,
    /// The child keeps its state, and is ended when it has.
    resting: bool,
    outgoing: VecDeque<Event>,
    pid: watch::Sender<Option<u32>>,
}

enum Step {
    Command(Option<Command>),
    Event(Option<Event>),
    Sent,
    Impatient,
    Rest,
}

impl Host {
    async fn run(
        mut self,
        mut queue: mpsc::UnboundedReceiver<Command>,
        events: mpsc::Sender<Event>,
    ) {
        loop {
            let step = self.step(&mut queue, &events).await;
            match step {
                Step::Command(Some(command)) => self.obey(command).await,
                Step::Command(None) => break,
                Step::Event(Some(event)) => self.hear(event).await,
                Step::Event(None) => self.bury().await,
                Step::Sent => {}
                Step::Impatient => self.cut_short().await,
                Step::Rest => self.rest(),
            }
        }
        if let Some(mut child) = self.child.take() {
            if self.keeping {
                let kept = async {
                    while let Some(event) = child.next().await {
                        if event == Event::Kept {
                            break;
                        }
                    }
                };
                let _ = tokio::time::timeout(KEEPING, kept).await;
            }
            child.kill().await;
        }
    }

    /// Waits for whatever comes first. While an event waits for the screen the
    /// child is not listened to, but commands are.
    async fn step(
        &mut self,
        queue: &mut mpsc::UnboundedReceiver<Command>,
        events: &mpsc::Sender<Event>,
    ) -> Step {
        let deadline = self.running.as_ref().and_then(|r| r.deadline);
        tokio::select! {
            biased;
            command = queue.recv() => Step::Command(command),
            permit = events.reserve(), if !self.outgoing.is_empty() => {
                if let (Ok(permit), Some(event)) = (permit, self.outgoing.pop_front()) {
                    permit.send(event);
                }
                Step::Sent
            }
            event = next(&mut self.child), if self.outgoing.is_empty() => Step::Event(event),
            () = until(deadline) => Step::Impatient,
            () = until(self.rest_at) => Step::Rest,
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Load(spec) => match checked(&spec) {
                Err(why) if self.loaded => self.outgoing.push_back(Event::Refused(why)),
                checked => {
                    self.let_go().await;
                    match checked {
                        Ok(()) => {
                            self.spec = Some(spec);
                            self.load();
                        }
                        Err(why) => self.outgoing.push_back(Event::LoadFailed(why)),
                    }
                }
            },
            Command::Unload => self.let_go().await,
            Command::Cancel(id) => self.cancel(id).await,
            Command::Keep => match &self.child {
                Some(child) if self.loaded => {
                    self.keeping = true;
                    child.send(Command::Keep);
                }
                Some(_) | None => self.outgoing.push_back(Event::Kept),
            },
            Command::Adapt(wanted) => self.adapt(wanted),
            Command::Devices | Command::Quantize(_) => {
                if self.child.is_none() {
                    self.spawn();
                }
                if let Some(child) = &self.child {
                    child.send(command);
                }
            }
            request => self.request(request),
        }
    }

    fn request(&mut self, request: Command) {
        self.rest_at = None;
        self.resting = false;
        if self.child.is_none() && self.spec.is_some() {
            self.waiting.push_back(request);
            self.load();
            return;
        }
        match &self.child {
            // One at a time: a stopped request may still be ending.
            Some(_) if self.running.is_some() => self.waiting.push_back(request),
            Some(child) if self.loaded => {
                self.running = Some(Running::new(id_of(&request)));
                child.send(request);
            }
            Some(_) if self.spec.is_some() => {
                self.waiting.push_back(request);
                // A child that was started for something else has no model yet.
                if !self.loading {
                    self.tell_to_load();
                }
            }
            _ => {
                let why = "no model is loaded; choose one with --model or /model";
                let event = Event::Failed(id_of(&request), why.into());
                self.outgoing.push_back(event);
            }
        }
    }

    /// Ends the child and all that was asked of it; no model is named any more.
    async fn let_go(&mut self) {
        self.drop_child().await;
        self.spec = None;
        if let Some(running) = self.running.take() {
            self.outgoing.push_back(cancelled(&running));
        }
        for request in std::mem::take(&mut self.waiting) {
            let event = cancelled(&Running::new(id_of(&request)));
            self.outgoing.push_back(event);
        }
    }

    /// Starts a child and has it load the model.
    fn load(&mut self) {
        self.spawn();
        self.tell_to_load();
    }

    fn tell_to_load(&mut self) {
        if let (Some(child), Some(spec)) = (&self.child, &self.spec) {
            self.loading = true;
            self.outgoing.push_back(Event::Loading(0));
            child.send(Command::Load(spec.clone()));
        }
    }

    fn spawn(&mut self) {
        self.loaded = false;
        self.loading = false;
        self.on_gpu = self.options.gpu;
        match Child::spawn(&self.options.program, self.options.log.as_deref()) {
            Ok(child) => {
                self.pid.send_replace(child.pid());
                self.child = Some(child);
            }
            Err(error) => {
                let program = self.options.program.display();
                let why = format!("the engine process {program} cannot be started: {error}");
                self.fail_waiting(&why);
                self.outgoing.push_back(Event::LoadFailed(why));
            }
        }
    }

    async fn cancel(&mut self, id: RequestId) {
        if let Some(at) = self.waiting.iter().position(|c| id_of(c) == id) {
            self.waiting.remove(at);
            self.outgoing.push_back(cancelled(&Running::new(id)));
            return;
        }
        let Some(running) = self.running.as_mut().filter(|r| r.id == id) else {
            return;
        };
        let slow = running.progress.chunk_ms.unwrap_or(0);
        if Duration::from_millis(slow) > PATIENCE {
            self.cut_short().await;
            return;
        }
        running.deadline = Some(Instant::now() + PATIENCE);
        if let Some(child) = &self.child {
            child.send(Command::Cancel(id));
        }
    }

    /// Ends a child that does not stop soon, and loads the model anew in the
    /// background.
    async fn cut_short(&mut self) {
        if let Some(running) = self.running.take() {
            self.outgoing.push_back(cancelled(&running));
        }
        self.drop_child().await;
        self.load();
    }

    async fn hear(&mut self, event: Event) {
        match &event {
            Event::Loaded(facts) => {
                self.loaded = true;
                self.loading = false;
                self.on_gpu = facts.gpu_layers > 0;
                self.outgoing.push_back(event);
                self.next_request();
                self.is_idle_from_now();
                return;
            }
            Event::LoadFailed(why) => {
                // Ends the child: the next request tries again with a new one.
                self.child = None;
                self.loading = false;
                self.pid.send_replace(None);
                let why = why.clone();
                self.fail_waiting(&why);
            }
            Event::Reading(id, progress) => {
                if let Some(running) = self.running.as_mut().filter(|r| r.id == *id) {
                    running.progress = *progress;
                }
            }
            Event::Finished(id, _)
            | Event::Failed(id, _)
            | Event::Rendered(id, _)
            | Event::Weighed(id, _)
            | Event::Measured { id, .. } => {
                if self.running.as_ref().is_some_and(|r| r.id == *id) {
                    self.running = None;
                    self.outgoing.push_back(event);
                    self.next_request();
                    self.is_idle_from_now();
                    return;
                }
            }
            Event::Kept if std::mem::take(&mut self.resting) => {
                self.drop_child().await;
                self.outgoing.push_back(Event::Rested);
                return;
            }
            Event::Kept => self.keeping = false,
            Event::Adapted(Ok(laid)) => {
                if let Some(spec) = &mut self.spec {
                    spec.adapters.clone_from(laid);
                }
            }
            // A child without a model has done what it was started for.
            Event::Devices(_) | Event::Quantized(_) if !self.loaded && !self.loading => {
                self.drop_child().await;
            }
            Event::Loading(_)
            | Event::Piece(..)
            | Event::Devices(_)
            | Event::Refused(_)
            | Event::Told(_)
            | Event::Adapted(Err(_))
            | Event::Quantizing(_)
            | Event::Quantized(_)
            | Event::Rested
            | Event::Died(_) => {}
        }
        self.outgoing.push_back(event);
    }

    /// Sends the request that has waited longest.
    fn next_request(&mut self) {
        if let Some(request) = self.waiting.pop_front() {
            self.request(request);
        }
    }

    /// The child has ended by itself: says why, and lets go of what it did.
    async fn bury(&mut self) {
        let Some(child) = self.child.take() else {
            return;
        };
        let loading = self.loading;
        self.loaded = false;
        self.loading = false;
        self.resting = false;
        self.rest_at = None;
        self.pid.send_replace(None);
        let cause = child.cause().await;
        if self.falls_back(&cause) {
            return;
        }
        if let Some(running) = self.running.take() {
            self.outgoing
                .push_back(Event::Failed(running.id, cause.clone()));
        }
        self.fail_waiting(&cause);
        self.outgoing.push_back(if loading {
            Event::LoadFailed(format!("the model could not be loaded: {cause}"))
        } else {
            Event::Died(cause)
        });
    }

    fn fail_waiting(&mut self, why: &str) {
        for request in std::mem::take(&mut self.waiting) {
            let event = Event::Failed(id_of(&request), why.to_string());
            self.outgoing.push_back(event);
        }
    }

    async fn drop_child(&mut self) {
        self.loaded = false;
        self.loading = false;
        self.keeping = false;
        self.resting = false;
        self.rest_at = None;
        self.pid.send_replace(None);
        if let Some(child) = self.child.take() {
            child.kill().await;
        }
    }
}

/// Whether a file can be loaded so.
fn checked(spec: &LoadSpec) -> Result<(), String> {
    match spec.vocabulary_only {
        true => check::model_file(&spec.model),
        false => check::chat_model(&spec.model).map(|_| ()),
    }
}

async fn next(child: &mut Option<Child>) -> Option<Event> {
    match child {
        Some(child) => child.next().await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
