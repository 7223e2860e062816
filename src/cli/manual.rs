//! `parlor completions` and `parlor man`: made from the definitions.

use super::{Fail, command, output};
use crate::app::Keymap;
use crate::help::english;

pub fn completions(shell: clap_complete::Shell) -> Result<(), Fail> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "parlor", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

/// One page: the program, a part for each subcommand with its options, and the
/// whole help.
pub fn man() -> Result<(), Fail> {
    let page = page().map_err(|e| Fail::Failed(format!("cannot write the manual page: {e}")))?;
    output::print(&page)
}

fn page() -> std::io::Result<String> {
    let mut program = command();
    program.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(program.clone()).render(&mut page)?;
    for verb in program.get_subcommands().filter(|v| v.get_name() != "help") {
        let man = clap_mangen::Man::new(verb.clone());
        let mut part = Vec::new();
        man.render_synopsis_section(&mut part)?;
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        // Headings of a page become headings within it.
        let part = String::from_utf8_lossy(&part).replace(".SH ", ".SS ");
        let title = verb.get_name().to_uppercase();
        page.extend(format!(".SH \"PARLOR {title}\"\n{part}").into_bytes());
    }
    let mut page = String::from_utf8_lossy(&page).into_owned();
    page.push_str(".SH \"HELP\"\n");
    for passage in english() {
        let text = roff(&passage.text(&Keymap::default())).replace("\n\n", "\n.PP\n");
        page.push_str(&format!(".SS \"{}\"\n{text}\n", roff(&passage.title)));
    }
    Ok(page)
}

/// Text in which nothing commands the formatter.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('"', "\\(dq");
    let lines = text
        .lines()
        .map(|line| match line.starts_with(['.', '\'']) {
            true => format!("\\&{line}"),
            false => line.to_string(),
        });
    lines.collect::<Vec<_>>().join("\n")
}
