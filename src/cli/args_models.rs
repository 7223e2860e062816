//! The subcommands about models, as they are written on the command line.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum ModelsVerb {
    /// List the models on this machine, in every program's folders
    List {
        /// Projectors, adapters and what cannot be used too
        #[arg(long)]
        all: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Say everything that a model's file tells, and how it would run here
    Info {
        /// A name from the list, a path, owner/repo[:quant] or ollama:name[:tag]
        model: PathBuf,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the path of a model's file
    Path { model: PathBuf },
    /// Delete a model that stands in Parlor's own folder
    Remove {
        model: PathBuf,
        /// Without asking
        #[arg(long, short)]
        yes: bool,
    },
    /// Join a model and the projector that it sees or hears with
    Pair {
        model: PathBuf,
        /// An mmproj file
        projector: PathBuf,
    },
    /// Say which folders are looked into
    Where {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Search the hub for models
    Search {
        #[arg(required = true)]
        text: Vec<String>,
        /// How many at most
        #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// A short list of models to begin with
    Catalog {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct Pull {
    /// owner/repo[:quant], owner/repo/file.gguf, a name of the catalog, or an https address
    pub what: String,
    /// Without the projector, where there is one
    #[arg(long)]
    pub no_mmproj: bool,
    /// Throw away what was fetched of it so far
    #[arg(long)]
    pub discard: bool,
    /// Print a JSON object when it is done
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Quantize {
    /// The model to read: best of all one of F16 or BF16
    pub input: PathBuf,
    /// The file to write
    pub output: PathBuf,
    /// The type, such as Q4_K_M
    #[arg(value_name = "TYPE")]
    pub kind: String,
    /// Quantise what is quantised already, at a loss
    #[arg(long)]
    pub again: bool,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
    /// Threads that compute
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
}
