//! Where the model runs: layers and memory on each device, threads, and what
//! was chosen for it.

use super::open;
use crate::app::State;
use crate::app::adapter_names;
use crate::app::turn::Engine;
use crate::chat::size::bytes;
use crate::chat::text::sanitise;
use crate::protocol::engine::ModelFacts;
use crate::ui::text::fit;
use crate::ui::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};

/// Columns of the box at most.
const WIDTH: u16 = 88;

pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let lines = match &state.engine {
        Engine::Ready(facts) => lines(facts, &state.model_name().unwrap_or_default()),
        Engine::Loading(_) => vec!["The model is still loading.".into()],
        Engine::Resting => {
            vec!["The model was idle and rests: it takes no memory, and the next message brings it back.".into()]
        }
        Engine::NoModel | Engine::Failed | Engine::Down => vec!["No model is at work.".into()],
    };
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let size = (WIDTH, height.min(area.height.saturating_sub(2)));
    let inner = open(frame, area, theme, "Where it runs", "Esc closes", size);
    let width = usize::from(inner.width);
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|l| Line::styled(fit(&sanitise(l), width), theme.text))
        .collect();
    Paragraph::new(lines).render(inner, frame.buffer_mut());
}

fn lines(facts: &ModelFacts, name: &str) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{}  {} with {} parameters in {} layers",
            name, facts.architecture, facts.parameters, facts.layers
        ),
        String::new(),
        format!(
            "{:<12} {:>7} {:>10} {:>10} {:>10} {:>10}",
            "device", "layers", "weights", "cache", "computing", "in all"
        ),
    ];
    lines.extend(facts.places.iter().map(|p| {
        format!(
            "{:<12} {:>7} {:>10} {:>10} {:>10} {:>10}",
            p.device,
            p.layers,
            bytes(p.weights),
            bytes(p.cache),
            bytes(p.compute),
            bytes(p.total())
        )
    }));
    lines.push(String::new());
    lines.push(format!(
        "threads       {} write, {} read",
        facts.threads, facts.threads_batch
    ));
    lines.push(format!(
        "batch         {} tokens, {} at once",
        facts.batch, facts.ubatch
    ));
    lines.push(format!(
        "context       {} tokens; trained for {}",
        facts.context, facts.trained_context
    ));
    lines.push(format!(
        "cache         keys {}, values {}",
        facts.cache_types.0, facts.cache_types.1
    ));
    lines.push(format!(
        "attention     {}",
        if facts.flash_attention {
            "flash"
        } else {
            "plain"
        }
    ));
    lines.push(format!(
        "template      {}",
        if facts.own_template {
            "the model's own"
        } else {
            "ChatML: the model has none"
        }
    ));
    for (what, text) in &facts.special {
        lines.push(format!("{what:<13} {text}"));
    }
    if !facts.projector.is_empty() {
        let does = match (facts.sees, facts.hears) {
            (true, true) => "sees and hears",
            (true, false) => "sees",
            (false, true) => "hears",
            (false, false) => "neither sees nor hears",
        };
        let name = sanitise(&facts.projector);
        lines.push(format!("projector     {name}, {does}"));
    }
    if !facts.adapters.is_empty() {
        lines.push(format!("adapters      {}", adapter_names(&facts.adapters)));
    }
    for step in &facts.steps {
        lines.push(format!("made smaller  {step}"));
    }
    lines
}
