//! `parlor completions` and `parlor man`: made from the definitions.

use super::{Fail, command, output};

pub fn completions(shell: clap_complete::Shell) -> Result<(), Fail> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "parlor", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

pub fn man() -> Result<(), Fail> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command())
        .render(&mut page)
        .map_err(|e| Fail::Failed(format!("cannot write the manual page: {e}")))?;
    output::print(&String::from_utf8_lossy(&page))
}
