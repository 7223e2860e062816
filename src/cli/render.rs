//! `parlor render`: exactly the text that a model would be given.

use super::args::Render;
use super::setup::Asked;
use super::{Fail, input, output, setup};
use crate::engine::template::{self, Context};
use crate::protocol::engine::{Command, Event, LoadSpec};

pub fn run(render: &Render, asked: &Asked) -> Result<(), Fail> {
    let messages = input::messages(&render.messages)?;
    if let Some(path) = &render.template {
        let template = std::fs::read_to_string(path).map_err(|e| {
            Fail::Failed(format!("cannot read the template {}: {e}", path.display()))
        })?;
        let context = Context {
            bos: render.bos.clone().unwrap_or_default(),
            eos: render.eos.clone().unwrap_or_default(),
            generation_prompt: !render.no_generation_prompt,
        };
        let text = template::render(&template, &messages, &context).map_err(Fail::failed)?;
        return output::print(&text);
    }
    let config = setup::config()?;
    let spec = LoadSpec {
        vocabulary_only: true,
        ..setup::spec(&config, asked)?
    };
    let command = Command::Render {
        id: 1,
        messages,
        generation_prompt: !render.no_generation_prompt,
        bos: render.bos.clone(),
        eos: render.eos.clone(),
    };
    let text = setup::run(async {
        let mut engine = setup::engine()?;
        let _ = engine.commands.send(Command::Load(spec));
        let _ = engine.commands.send(command);
        while let Some(event) = engine.events.recv().await {
            match event {
                Event::Rendered(_, text) => return Ok(text),
                Event::LoadFailed(why) | Event::Failed(_, why) | Event::Died(why) => {
                    return Err(Fail::Failed(why));
                }
                _ => {}
            }
        }
        Err(Fail::failed("the engine ended without an answer"))
    })?;
    output::print(&text)
}
