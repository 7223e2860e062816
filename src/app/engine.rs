//! What the engine's events do to the state.

use super::act;
use super::adapt;
use super::attach;
use super::effect::Effect;
use super::layer::{self, Layer, ModelsLayer};
use super::state::State;
use super::talk::{Body, Tone};
use super::title::{self, Titling};
use super::turn::{Engine, Turn};
use crate::chat::{FinishReason, Part, Progress};
use crate::protocol::engine::{Event, Finish, ModelFacts, Place, RequestId, gpus};
use crate::protocol::library::Gpu;
use std::time::Instant;

pub(super) fn hear(state: &mut State, event: Event, now: Instant) -> Vec<Effect> {
    match event {
        Event::Loading(permille) => loading(state, permille),
        Event::Refused(why) => {
            state.wanted = None;
            state.chosen = None;
            let why = why.trim_end_matches('.');
            state
                .talk
                .notice(Tone::Problem, format!("Not loaded: {why}."));
            if state.loaded.is_none() && matches!(state.engine, Engine::Loading(_)) {
                return ask_for_model(state);
            }
        }
        Event::Loaded(facts) => return loaded(state, facts),
        Event::LoadFailed(why) => load_failed(state, &why),
        Event::Piece(id, part) if state.titling.is(id) => state.titling.take(part),
        Event::Finished(id, finish) if state.titling.is(id) => title::finished(state, &finish),
        Event::Finished(id, finish) if is_stopped(state, id) => {
            // A host that gave up on its engine knows nothing of it.
            if let Some(stopped) = state
                .stopped
                .take()
                .filter(|_| finish.usage.prompt_tokens > 0)
            {
                state.talk.account(stopped.message, &finish);
            }
        }
        Event::Failed(id, _) if state.titling.is(id) => state.titling = Titling::Idle,
        Event::Reading(id, progress) if state.turn.id() == Some(id) => {
            state.reading_total = progress.total;
            state.turn = Turn::Reading(id, progress);
        }
        Event::Piece(id, part) if state.turn.id() == Some(id) => piece(state, id, part, now),
        Event::Finished(id, finish) if state.turn.id() == Some(id) => {
            return finished(state, finish, now);
        }
        Event::Failed(id, why) if state.turn.id() == Some(id) => failed(state, why),
        Event::Died(why) => died(state, why),
        Event::Weighed(id, tokens) => attach::weighed(state, id, tokens),
        Event::Told(words) => state.talk.notice(Tone::Problem, words),
        Event::Adapted(laid) => adapt::adapted(state, laid),
        Event::Rested => state.engine = Engine::Resting,
        Event::Devices(devices) => {
            let gpus = with_own(state, gpus(&devices));
            return layer::devices(state, gpus);
        }
        // Stale, or not asked for by the chat.
        Event::Reading(..)
        | Event::Piece(..)
        | Event::Finished(..)
        | Event::Failed(..)
        | Event::Rendered(..)
        | Event::Measured { .. }
        | Event::Quantizing(_)
        | Event::Quantized(_)
        | Event::Kept => {}
    }
    Vec::new()
}

/// Whether this is of the answer that was stopped last, in the conversation that
/// is still open.
fn is_stopped(state: &State, id: RequestId) -> bool {
    let stopped = state.stopped.as_ref();
    stopped.is_some_and(|s| s.request == id && s.conversation == state.talk.about.id)
}

/// The model that the chat was to begin with is not to be had: the person is
/// asked for another.
fn ask_for_model(state: &mut State) -> Vec<Effect> {
    state.model = None;
    state.engine = Engine::NoModel;
    state.layers.push(Layer::Models(ModelsLayer::default()));
    vec![
        Effect::Devices,
        Effect::FindModels(state.library.gpus.clone()),
    ]
}

/// The cards, with what the loaded model has of them: it gives that back before
/// another is loaded.
fn with_own(state: &State, mut gpus: Vec<Gpu>) -> Vec<Gpu> {
    if let Engine::Ready(facts) = &state.engine {
        for gpu in &mut gpus {
            let own = facts.places.iter().filter(|p| p.device == gpu.name);
            gpu.free += own.map(Place::total).sum::<u64>();
        }
    }
    gpus
}

fn loading(state: &mut State, permille: u16) {
    if let Some(path) = state.wanted.take() {
        state.model = Some(path);
        state.flash = None;
    }
    // Progress may still come from a loading that was stopped.
    if state.model.is_some() {
        state.engine = Engine::Loading(permille);
    }
}

