//! The command line: definitions here, one file for each subcommand.

mod args;
mod args_models;
mod ask;
mod attach;
mod bench;
mod caption;
mod chat;
mod configure;
mod conversations;
mod doctor;
mod fail;
mod help;
mod input;
mod manual;
mod models;
mod output;
mod pull;
mod quantize;
mod render;
mod saved;
mod setup;
mod tuning;

use args::{Arguments, Verb};
use clap::Parser;
use std::io::IsTerminal;
use std::process::ExitCode;

pub use args::command;
pub use fail::Fail;

/// Runs the program and turns its outcome into an exit code: 0 done, 1 failed,
/// 2 wrong usage, 130 interrupted.
pub fn main() -> ExitCode {
    // The engine process is started often and parses nothing.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|a| a == crate::engine::runner::SUBCOMMAND)
    {
        return match crate::engine::runner::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => fail.report(),
    }
}

fn run(arguments: Arguments) -> Result<(), Fail> {
    let Arguments {
        model,
        system,
        begin,
        tuning,
        attach,
        verb,
    } = arguments;
    let asked = setup::Asked {
        model: model.filter(|path| !path.as_os_str().is_empty()),
        tuning,
    };
    match verb {
        None if std::io::stdin().is_terminal() => chat::run(asked, system, &begin, &attach),
        // Standard input is the prompt.
        None => {
            let ask = args::Ask {
                continue_last: begin.continue_last,
                conversation: begin.conversation,
                attach,
                ..args::Ask::default()
            };
            ask::run(ask, asked, system)
        }
        Some(Verb::Ask(mut ask)) => {
            let system = ask.system.take().or(system);
            ask.attach = std::mem::take(&mut ask.attach).after(attach);
            ask::run(*ask, asked, system)
        }
        Some(Verb::Caption(caption)) => caption::run(&caption, asked),
        Some(Verb::Render(render)) => render::run(&render, &asked),
        Some(Verb::Bench(bench)) => bench::run(&bench, asked),
        Some(Verb::Models { verb }) => models::run(verb),
        Some(Verb::Pull(pull)) => pull::run(&pull),
        Some(Verb::Quantize(quantize)) => quantize::run(&quantize),
        Some(Verb::Help(help)) => help::run(&help),
        Some(Verb::Conversations { verb }) => conversations::run(verb),
        Some(Verb::Doctor { json }) => doctor::run(json, &asked),
        Some(Verb::Config { verb }) => configure::run(verb),
        Some(Verb::Completions { shell }) => manual::completions(shell),
        Some(Verb::Man) => manual::man(),
    }
}
