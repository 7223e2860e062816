//! Opens a file in the system's viewer.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::Command;

/// Kinds of files that systems run instead of showing them.
const PROGRAMS: &[&str] = &[
    "app", "appimage", "bat", "cmd", "com", "command", "cpl", "desktop", "exe", "hta", "jar", "js",
    "jse", "lnk", "msi", "pif", "ps1", "reg", "scpt", "scr", "terminal", "url", "vbe", "vbs",
    "workflow", "wsf", "wsh",
];

/// A viewer that runs so long has opened the file.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Why no viewer shows a file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no file {}; it was moved or removed", .0.display())]
    NoFile(PathBuf),
    #[error("{0} is a kind of file that would be run, not shown; look at it another way")]
    Program(String),
    #[error(
        "the chat runs over SSH, so a viewer would open on the other computer, if at all; copy \
         {} from there to look at it", .0.display()
    )]
    OverSsh(PathBuf),
    #[error("there is no graphical screen here, so no viewer can show {}", .0.display())]
    NoScreen(PathBuf),
    #[error("there is no {wanted} to open files with; {hint}")]
    NoOpener {
        wanted: &'static str,
        hint: &'static str,
    },
    #[error(
        "{program} does not open {}{}; choose a program for such files in the system's settings",
        file.display(), code.map_or_else(String::new, |c| format!(" (it ends with {c})"))
    )]
    Refused {
        program: String,
        file: PathBuf,
        code: Option<i32>,
    },
    #[error("{program} does not start: {source}; check that it is installed as it should be")]
    Start {
        program: String,
        source: std::io::Error,
    },
}

/// Which system's ways of opening files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux and the BSDs.
    Desktop,
    /// Linux inside Windows.
    Wsl,
    Mac,
    Windows,
}

/// What decides by which program a file is opened.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub system: System,
    /// Folders where programs are looked for: `PATH`.
    pub path: OsString,
    /// The person sits at another computer.
    pub ssh: bool,
    /// There is an X or a Wayland display.
    pub display: bool,
}

impl Surroundings {
    /// Reads the variables of this process.
    pub fn here() -> Surroundings {
        let variable = |name: &str| std::env::var_os(name);
        let wsl = variable("WSL_DISTRO_NAME").is_some() || variable("WSL_INTEROP").is_some();
        let system = match std::env::consts::OS {
            "macos" => System::Mac,
            "windows" => System::Windows,
            "linux" if wsl => System::Wsl,
            _ => System::Desktop,
        };
        Surroundings::of(system, variable)
    }

    /// Reads variables.
    pub fn of(system: System, variable: impl Fn(&str) -> Option<OsString>) -> Surroundings {
        let any = |names: &[&str]| {
            names
                .iter()
                .any(|name| variable(name).is_some_and(|value| !value.is_empty()))
        };
        Surroundings {
            system,
            path: variable("PATH").unwrap_or_default(),
            ssh: any(&["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"]),
            display: any(&["DISPLAY", "WAYLAND_DISPLAY"]),
        }
    }

    /// Programs that open files, the best first, and what to do without any.
    fn openers(&self) -> (&'static [&'static str], &'static str) {
        match self.system {
            System::Desktop => (
                &["xdg-open"],
                "install the package xdg-utils, or look at the file with another program",
            ),
            System::Wsl => (
                &["wslview", "explorer.exe"],
                "install the package wslu, or let WSL find Windows' programs (interop in wsl.conf)",
            ),
            System::Mac => (&["open"], "it belongs to macOS: check the variable PATH"),
            System::Windows => (
                &["rundll32.exe"],
                "it belongs to Windows: check the variable PATH",
            ),
        }
    }

    fn find(&self) -> Result<PathBuf, OpenError> {
        let (names, hint) = self.openers();
        let folders = || std::env::split_paths(&self.path).filter(|f| f.is_absolute());
        names
            .iter()
            .flat_map(|name| folders().map(move |folder| folder.join(name)))
            .find(|program| is_program(program))
            .ok_or(OpenError::NoOpener {
                wanted: names[0],
                hint,
            })
    }
}

/// Opens a file in the program that the system has for such files. That program
/// has nothing of the chat's terminal and outlives the chat. Returns when the
/// file is handed over, or after 1.5 s. Needs tokio's runtime.
///
/// # Errors
/// A sentence for each; see [`OpenError`].
pub async fn open(file: &Path, around: &Surroundings) -> Result<(), OpenError> {
    let file = std::path::absolute(file).map_err(|_| OpenError::NoFile(file.to_owned()))?;
    if !file.is_file() {
        return Err(OpenError::NoFile(file));
    }
    if let Some(kind) = file.extension().and_then(OsStr::to_str)
        && PROGRAMS.contains(&kind.to_lowercase().as_str())
    {
        return Err(OpenError::Program(format!(".{kind}")));
    }
    let shown = around.system != System::Desktop || around.display;
    // Over SSH a display can be forwarded; a Mac's or Windows' own cannot.
    if around.ssh && (around.system != System::Desktop || !around.display) {
        return Err(OpenError::OverSsh(file));
    }
    if !shown {
        return Err(OpenError::NoScreen(file));
    }
    let program = around.find()?;
    let name = program.display().to_string();
    let mut command = command(&program, &file);
    let mut child = command.spawn().map_err(|source| OpenError::Start {
        program: name.clone(),
        source,
    })?;
    match tokio::time::timeout(PATIENCE, child.wait()).await {
        Ok(Ok(status)) if !is_well(&program, status) => Err(OpenError::Refused {
            program: name,
            file,
            code: status.code(),
        }),
        // It may well run on: tokio takes its end in later.
        _ => Ok(()),
    }
}

/// The program with the whole path as one word: no shell reads it, and it does
/// not begin with `-`.
fn command(program: &Path, file: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match program.file_name().and_then(OsStr::to_str) {
        // Without a shell's `start`, this is Windows' own way.
        Some("rundll32.exe") => {
            command.arg("url.dll,FileProtocolHandler").arg(file);
        }
        // It knows no path of Linux, but the folder that it is started in.
        Some("explorer.exe") => {
            command.current_dir(file.parent().unwrap_or(Path::new("/")));
            command.arg(file.file_name().unwrap_or(file.as_os_str()));
        }
        _ => {
            command.arg(file);
        }
    }
    detach(&mut command);
    command
}

/// Explorer ends with 1 however it went.
fn is_well(program: &Path, status: ExitStatus) -> bool {
    status.success() || program.ends_with("explorer.exe")
}

/// A session of its own: no signal of the terminal reaches it, and a viewer for
/// terminals cannot open this one.
#[cfg(unix)]
fn detach(command: &mut Command) {
    let own_session = || {
        rustix::process::setsid()?;
        Ok(())
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed;
    // `setsid` is one, and nothing is allocated.
    unsafe {
        command.pre_exec(own_session);
    }
}

#[cfg(windows)]
fn detach(command: &mut Command) {
    const DETACHED_PROCESS: u32 = 0x8;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
