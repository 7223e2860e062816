//! Opening files in a viewer, with programs of the test in its own folder.
#![cfg(unix)]

use parlor::runtime::open::{OpenError, Surroundings, System, open};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

struct Bench {
    folder: TempDir,
    around: Surroundings,
}

impl Bench {
    fn new(system: System) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        let around = Surroundings {
            system,
            path: folder.path().join("bin").into_os_string(),
            ssh: false,
            display: true,
        };
        Bench { folder, around }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        fs::write(self.path(name), "x").unwrap();
        self.path(name)
    }

    /// A program that does what the script says; its words are in `$@`, and `$out`
    /// is a file for what it wants to tell.
    fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        let out = self.path("out");
        let text = format!("#!/bin/sh\nout='{}'\n{script}\n", out.display());
        // Written by another process: a file that a fork of this one has open
        // for writing cannot be run.
        let write = r#"printf %s "$1" > "$0" && chmod 755 "$0""#;
        let mut shell = Command::new("sh");
        let ran = shell.args(["-c", write]).arg(path).arg(text).status();
        assert!(ran.unwrap().success());
    }

    fn told(&self) -> String {
        fs::read_to_string(self.path("out")).unwrap()
    }

    async fn open(&self, file: &Path) -> Result<(), OpenError> {
        open(file, &self.around).await
    }
}

const WORDS: &str = r#"printf '%s\n' "$0" "$#" "$@" > "$out""#;

#[tokio::test]
async fn a_file_goes_to_the_systems_program_as_one_word_that_no_shell_reads() {
    for (system, name) in [
        (System::Desktop, "xdg-open"),
        (System::Mac, "open"),
        (System::Wsl, "wslview"),
    ] {
        let bench = Bench::new(system);
        bench.program(name, WORDS);
        let file = bench.file("-a $(touch x); `b` 'c' & \"d\".png");
        bench.open(&file).await.unwrap();
        let program = bench.path("bin").join(name);
        let wanted = format!("{}\n1\n{}\n", program.display(), file.display());
        assert_eq!(bench.told(), wanted);
    }
}

#[tokio::test]
async fn windows_explorer_gets_the_name_in_the_files_folder_and_its_end_means_nothing() {
    let bench = Bench::new(System::Wsl);
    bench.program(
        "explorer.exe",
        "printf '%s|%s' \"$PWD\" \"$1\" > \"$out\"; exit 1",
    );
    bench.open(&bench.file("a b.png")).await.unwrap();
    let folder = bench.folder.path().canonicalize().unwrap();
    assert_eq!(bench.told(), format!("{}|a b.png", folder.display()));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_viewer_has_nothing_of_the_terminal_and_a_session_of_its_own() {
    let bench = Bench::new(System::Desktop);
    let script = r#"
        read line && echo input >> "$out"
        ends=$(for n in 0 1 2; do readlink /proc/$$/fd/$n; done)
        echo "$ends" >> "$out"
        (: < /dev/tty) 2>/dev/null && echo terminal >> "$out"
        cut -d' ' -f1,5,6 /proc/$$/stat >> "$out""#;
    bench.program("xdg-open", script);
    bench.open(&bench.file("a.png")).await.unwrap();
    let told = bench.told();
    let (lines, ids) = told.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(lines, "/dev/null\n/dev/null\n/dev/null");
    let ids: Vec<&str> = ids.split(' ').collect();
    assert_eq!(ids, [ids[0]; 3], "process, group, session");
}

#[tokio::test]
async fn a_viewer_that_stays_is_not_waited_for_and_lives_on() {
    let bench = Bench::new(System::Desktop);
    let pipe = bench.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let script = format!("cat '{0}' > \"$out\"; echo > '{0}'", pipe.display());
    bench.program("xdg-open", &script);
    bench.open(&bench.file("a.png")).await.unwrap();
    // Only a living one reads this, and answers.
    fs::write(&pipe, "still here").unwrap();
    fs::read(&pipe).unwrap();
    assert_eq!(bench.told(), "still here");
}

#[tokio::test]
async fn a_viewer_that_fails_is_told() {
    let bench = Bench::new(System::Desktop);
    bench.program("xdg-open", "exit 3");
    let error = bench.open(&bench.file("a.png")).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Refused { code: Some(3), .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("a.png (it ends with 3); choose"),
        "{error}"
    );
}

#[tokio::test]
async fn without_an_opener_the_package_is_named() {
    let bench = Bench::new(System::Desktop);
    // A file that is no program, and a folder that is found by where one stands.
    bench.file("bin/xdg-open");
    let error = bench.open(&bench.file("a.png")).await.unwrap_err();
    let wanted = "there is no xdg-open to open files with; install the package xdg-utils, or \
                  look at the file with another program";
    assert_eq!(error.to_string(), wanted);
}

#[tokio::test]
async fn no_viewer_is_started_where_nobody_would_see_it() {
    let mut bench = Bench::new(System::Desktop);
    bench.program("xdg-open", WORDS);
    let file = bench.file("a.png");
    bench.around.display = false;
    let error = bench.open(&file).await.unwrap_err();
    assert!(matches!(error, OpenError::NoScreen(_)), "{error}");
    bench.around.ssh = true;
    let error = bench.open(&file).await.unwrap_err();
    assert!(matches!(error, OpenError::OverSsh(_)), "{error}");
    bench.around.system = System::Mac;
    bench.around.display = true;
    let error = bench.open(&file).await.unwrap_err();
    assert!(matches!(error, OpenError::OverSsh(_)), "{error}");
    assert!(!bench.path("out").exists());
    // SSH brought a display.
    bench.around.system = System::Desktop;
    bench.open(&file).await.unwrap();
    assert!(bench.path("out").exists());
}

#[tokio::test]
async fn programs_and_files_that_are_gone_are_not_opened() {
    let bench = Bench::new(System::Desktop);
    bench.program("xdg-open", WORDS);
    for name in ["a.desktop", "b.EXE", "c.png.lnk"] {
        let error = bench.open(&bench.file(name)).await.unwrap_err();
        assert!(matches!(error, OpenError::Program(_)), "{name}: {error}");
    }
    for gone in [bench.path("gone.png"), bench.path("bin")] {
        let error = bench.open(&gone).await.unwrap_err();
        assert!(matches!(error, OpenError::NoFile(_)), "{error}");
    }
    assert!(!bench.path("out").exists());
}

#[test]
fn the_surroundings_are_read_from_the_variables() {
    let read = |set: &'static [&str]| {
        Surroundings::of(System::Desktop, move |name| {
            let value = set
                .iter()
                .find_map(|s| s.strip_prefix(name)?.strip_prefix('='));
            value.map(OsString::from)
        })
    };
    let around = read(&[
        "PATH=/a:/b",
        "SSH_TTY=/dev/pts/1",
        "WAYLAND_DISPLAY=wayland-0",
    ]);
    assert_eq!(around.path, "/a:/b");
    assert!(around.ssh && around.display);
    let around = read(&["SSH_CLIENT=", "DISPLAY="]);
    assert!(!around.ssh && !around.display);
}
