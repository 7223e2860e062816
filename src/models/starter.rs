//! The model inside the program, written out at its first use.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The file, made by `assets/starter/make`.
const FILE: &[u8] = include_bytes!("../../assets/starter/starter.gguf");
const NAME: &str = "starter.gguf";

/// The path of the starter in this folder. It is written where it is missing
/// or differs from the one in this program: damaged, or of another version.
pub fn place(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join(NAME);
    if !is_whole(&path) {
        write(folder, &path)?;
    }
    Ok(path)
}

/// Compares every byte, which is both surer and quicker than a digest: the
/// right bytes are at hand.
fn is_whole(path: &Path) -> bool {
    let Ok(mut file) = fs::File::open(path) else {
        return false;
    };
    if file.metadata().map_or(0, |m| m.len()) != FILE.len() as u64 {
        return false;
    }
    let mut piece = vec![0; 1 << 16];
    for expected in FILE.chunks(piece.len()) {
        let piece = &mut piece[..expected.len()];
        if file.read_exact(piece).is_err() || piece != expected {
            return false;
        }
    }
    true
}

/// Whole or not at all: a draft of this process's own, then a rename. A
/// program that has the old file open keeps it.
fn write(folder: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let draft = folder.join(format!("{NAME}.{}.new", std::process::id()));
    let written = fs::File::create(&draft)
        .and_then(|mut file| file.write_all(FILE).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starter_is_written_once_and_mended_when_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("data/parlor");
        let path = place(&deep).unwrap();
        assert_eq!(fs::read(&path).unwrap(), FILE);
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        place(&deep).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);

        let mut damaged = FILE.to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        fs::write(&path, &damaged).unwrap();
        place(&deep).unwrap();
        assert_eq!(fs::read(&path).unwrap(), FILE);
        let left = fs::read_dir(&deep).unwrap().count();
        assert_eq!(left, 1, "a draft was left behind");
    }

    #[test]
    fn the_starter_fits_the_program() {
        assert!(FILE.len() <= 6_000_000, "{} bytes", FILE.len());
    }
}
