//! What each action does.

use super::action::Action;
use super::effect::Effect;
use super::guide;
use super::layer::{self, HelpLayer, Layer, ModelsLayer, SettingsLayer};
use super::slash::{self, Slash};
use super::state::{State, Stopped};
use super::talk::{Keep, Scroll, Tone};
use super::turn::{Engine, Turn};
use super::{adapt, attach, keep, library, verbs};
use crate::chat::sampling::{SETTINGS, Setting};
use crate::chat::{Answer, Made, MessageId, Persona, Progress, Sampling, Usage};
use crate::protocol::engine::Request;
use crate::protocol::library::STARTER;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How to come to a model; shown whenever one is missing.
pub const NO_MODEL: &str =
    "There is no model. /model chooses one, and /model PATH loads a .gguf file.";

/// The same in few words, for one line.
pub(super) const NO_MODEL_SHORT: &str = "There is no model: /model chooses one.";

/// Runs an action.
pub fn run(state: &mut State, action: Action, now: Instant) -> Vec<Effect> {
    match action {
        Action::Submit => return submit(state, now),
        Action::Newline => state.composer.newline(),
        Action::Stop => return stop_or_unload(state, now),
        Action::Interrupt => return interrupt(state, now),
        Action::Leave if state.composer.is_empty() => return vec![Effect::Quit],
        Action::Leave => {
            state.composer.key(super::Key::plain(super::Code::Delete));
        }
        Action::Quit => return vec![Effect::Quit],
        Action::Help => state.layers.push(Layer::Help(HelpLayer::default())),
        Action::Palette => state.layers.push(Layer::Palette {
            query: String::new(),
            choice: 0,
        }),
        Action::Settings => state.layers.push(Layer::Settings(SettingsLayer::default())),
        // These take words: the composer is where words are written.
        Action::Model => {
            state.layers.push(Layer::Models(ModelsLayer::default()));
            return vec![
                Effect::Devices,
                Effect::FindModels(state.library.gpus.clone()),
            ];
        }
        Action::Runs => state.layers.push(Layer::Runs),
        Action::Adapter => return adapt::command(state, ""),
        Action::Pull => state.talk.notice(
            Tone::Plain,
            "/pull OWNER/REPO fetches a model of Hugging Face that suits this machine, OWNER/REPO:QUANT a quantisation of it. /model lists some to begin with, and shows how far it is.",
        ),
        Action::Attach if state.composer.is_empty() => prefill(state, "/attach "),
        Action::Attach => return attach::command(state, ""),
        Action::PastePicture => return attach::begin(state, attach::Origin::Clipboard),
        Action::OpenAttached => return attach::open(state, now),
        Action::Record => return attach::record(state, now),
        Action::Able => return attach::load_able(state, now),
        Action::System => prefill(state, "/system "),
        Action::Set => prefill(state, "/set "),
        Action::Persona => prefill(state, "/persona "),
        Action::Clear => return keep::begin(state, Keep::Saved, now),
        Action::Private => return private(state, now),
        Action::Conversations => return layer::open_conversations(state, ""),
        Action::Find => layer::open_find(state, ""),
        Action::ChooseUp => state.talk.move_focus(false),
        Action::ChooseDown => state.talk.move_focus(true),
        Action::Edit => return verbs::edit(state, now),
        Action::Retry => return verbs::retry(state, "", now),
        Action::Continue => return verbs::proceed(state, now),
        Action::EarlierVersion => verbs::walk(state, false, now),
        Action::LaterVersion => verbs::walk(state, true, now),
        Action::Delete => return verbs::delete(state, now),
        Action::Undo => verbs::undo(state, now),
        Action::Fork => return verbs::fork(state, now),
        Action::Copy => return verbs::copy(state, "", now),
        Action::Details => verbs::details(state, now),
        Action::ToggleReasoning => state.talk.toggle_reasoning(),
        Action::ScrollUp => state.talk.pending -= 1,
        Action::ScrollDown => state.talk.pending += 1,
        Action::PageUp => state.talk.pending -= i64::from(state.page.saturating_sub(1).max(1)),
        Action::PageDown => state.talk.pending += i64::from(state.page.saturating_sub(1).max(1)),
        Action::Top => state.talk.pending = i64::MIN / 2,
        Action::Follow => state.talk.scroll = Scroll::Follow,
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
    }
    Vec::new()
}

