//! The command line's flags for what is attached: in the order in which they
//! were written.

use super::Fail;
use crate::chat::attachment::{Attachment, Kind};
use crate::runtime::attach::Shelf;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::path::PathBuf;

/// A flag, what it takes, and its help.
const FLAGS: [(&str, Option<Kind>, &str); 4] = [
    (
        "image",
        Some(Kind::Picture),
        "a picture to attach; may be given several times",
    ),
    (
        "audio",
        Some(Kind::Sound),
        "a sound to attach; may be given several times",
    ),
    (
        "video",
        Some(Kind::Film),
        "a film to attach; may be given several times",
    ),
    (
        "file",
        None,
        "any file to attach: a picture, sound, film or text; may be given several times",
    ),
];

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttachArgs {
    /// What each must be, where the flag says it.
    pub files: Vec<(Option<Kind>, PathBuf)>,
}

impl AttachArgs {
    /// Those before the subcommand, then those after it.
    pub fn after(self, mut before: Self) -> Self {
        before.files.extend(self.files);
        before
    }

    /// Takes the files in; what is private stays where it is.
    pub fn take(&self, shelf: &Shelf, private: bool) -> Result<Vec<Attachment>, Fail> {
        let take = |(kind, path): &(Option<Kind>, PathBuf)| {
            let one = shelf.take_file(path, private).map_err(Fail::Failed)?;
            // A picture that moves is a picture too.
            let fits = |kind: Kind| {
                kind == one.kind
                    || (kind == Kind::Picture && one.kind == Kind::Film && one.count > 1)
            };
            match kind.filter(|kind| !fits(*kind)) {
                None => Ok(one),
                Some(kind) => Err(Fail::Usage(format!(
                    "{} is a {} ({}), not a {}; --file takes any",
                    path.display(),
                    one.kind.name(),
                    one.format,
                    kind.name()
                ))),
            }
        };
        self.files.iter().map(take).collect()
    }
}

/// A message with what is attached: each where `@NAME` stands, the others
/// before the text.
pub fn message(text: &str, attached: &[Attachment]) -> String {
    let mut text = text.to_string();
    let mut before = String::new();
    for one in attached {
        let named = format!("@{}", one.name);
        match text.find(&named) {
            Some(at) => text.replace_range(at..at + named.len(), &one.marker()),
            None => {
                before.push_str(&one.marker());
                before.push('\n');
            }
        }
    }
    before + &text
}

impl Args for AttachArgs {
    fn augment_args(command: Command) -> Command {
        FLAGS.iter().fold(command, |command, (name, _, help)| {
            command.arg(
                Arg::new(*name)
                    .long(*name)
                    .value_name("FILE")
                    .value_parser(clap::value_parser!(PathBuf))
                    .help(*help)
                    .action(ArgAction::Append),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AttachArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let mut placed = Vec::new();
        for (name, kind, _) in FLAGS {
            let indices = matches.indices_of(name).into_iter().flatten();
            let paths = matches.get_many::<PathBuf>(name).into_iter().flatten();
            placed.extend(
                indices
                    .zip(paths)
                    .map(|(at, path)| (at, kind, path.clone())),
            );
        }
        placed.sort_by_key(|(at, ..)| *at);
        let files = placed.into_iter().map(|(_, kind, path)| (kind, path));
        self.files.extend(files);
        Ok(())
    }
}
