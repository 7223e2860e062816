//! The command line: definitions here, one file for each subcommand.

mod args;
mod ask;
mod bench;
mod chat;
mod configure;
mod doctor;
mod fail;
mod input;
mod manual;
mod output;
mod render;
mod setup;

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
    let Arguments { chat, verb } = arguments;
    match verb {
        None if std::io::stdin().is_terminal() => chat::run(&chat),
        None => ask::run(args::Ask::from_chat(chat), None),
        Some(Verb::Ask(ask)) => ask::run(*ask, Some(chat)),
        Some(Verb::Render(render)) => render::run(&render, chat.model),
        Some(Verb::Bench(bench)) => bench::run(&bench, chat.model),
        Some(Verb::Doctor { json }) => doctor::run(json, chat.model),
        Some(Verb::Config { verb }) => configure::run(verb),
        Some(Verb::Completions { shell }) => manual::completions(shell),
        Some(Verb::Man) => manual::man(),
    }
}
