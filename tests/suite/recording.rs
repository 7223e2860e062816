//! The microphone: as this machine has none, and as ALSA plays one from a file.

#[cfg(not(feature = "microphone"))]
#[test]
fn a_program_without_the_microphone_says_how_to_build_one() {
    use parlor::runtime::microphone::Recording;
    let error = Recording::start().unwrap_err().to_string();
    for word in ["built without", "--features microphone", "libasound2-dev"] {
        assert!(error.contains(word), "{error}");
    }
}

#[cfg(all(feature = "microphone", target_os = "linux"))]
mod alsa {
    use parlor::runtime::microphone::{Recorded, Recording};
    use std::fmt::Write;
    use std::path::Path;
    use std::process::{Command, Output};

    /// Runs one test of this program again, as a process whose ALSA has this
    /// configuration only and whose standard error can be looked at.
    fn again(test: &str, folder: &Path, config: &str) -> Output {
        let path = folder.join("asound.conf");
        std::fs::write(&path, config).unwrap();
        Command::new(std::env::current_exe().unwrap())
            .args([test, "--nocapture"])
            .env("ALSA_PLAYS", "1")
            .env("ALSA_CONFIG_PATH", path)
            .output()
            .unwrap()
    }

    fn is_inner() -> bool {
        std::env::var_os("ALSA_PLAYS").is_some()
    }

    #[test]
    fn a_machine_without_a_microphone_says_so_and_prints_nothing() {
        if is_inner() {
            let error = Recording::start().unwrap_err().to_string();
            let wanted = error.starts_with("no microphone was found");
            std::process::exit(if wanted { 11 } else { 12 });
        }
        let test = "a_machine_without_a_microphone_says_so_and_prints_nothing";
        let folder = tempfile::tempdir().unwrap();
        for config in ["pcm.!default { type hw card nosuch }\n", "# no default\n"] {
            let ran = again(test, folder.path(), config);
            assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{config}");
            assert_eq!(ran.status.code(), Some(11), "{config}");
        }
    }

    /// Records a second, looking at the level of some of it.
    fn second() -> (f32, Recorded) {
        let recording = Recording::start().unwrap();
        let mut level = 0.0;
        while recording.elapsed_ms() < 1000 {
            assert_eq!(recording.trouble(), None);
            if recording.elapsed_ms() > 200 {
                level = recording.level();
            }
            std::thread::yield_now();
        }
        (level, recording.stop())
    }

    #[test]
    fn two_channels_of_a_file_are_recorded_as_their_mean_and_nothing_is_printed() {
        if is_inner() {
            let (level, recorded) = second();
            assert_eq!(recorded.rate, 48_000);
            assert!(recorded.mono.len() >= 48_000);
            // The mean of 16000 and 8000, of 32768.
            assert!((level - 0.3662).abs() < 0.01, "{level}");
            let mean = recorded.mono.iter().sum::<f32>() / 48_000.0;
            assert!(mean.abs() < 0.02, "{mean}");
            std::process::exit(11);
        }
        let test = "two_channels_of_a_file_are_recorded_as_their_mean_and_nothing_is_printed";
        let folder = tempfile::tempdir().unwrap();
        let mut sound = Vec::new();
        for at in 0..48_000 * 20 {
            let wave = (f64::from(at) * 0.05).sin();
            for peak in [16_000.0, 8_000.0] {
                sound.extend_from_slice(&((wave * peak) as i16).to_le_bytes());
            }
        }
        let file = folder.path().join("sound.raw");
        std::fs::write(&file, sound).unwrap();
        let mut config = String::new();
        writeln!(
            config,
            "pcm.!default {{ type plug slave {{ format S16_LE channels 2 rate 48000 pcm {{ type \
             file slave.pcm {{ type null }} file /dev/null infile \"{}\" format raw }} }} }}",
            file.display()
        )
        .unwrap();
        let ran = again(test, folder.path(), &config);
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
        assert_eq!(ran.status.code(), Some(11));
    }
}
