//! The view: state to screen. Reads only; what it alone can know (where a
//! scroll lands, how tall the page is) it returns.

pub mod markdown;
pub mod text;
pub mod theme;

mod cache;
mod composer;
mod entry;
mod help;
pub mod hung;
pub mod picture;
mod popup;
mod status;
mod transcript;

pub use cache::Cache;
pub use theme::Theme;

use crate::app::{Drawn, State};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use std::time::Instant;

/// Draws everything. `now` is for rates only.
pub fn draw(
    frame: &mut Frame<'_>,
    state: &State,
    theme: &Theme,
    cache: &mut Cache,
    now: Instant,
) -> Drawn {
    let whole = frame.area();
    frame.buffer_mut().set_style(whole, theme.text);
    let side = popup::side(state, whole);
    let area = Rect {
        x: whole.x + side,
        width: whole.width - side,
        ..whole
    };
    let composer = composer::height(state, area);
    let attached = state.composer.attached();
    let (strip, previews) = composer::strip_height(&attached, &cache.gallery, area);
    let queue = u16::try_from(state.queue.len())
        .unwrap_or(u16::MAX)
        .min(area.height / 4);
    let [talk, queued, rule, strip, write, line] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(queue),
        Constraint::Length(u16::from(area.height > 3)),
        Constraint::Length(strip + previews),
        Constraint::Length(composer),
        Constraint::Length(u16::from(area.height > 1)),
    ])
    .areas(area);
    let page = transcript::draw(frame, talk, state, theme, cache);
    composer::queue(frame, queued, state, theme);
    composer::rule(frame, rule, state, page.shown.more_below, theme);
    composer::strip(
        frame,
        strip,
        &attached,
        previews,
        state,
        theme,
        &mut cache.gallery,
    );
    composer::draw(frame, write, state, theme);
    status::draw(frame, line, state, theme, now);
    composer::suggestions(
        frame,
        Rect {
            height: write.y.saturating_sub(area.y),
            ..area
        },
        state,
        theme,
    );
    let help_rows = popup::draw(frame, whole, state, theme);
    cache.gallery.settle(frame.buffer_mut());
    Drawn {
        scroll: page.shown.scroll,
        page: talk.height,
        help_rows,
        rows: page.rows,
        place: (talk.y, talk.x, talk.right()),
    }
}
