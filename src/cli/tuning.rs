//! The command line's flags for how a model runs: one for each entry of
//! `protocol::tuning`.

use crate::app::adapter;
use crate::config::spec::Said;
use crate::protocol::engine::Adapter;
use crate::protocol::tuning::{KNOBS, Tuning};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::path::PathBuf;

const HEADING: &str = "How the model runs";

/// What was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TuningArgs {
    pub said: Said,
}

impl TuningArgs {
    /// What stands before the subcommand, under what stands after it.
    pub fn over(&self, base: &Self) -> Self {
        let (under, over) = (&base.said, &self.said);
        let written = under.written.iter().chain(&over.written);
        let adapters = under.adapters.iter().chain(&over.adapters);
        let projector = over.projector.as_ref().or(under.projector.as_ref());
        Self {
            said: Said {
                written: written.cloned().collect(),
                adapters: adapters.cloned().collect(),
                projector: projector.cloned(),
            },
        }
    }
}

impl Args for TuningArgs {
    fn augment_args(command: Command) -> Command {
        let command = KNOBS.iter().fold(command, |command, knob| {
            let arg = Arg::new(knob.flag)
                .long(knob.flag)
                .help(knob.doc)
                .help_heading(HEADING)
                .hide_short_help(true);
            command.arg(match knob.value {
                Some(value) => arg.value_name(value).allow_hyphen_values(true),
                None => arg.action(ArgAction::SetTrue),
            })
        });
        command
            .arg(
                Arg::new("lora")
                    .long("lora")
                    .value_name("FILE[:SCALE]")
                    .help("a LoRA file to lay over the model; may be given several times")
                    .help_heading(HEADING)
                    .hide_short_help(true)
                    .action(ArgAction::Append),
            )
            .arg(
                Arg::new("mmproj")
                    .long("mmproj")
                    .value_name("FILE")
                    .value_parser(clap::value_parser!(PathBuf))
                    .help("the model's eyes or ears, where they are not found beside it")
                    .help_heading(HEADING)
                    .hide_short_help(true),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for TuningArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let mut trial = Tuning::default();
        for knob in KNOBS {
            let written = match knob.value {
                Some(_) => matches.get_one::<String>(knob.flag).cloned(),
                None => matches.get_flag(knob.flag).then(|| "true".to_string()),
            };
            let Some(written) = written else { continue };
            knob.set(&mut trial, &written).map_err(wrong)?;
            self.said.written.push((knob.name, written));
        }
        for written in matches.get_many::<String>("lora").into_iter().flatten() {
            let Adapter { path, scale } = adapter(written).map_err(wrong)?;
            self.said.adapters.push((path, scale));
        }
        if let Some(path) = matches.get_one::<PathBuf>("mmproj") {
            self.said.projector = Some(path.clone());
        }
        Ok(())
    }
}

fn wrong(words: String) -> clap::Error {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, words + "\n")
}
