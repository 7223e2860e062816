//! What can be written on the command line. Users' scripts rely on it.

pub use super::args_models::{ModelsVerb, Pull, Quantize};
use super::attach::AttachArgs;
use super::caption::Length;
use super::tuning::TuningArgs;
use crate::chat::Sampling;
use crate::chat::sampling::{Setting, SettingError};
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;

/// A private room for conversation: chat with a language model on your own machine.
#[derive(Debug, Parser)]
#[command(name = "parlor", version, about, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
#[command(
    after_help = "With no subcommand, opens the chat. With standard input not a terminal, \
    standard input is the prompt and the answer goes to standard output."
)]
pub struct Arguments {
    /// The model: a .gguf file, a name from `parlor models list`, owner/repo[:quant],
    /// ollama:name[:tag], or `starter`, the small one inside this program
    #[arg(long, short, value_name = "MODEL", env = "PARLOR_MODEL", global = true)]
    pub model: Option<PathBuf>,
    /// What the model is told before the conversation
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    #[command(flatten)]
    pub begin: Begin,
    #[command(flatten)]
    pub tuning: TuningArgs,
    #[command(flatten)]
    pub attach: AttachArgs,
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Which conversation the chat begins with.
#[derive(Debug, Clone, Default, Args)]
pub struct Begin {
    /// Go on with the conversation of last time
    #[arg(long = "continue", short = 'c', conflicts_with = "conversation")]
    pub continue_last: bool,
    /// Go on with this conversation: its id, the beginning of it, or its title
    #[arg(long, value_name = "ID|TITLE")]
    pub conversation: Option<String>,
    /// Begin a conversation that is never saved
    #[arg(long, conflicts_with_all = ["continue_last", "conversation"])]
    pub private: bool,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print one answer, streamed as it comes
    Ask(Box<Ask>),
    /// Describe pictures, one caption for each
    Caption(Box<Caption>),
    /// Print exactly the text that a model would be given
    Render(Render),
    /// Measure how fast a model reads and writes
    Bench(Bench),
    /// Find, describe, pair and remove models
    Models {
        #[command(subcommand)]
        verb: ModelsVerb,
    },
    /// Fetch a model: owner/repo[:quant], owner/repo/file.gguf, or an https address
    Pull(Pull),
    /// Write a model anew in another number type
    Quantize(Quantize),
    /// Look a question up in the help; without one, list what there is
    Help(Help),
    /// List, find, show, keep and remove conversations
    Conversations {
        #[command(subcommand)]
        verb: ConversationsVerb,
    },
    /// Show what this machine has and what is missing
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The configuration file
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigVerb {
    /// Print where the file is
    Path,
    /// Print the values in use
    Show,
    /// Check the file
    Check,
}

#[derive(Debug, Subcommand)]
pub enum ConversationsVerb {
    /// List conversations, the newest first
    List {
        /// Those that were archived
        #[arg(long, conflicts_with = "deleted")]
        archived: bool,
        /// Those that were deleted in the last thirty days
        #[arg(long)]
        deleted: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print one conversation
    Show {
        /// Its id, the beginning of it, or its title
        name: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Find messages that hold all of these words
    Search {
        #[arg(required = true)]
        words: Vec<String>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Write conversations to a file or to standard output
    Export {
        /// Which: ids or titles; none means all
        names: Vec<String>,
        /// markdown, json, html or text; else by the file's name, else markdown
        #[arg(long, value_name = "NAME")]
        format: Option<String>,
        /// Where to; standard output when not given
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take in conversations that Parlor or another program exported
    Import {
        file: PathBuf,
        /// Only say what would come
        #[arg(long)]
        dry_run: bool,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Give a conversation another title
    Rename { name: String, title: String },
    /// Delete a conversation; it can be brought back for thirty days
    Delete {
        name: String,
        /// Bring it back
        #[arg(long)]
        undo: bool,
    },
    /// Remove deleted conversations for good, now
    Purge,
}

#[derive(Debug, Clone, Default, Args)]
pub struct Ask {
    /// The prompt; `-` or a pipe reads it from standard input, and with both,
    /// standard input follows the prompt after a blank line
    pub prompt: Option<String>,
    /// What the model is told before the conversation
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    #[command(flatten)]
    pub sampling: SamplingArgs,
    #[command(flatten)]
    pub tuning: TuningArgs,
    #[command(flatten)]
    pub attach: AttachArgs,
    /// The part that the model plays: guide answers from Parlor's help, none
    /// plays none, auto is the guide with the starter alone
    #[arg(long, value_name = "NAME")]
    pub persona: Option<String>,
    /// Print one JSON object when the answer is done
    #[arg(long)]
    pub json: bool,
    /// A whole conversation: a JSON array of {"role", "content"}; `-` reads
    /// it from standard input
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    pub messages: Option<PathBuf>,
    /// Add to the conversation of last time
    #[arg(long = "continue", short = 'c', conflicts_with_all = ["conversation", "messages"])]
    pub continue_last: bool,
    /// Add to this conversation: its id, the beginning of it, or its title
    #[arg(long, value_name = "ID|TITLE", conflicts_with = "messages")]
    pub conversation: Option<String>,
    /// Keep the question and the answer as a new conversation
    #[arg(long, conflicts_with_all = ["continue_last", "conversation", "messages"])]
    pub save: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Caption {
    /// Pictures; folders, whose pictures are all taken; patterns like '*.png'
    #[arg(required = true, value_name = "IMAGE")]
    pub pictures: Vec<PathBuf>,
    /// How long the captions are
    #[arg(long, value_enum, default_value_t, value_name = "LENGTH")]
    pub length: Length,
    /// What to ask of each picture, in place of a description
    #[arg(long, value_name = "TEXT", conflicts_with = "length")]
    pub prompt: Option<String>,
    /// Print a JSON object for each picture, a line each
    #[arg(long)]
    pub json: bool,
    /// Write a JSON object for each picture to this file; those that are in it
    /// already are not described again
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub sampling: SamplingArgs,
    #[command(flatten)]
    pub tuning: TuningArgs,
}

#[derive(Debug, Args)]
pub struct Help {
    /// What you want to know, in your own words
    pub question: Vec<String>,
    /// Print the whole help, as Markdown
    #[arg(long, conflicts_with = "question")]
    pub all: bool,
    /// Print JSON: every passage that was found, the best first
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Default, Args)]
pub struct SamplingArgs {
    /// 0 takes the likeliest word each time; higher is freer
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    temp: Option<String>,
    /// Choose among this many likeliest words; 0 is no limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    top_k: Option<String>,
    /// Choose among the words that make up this share; 1 is off
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    top_p: Option<String>,
    /// Drop words less likely than this share of the likeliest; 0 is off
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    min_p: Option<String>,
    /// Above 1 makes repeating a recent word less likely; 1 is off
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    repeat_penalty: Option<String>,
    /// The same seed gives the same text
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<String>,
    /// The longest answer, in tokens
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_tokens: Option<String>,
    /// End the answer before this text; may be given several times
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
}

impl SamplingArgs {
    /// Lays what was written over `base`.
    pub fn over(&self, mut base: Sampling) -> Result<Sampling, SettingError> {
        let written = [
            ("temperature", &self.temp),
            ("top-k", &self.top_k),
            ("top-p", &self.top_p),
            ("min-p", &self.min_p),
            ("repeat-penalty", &self.repeat_penalty),
            ("seed", &self.seed),
            ("max-tokens", &self.max_tokens),
        ];
        for (name, value) in written {
            if let Some(value) = value {
                Setting::find(name)?.set(&mut base, value)?;
            }
        }
        if !self.stop.is_empty() {
            base.stop.clone_from(&self.stop);
        }
        Ok(base)
    }
}

#[derive(Debug, Args)]
pub struct Render {
    /// A Jinja template to use in place of the model's own
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// The conversation: a JSON array of {"role", "content"}; `-` reads it
    /// from standard input
    #[arg(long, value_name = "FILE")]
    pub messages: PathBuf,
    /// Do not open the assistant's turn at the end
    #[arg(long)]
    pub no_generation_prompt: bool,
    /// The text of the token that begins a document
    #[arg(long, value_name = "TEXT")]
    pub bos: Option<String>,
    /// The text of the token that ends a document
    #[arg(long, value_name = "TEXT")]
    pub eos: Option<String>,
}

#[derive(Debug, Args)]
pub struct Bench {
    /// Tokens to read
    #[arg(short = 'p', value_name = "N", default_value_t = 512)]
    pub prompt: u32,
    /// Tokens to write
    #[arg(short = 'n', value_name = "N", default_value_t = 128)]
    pub generate: u32,
    /// Tokens in the context before each measurement
    #[arg(short = 'd', value_name = "N", default_value_t = 0)]
    pub depth: u32,
    /// Rounds
    #[arg(short = 'r', value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    #[command(flatten)]
    pub tuning: TuningArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The whole definition, for completions and the manual page.
pub fn command() -> clap::Command {
    Arguments::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::command().debug_assert();
    }
}