fn prefill(state: &mut State, words: &str) {
    state.composer.shelve();
    state.composer.set(words);
}

/// Sends what is written: a command, or a message to the model.
fn submit(state: &mut State, now: Instant) -> Vec<Effect> {
    let text = state.composer.text();
    if text.trim().is_empty() {
        return Vec::new();
    }
    let chosen = state.composer.suggestions();
    let chosen = chosen
        .get(state.composer.choice)
        .map(|e| (e.action, e.slash));
    match (chosen, slash::parse(&text)) {
        // A chosen command that needs words is completed; the words follow.
        (Some((action, Some(needs))), _)
            if !needs.is_empty() && text.trim() != format!("/{}", action.entry().name) =>
        {
            state.composer.set(&format!("/{} ", action.entry().name));
            Vec::new()
        }
        (Some((action, _)), _) => {
            state.composer.take();
            command(state, action, "", now)
        }
        (None, Some(Slash::Command(action, rest))) => {
            let rest = rest.to_string();
            state.composer.take();
            command(state, action, &rest, now)
        }
        (None, Some(Slash::Unknown(name))) => {
            let words =
                format!("There is no command /{name}. Begin with a space to send it as text.");
            state.flash(words, now);
            Vec::new()
        }
        (None, None) => message(state, now),
    }
}

fn message(state: &mut State, now: Instant) -> Vec<Effect> {
    if state.engine == Engine::NoModel {
        // What was written stays where it is.
        state.flash(NO_MODEL_SHORT, now);
        return Vec::new();
    }
    if !verbs::may_change(state, now) {
        return Vec::new();
    }
    if let Some(looks) = attach::mentions(state) {
        return looks;
    }
    send(state)
}

/// Sends what the composer holds.
pub(super) fn send(state: &mut State) -> Vec<Effect> {
    let text = state.composer.take();
    let text = text.trim_end().to_string();
    if let Some(id) = state.editing {
        return verbs::edited(state, id, text);
    }
    if !state.turn.is_idle() {
        state.queue.push_back(text);
        return Vec::new();
    }
    state.talk.scroll = Scroll::Follow;
    begin(state, text)
}

/// Puts a question into the conversation and asks for its answer.
pub(super) fn begin(state: &mut State, question: String) -> Vec<Effect> {
    let parent = state.talk.leaf();
    let question = state.talk.ask(parent, question);
    ask(state, question)
}

/// Asks for a new answer to a question.
pub(super) fn ask(state: &mut State, question: MessageId) -> Vec<Effect> {
    request(state, question, None)
}

/// Asks for an answer to a question; or, with its text so far, for the rest of
/// the one that is open.
pub(super) fn request(
    state: &mut State,
    question: MessageId,
    written: Option<String>,
) -> Vec<Effect> {
    let guided = guide::prepare(state, question);
    let model = state.model.as_ref().map(|m| m.display().to_string());
    let seed = state.settings.sampling.seed;
    let seed = seed.unwrap_or_else(|| state.new_seed());
    let made = Made {
        model: model.unwrap_or_default(),
        sampling: state.settings.sampling.clone(),
        seed: Some(seed),
        system: state.settings.system.clone(),
    };
    state.talk.is_with(&made);
    let told = written.is_some();
    if told {
        if let Some(answer) = state.talk.open() {
            answer.made.get_or_insert(made);
        }
    } else {
        let answer = Answer {
            sources: guided.sources,
            made: Some(made),
            ..Answer::default()
        };
        state.talk.open_answer(Some(question), answer);
    }
    let id = state.next_request;
    state.next_request += 1;
    state.turn = Turn::Waiting(id);
    vec![Effect::Generate(Request {
        id,
        messages: guided.messages,
        media: Vec::new(),
        opening: written.unwrap_or(guided.opening),
        told,
        sampling: Sampling {
            seed: Some(seed),
            ..state.settings.sampling.clone()
        },
        conversation: (state.talk.keep == Keep::Saved).then(|| state.talk.about.id.clone()),
    })]
}

