//! Attached files: looking at them, and turning them into what models take.

mod films;
mod hostile;
mod moving;
mod pictures;
mod sounds;
mod texts;

/// A file of tests/media/: tones of 440 Hz and plain colours, made for these tests.
fn file(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/media")
        .join(name)
}

/// Tools that are nowhere.
fn without_ffmpeg() -> parlor::media::Terms<'static> {
    parlor::media::Terms {
        tools: parlor::media::Tools {
            ffmpeg: "/nowhere/ffmpeg".into(),
            ffprobe: "/nowhere/ffprobe".into(),
        },
        ..Default::default()
    }
}
