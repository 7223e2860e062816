//! The one way in which state changes.

use super::act;
use super::action::Action;
use super::attach;
use super::effect::Effect;
use super::event::{CopyWay, Drawn, Event};
use super::key::{Code, Key};
use super::library::{self, HubSearch};
use super::state::State;
use super::talk::EntryId;
use super::talk::{Scroll, Tone};
use super::{engine, journal, keep, layer, title, verbs};
use crate::chat::text::{one_line, sanitise};
use std::time::Instant;

/// Takes an event into the state and returns what the outside world is to do.
pub fn update(state: &mut State, event: Event, now: Instant) -> Vec<Effect> {
    // What a drawing resolved asks nothing of the outside world; whatever is due
    // has an event of its own.
    if let Event::Drawn(drawn) = event {
        settle(state, drawn);
        return Vec::new();
    }
    // A title never delays what the person does.
    let person = matches!(event, Event::Key(_) | Event::Paste(_));
    let given_up = person.then(|| title::give_way(state, now)).flatten();
    let mut effects: Vec<Effect> = given_up.into_iter().collect();
    effects.extend(take(state, event, now));
    effects.extend(title::ask(state, now));
    if std::mem::take(&mut state.composer.touched) {
        state.talk.journal.draft(now);
    }
    let quits = effects.contains(&Effect::Quit);
    if let Some(save) = journal::flush(state, now, quits) {
        // What is asked for next may be to read it again.
        effects.insert(0, save);
    }
    effects
}

fn take(state: &mut State, event: Event, now: Instant) -> Vec<Effect> {
    match event {
        Event::Key(pressed) => return key(state, pressed, now),
        Event::Paste(text) => return paste(state, &text),
        Event::Click(column, row) => click(state, column, row),
        Event::Store(event) => return keep::hear(state, event, now),
        Event::Wheel(rows) => state.talk.pending += i64::from(rows),
        Event::Engine(event) => return engine::hear(state, event, now),
        Event::Models(found) => layer::found(state, found),
        Event::Catalog(entries, machine) => {
            state.library.catalog = entries;
            state.library.machine = machine;
        }
        Event::Pulling(id, progress) => library::progress(state, id, progress),
        Event::Pulled(id, outcome) => return library::pulled(state, id, outcome, now),
        Event::Hub(found) => {
            state.library.hub = match found {
                Ok(repos) => HubSearch::Found(repos),
                Err(why) => HubSearch::Failed(why),
            };
        }
        Event::Named(path, name) => act::named(state, path, name),
        Event::Removed(outcome) => {
            match outcome {
                Ok(name) => state.flash(format!("{name} is deleted."), now),
                Err(why) => state.flash(format!("Not deleted: {why}"), now),
            }
            return vec![Effect::FindModels(state.library.gpus.clone())];
        }
        Event::Copied(Ok(CopyWay::Clipboard)) => state.flash("Copied.", now),
        Event::Copied(Ok(CopyWay::Terminal)) => {
            state.flash(
                "Sent to the terminal to copy (OSC 52); not every terminal takes it.",
                now,
            );
        }
        Event::Copied(Err(why)) => state.flash(format!("Not copied: {why}"), now),
        Event::Saved(Ok(path)) => state.flash(format!("Saved to {path}"), now),
        Event::Saved(Err(why)) => state
            .talk
            .notice(Tone::Problem, format!("Not saved: {why}.")),
        Event::Attached(outcome, text) => return attach::came(state, outcome, text, now),
        Event::Mentioned(was, outcome) => return attach::mentioned(state, &was, outcome),
        Event::NotRecorded(why) => attach::not_recorded(state, &why),
        Event::NotOpened(why) => state.flash(format!("Not opened: {why}."), now),
        Event::Drawn(_) | Event::Resized => {}
        Event::Tick => {
            if state.flash.as_ref().is_some_and(|f| f.until <= now) {
                state.flash = None;
            }
        }
    }
    Vec::new()
}

fn settle(state: &mut State, drawn: Drawn) {
    state.talk.scroll = drawn.scroll;
    state.talk.pending = 0;
    state.page = drawn.page;
    state.help_rows = drawn.help_rows;
    state.talk.reveal = None;
    state.rows = drawn.rows;
    state.place = drawn.place;
}