/// A conversation that is never written anywhere.
fn private(state: &mut State, now: Instant) -> Vec<Effect> {
    let effects = keep::begin(state, Keep::Private, now);
    let words = "This conversation is off the record: it is never saved anywhere.";
    state.talk.notice(Tone::Plain, words);
    effects
}

fn command(state: &mut State, action: Action, rest: &str, now: Instant) -> Vec<Effect> {
    match action {
        Action::Model if !rest.is_empty() => {
            if let Some(cost) = state.reread_cost(None) {
                state.talk.notice(Tone::Plain, cost);
            }
            load(state, PathBuf::from(rest))
        }
        Action::Help if !rest.is_empty() => {
            state.layers.push(Layer::Help(HelpLayer {
                query: rest.to_string(),
                scroll: 0,
            }));
            Vec::new()
        }
        Action::Conversations if !rest.is_empty() => layer::open_conversations(state, rest),
        Action::Find if !rest.is_empty() => {
            layer::open_find(state, rest);
            Vec::new()
        }
        Action::Adapter => adapt::command(state, rest),
        Action::Attach => attach::command(state, rest),
        Action::Pull if !rest.is_empty() => library::pull(state, rest.to_string()),
        Action::Retry => verbs::retry(state, rest, now),
        Action::Copy => verbs::copy(state, rest, now),
        Action::Persona => {
            persona(state, rest);
            Vec::new()
        }
        Action::System => {
            system(state, rest);
            Vec::new()
        }
        Action::Set => {
            set(state, rest);
            Vec::new()
        }
        action => run(state, action, now),
    }
}

/// Asks for another model. Nothing changes until the engine takes it: a wrong
/// path must not cost the model that is loaded.
pub(super) fn load(state: &mut State, path: PathBuf) -> Vec<Effect> {
    state.chosen = None;
    state.wanted = Some(path.clone());
    vec![Effect::Load(path)]
}

/// A name was found to stand for this file: the starter keeps its name, for
/// its file is not the person's to know.
pub(super) fn named(state: &mut State, path: PathBuf, name: String) {
    state.names.insert(path.clone(), name);
    let asked = state.wanted.as_ref().or(state.model.as_ref());
    if asked.is_some_and(|asked| asked == Path::new(STARTER)) {
        return;
    }
    if state.chosen.is_some() {
        state.chosen = Some(path.clone());
    }
    if state.wanted.is_some() {
        state.wanted = Some(path);
    } else if matches!(state.engine, Engine::Loading(_)) {
        state.model = Some(path);
    }
}

fn system(state: &mut State, text: &str) {
    let words = match text {
        "" if state.settings.system.is_empty() => {
            "There is no system prompt. /system TEXT sets one.".into()
        }
        "" => format!(
            "The system prompt is: {}\n\n/system none removes it.",
            state.settings.system
        ),
        "none" => {
            state.settings.system.clear();
            "The system prompt is removed.".into()
        }
        text => {
            state.settings.system = text.to_string();
            "The system prompt is set; it holds from the next message on.".into()
        }
    };
    state.talk.notice(Tone::Plain, words);
}

fn persona(state: &mut State, name: &str) {
    let (tone, words) = match (name, Persona::named(name)) {
        ("", _) => (
            Tone::Plain,
            format!(
                "The persona is {}. /persona guide answers from Parlor's help, /persona none plays no part, /persona auto is the guide with the starter alone.",
                state.settings.persona.name()
            ),
        ),
        (_, Ok(persona)) => {
            state.settings.persona = persona;
            let words = match persona.guides(state.has_starter()) {
                true => {
                    "The guide answers questions about Parlor from its help, from the next message on."
                }
                false => "The model plays no part, from the next message on.",
            };
            (Tone::Plain, words.into())
        }
        (_, Err(why)) => (Tone::Problem, format!("{why}.")),
    };
    state.talk.notice(tone, words);
}