/// A model that the person chose from the list is remembered once it works.
fn loaded(state: &mut State, facts: ModelFacts) -> Vec<Effect> {
    state.loaded.clone_from(&state.model);
    state.engine = Engine::Ready(facts);
    let chosen = state
        .chosen
        .take()
        .filter(|path| Some(path) == state.model.as_ref());
    let used = state.model.clone().map(Effect::Used);
    let remember = chosen.map(Effect::Remember);
    let mut effects: Vec<Effect> = used.into_iter().chain(remember).collect();
    effects.extend(attach::forget_weights(state));
    effects
}

fn load_failed(state: &mut State, why: &str) {
    if let Some(path) = state.wanted.take() {
        state.model = Some(path);
    }
    state.chosen = None;
    state.engine = Engine::Failed;
    if !state.turn.is_idle() {
        failed(state, why.to_string());
    } else if !is_told(state, why) {
        let words = format!("The model was not loaded: {why}. /model chooses another.");
        state.talk.notice(Tone::Problem, words);
    }
}

/// Whether the last thing in the conversation says so already.
fn is_told(state: &State, why: &str) -> bool {
    match state.talk.last().map(|e| e.body) {
        Some(Body::Answer(answer)) => answer.progress == Progress::Failed(why.to_string()),
        Some(Body::Notice(_, words)) => words.contains(why),
        Some(Body::Question(_)) | None => false,
    }
}

fn piece(state: &mut State, id: RequestId, part: Part, now: Instant) {
    match &mut state.turn {
        Turn::Writing { pieces, .. } => *pieces += 1,
        turn => {
            *turn = Turn::Writing {
                id,
                since: now,
                pieces: 1,
            };
        }
    }
    if let Some(answer) = state.talk.open() {
        match part {
            Part::Thinking(text) => answer.thinking.push_str(&text),
            Part::Answer(text) => answer.text.push_str(&text),
        }
    }
    state.talk.journal.grow(now);
}

fn finished(state: &mut State, finish: Finish, now: Instant) -> Vec<Effect> {
    state.usage = finish.usage;
    if let Some(id) = state.talk.writing() {
        state.talk.account(id, &finish);
    }
    let progress = match finish.reason {
        FinishReason::Stop => Progress::Done,
        FinishReason::Length => Progress::Cut,
        FinishReason::Cancelled => Progress::Stopped,
        FinishReason::Error => Progress::Failed("the engine failed".into()),
    };
    let learned = learned(state, &finish);
    act::end_turn(state, progress);
    if let Some(notice) = finish.notice {
        state.talk.notice(Tone::Problem, notice);
    }
    let mut effects: Vec<Effect> = learned.into_iter().collect();
    match state.queue.pop_front() {
        Some(question) => effects.extend(act::begin(state, question)),
        None if finish.reason == FinishReason::Stop => title::plan(state, now),
        None => {}
    }
    effects
}

/// How fast weights were gone through, where all of them are in one kind of
/// memory and the answer was long enough to tell.
fn learned(state: &State, finish: &Finish) -> Option<Effect> {
    const ENOUGH: u32 = 16;
    let Engine::Ready(facts) = &state.engine else {
        return None;
    };
    let tps = finish.timings.generate_tps;
    let whole = facts.gpu_layers == 0 || facts.gpu_layers > facts.layers;
    let speed = (tps * facts.read_per_token as f64) as u64;
    (whole && speed > 0 && finish.usage.completion_tokens >= ENOUGH).then_some(Effect::Learn {
        on_gpu: facts.gpu_layers > 0,
        speed,
    })
}

/// The request came to nothing, or the engine ended in the middle of it. A
/// question of which nothing came goes back to the composer: left in the
/// conversation, a prompt that does not fit would spoil every later one.
fn failed(state: &mut State, why: String) {
    let hint = match state.engine {
        Engine::Failed => " /model chooses another model.",
        Engine::NoModel
        | Engine::Loading(_)
        | Engine::Ready(_)
        | Engine::Down
        | Engine::Resting => "",
    };
    match state.talk.take_back() {
        Some(question) => {
            state.turn = Turn::Idle;
            state
                .talk
                .notice(Tone::Problem, format!("No answer: {why}.{hint}"));
            state.queue.push_front(question);
        }
        None => act::end_turn(state, Progress::Failed(why)),
    }
    act::return_queue(state);
}

fn died(state: &mut State, why: String) {
    state.engine = Engine::Down;
    // A death in the middle of an answer is told with the answer.
    if !is_told(state, &why) {
        let words = format!("The engine stopped: {why}. The next message starts it again.");
        state.talk.notice(Tone::Problem, words);
    }
}