/// Chooses the message that was pressed; a second press lets go of it.
fn click(state: &mut State, column: u16, row: u16) {
    let (top, left, right) = state.place;
    let id: Option<EntryId> = row
        .checked_sub(top)
        .filter(|_| (left..right).contains(&column) && state.layers.is_empty())
        .and_then(|row| state.rows.get(usize::from(row)).copied());
    let id = id.filter(|id| state.talk.tree().get(*id).is_some());
    state.talk.focus = id.filter(|id| state.talk.focus != Some(*id));
}

fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    match state.layers.last_mut() {
        None => return attach::paste(state, text),
        Some(layer::Layer::Palette { query, .. }) => query.push_str(&one_line(text, 200)),
        Some(layer::Layer::Settings(settings)) => {
            if let Some(typing) = &mut settings.typing {
                typing.push_str(&sanitise(text));
            }
        }
        Some(layer::Layer::Help(help)) => help.query.push_str(&one_line(text, 200)),
        Some(layer::Layer::Models(models)) => models.paste(&one_line(text, 4096)),
        Some(layer::Layer::Runs) => {}
        Some(layer::Layer::Find(_)) => layer::paste_find(state, &one_line(text, 200)),
        Some(layer::Layer::Conversations(_)) => {
            return layer::paste_conversations(state, &one_line(text, 200));
        }
    }
    Vec::new()
}

fn key(state: &mut State, key: Key, now: Instant) -> Vec<Effect> {
    let key = key.normal();
    let mapped = state.keymap.action(key, state.composer.is_empty());
    // A passing word has been seen when the next key comes. Only the key that
    // quits is an answer to the question whether to.
    let asked = state.flash.as_ref().is_some_and(|f| f.asks_to_quit);
    if !(asked && mapped == Some(Action::Interrupt)) {
        state.flash = None;
    }
    if !state.layers.is_empty() {
        return match mapped {
            Some(Action::Interrupt) => layer::dismiss(state),
            Some(action @ (Action::Quit | Action::Suspend | Action::Redraw)) => {
                act::run(state, action, now)
            }
            _ => layer::key(state, key, now),
        };
    }
    match mapped {
        Some(action) => act::run(state, action, now),
        None if state.talk.focus.is_some() => chosen(state, key, now),
        None => compose(state, key),
    }
}

/// A key while a message is chosen: arrows walk, and whatever works with Alt
/// works without. Anything else goes to the composer, and nothing is chosen.
fn chosen(state: &mut State, key: Key, now: Instant) -> Vec<Effect> {
    let plain = !key.ctrl && !key.alt;
    match key.code {
        Code::Up if plain => state.talk.move_focus(false),
        Code::Down if plain => state.talk.move_focus(true),
        Code::Left if plain => verbs::walk(state, false, now),
        Code::Right if plain => verbs::walk(state, true, now),
        _ => {
            let with_alt = Key { alt: true, ..key };
            let action = state.keymap.action(with_alt.normal(), true);
            return match action.filter(|_| plain) {
                Some(action) => act::run(state, action, now),
                None => {
                    state.talk.focus = None;
                    compose(state, key)
                }
            };
        }
    }
    Vec::new()
}

/// A key that is no action goes to the composer, but for two: Tab completes a
/// command, and End follows the conversation when the cursor cannot go on.
fn compose(state: &mut State, key: Key) -> Vec<Effect> {
    if key == Key::plain(Code::Tab) {
        let chosen = state.composer.suggestions();
        if let Some(entry) = chosen.get(state.composer.choice) {
            let space = if entry.slash == Some("") { "" } else { " " };
            state.composer.set(&format!("/{}{space}", entry.name));
        }
        return Vec::new();
    }
    let scrolled = state.talk.scroll != Scroll::Follow;
    if key == Key::plain(Code::End) && scrolled && state.composer.at_line_end() {
        state.talk.scroll = Scroll::Follow;
        return Vec::new();
    }
    state.composer.key(key);
    Vec::new()
}