fn set(state: &mut State, rest: &str) {
    let sampling = &mut state.settings.sampling;
    let (name, value) = rest.split_once([' ', '=']).unwrap_or((rest, ""));
    let (tone, words) = match (Setting::find(name), value.trim()) {
        (_, "") if name.is_empty() => (Tone::Plain, all_settings(state)),
        (Err(error), _) => (Tone::Problem, format!("{error}.")),
        (Ok(s), "") => (
            Tone::Plain,
            format!(
                "{} is {}: {}; {}.",
                s.name,
                s.show(sampling),
                s.doc,
                s.range()
            ),
        ),
        (Ok(s), value) => match s.set(sampling, value) {
            Ok(()) => (
                Tone::Plain,
                format!("{} is now {}.", s.name, s.show(sampling)),
            ),
            Err(error) => (Tone::Problem, format!("{error}.")),
        },
    };
    state.talk.notice(tone, words);
}

fn all_settings(state: &State) -> String {
    let line = |s: &Setting| format!("{} = {}", s.name, s.show(&state.settings.sampling));
    SETTINGS.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Stops the answer under way; without one, the loading under way. A model that
/// comes back after a stop was wanted: a second Esc must not cost it.
fn stop_or_unload(state: &mut State, now: Instant) -> Vec<Effect> {
    if state.turn.is_idle() && verbs::cancel_focus(state) {
        return Vec::new();
    }
    if let Some(effects) = attach::discard(state, now) {
        return effects;
    }
    if state.turn.is_idle() && state.editing.is_some() {
        verbs::leave_edit(state);
        return Vec::new();
    }
    let loading = matches!(state.engine, Engine::Loading(_));
    if state.turn.is_idle() && loading && state.loaded != state.model {
        state.engine = Engine::NoModel;
        state.model = None;
        let words = "Loading was stopped. /model chooses a model.";
        state.talk.notice(Tone::Plain, words);
        return vec![Effect::Unload];
    }
    stop(state)
}

/// Stops the answer under way, if there is one. What was queued goes back to
/// the composer: it was written for an answer that never came.
pub(super) fn stop(state: &mut State) -> Vec<Effect> {
    let Some(id) = state.turn.id() else {
        return Vec::new();
    };
    // The engine's own account comes later, for a request that is then stale.
    state.usage = match &state.turn {
        Turn::Reading(_, read) => usage(read.read, 0),
        Turn::Writing { pieces, .. } => usage(state.reading_total, *pieces),
        Turn::Idle | Turn::Waiting(_) => state.usage,
    };
    state.stopped = state.talk.writing().map(|message| Stopped {
        request: id,
        conversation: state.talk.about.id.clone(),
        message,
    });
    end_turn(state, Progress::Stopped);
    return_queue(state);
    vec![Effect::Cancel(id)]
}

fn usage(prompt_tokens: u32, completion_tokens: u32) -> Usage {
    Usage {
        prompt_tokens,
        completion_tokens,
        ..Usage::default()
    }
}

/// Marks the open answer and makes the turn idle.
pub(super) fn end_turn(state: &mut State, progress: Progress) {
    state.talk.close(progress);
    state.turn = Turn::Idle;
}

/// Puts queued messages back before the draft.
pub(super) fn return_queue(state: &mut State) {
    if state.queue.is_empty() {
        return;
    }
    let mut lines: Vec<String> = state.queue.drain(..).collect();
    if !state.composer.is_empty() {
        lines.push(state.composer.text());
    }
    state.composer.set(&lines.join("\n"));
}

fn interrupt(state: &mut State, now: Instant) -> Vec<Effect> {
    if !state.turn.is_idle() {
        return stop(state);
    }
    if !state.composer.is_empty() {
        state.composer.set("");
        return Vec::new();
    }
    if state.flash.as_ref().is_some_and(|f| f.asks_to_quit) {
        return vec![Effect::Quit];
    }
    let key = state.keymap.key_of(Action::Interrupt);
    state.flash(format!("{key} again quits"), now);
    if let Some(flash) = &mut state.flash {
        flash.asks_to_quit = true;
    }
    Vec::new()
}
