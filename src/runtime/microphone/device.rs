//! The system's default microphone, through cpal.

use super::MicrophoneError;
use super::tape::Tape;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{Device, Error, ErrorKind, FromSample, I24, SampleFormat, SizedSample};
use cpal::{Stream, StreamConfig, U24};

/// Opens the microphone and lets it write on the tape, until the stream is
/// dropped. On the calling thread nothing is printed meanwhile.
pub(super) fn open(tape: &Tape) -> Result<Stream, MicrophoneError> {
    hush();
    let host = cpal::default_host();
    let device = host.default_input_device();
    let device = device.ok_or(MicrophoneError::Absent)?;
    let found = device.default_input_config().map_err(|e| opening(&e))?;
    let config = found.config();
    tape.set_rate(config.sample_rate);
    let stream = match found.sample_format() {
        SampleFormat::F32 => listen::<f32>(&device, config, tape),
        SampleFormat::F64 => listen::<f64>(&device, config, tape),
        SampleFormat::I8 => listen::<i8>(&device, config, tape),
        SampleFormat::I16 => listen::<i16>(&device, config, tape),
        SampleFormat::I24 => listen::<I24>(&device, config, tape),
        SampleFormat::I32 => listen::<i32>(&device, config, tape),
        SampleFormat::I64 => listen::<i64>(&device, config, tape),
        SampleFormat::U8 => listen::<u8>(&device, config, tape),
        SampleFormat::U16 => listen::<u16>(&device, config, tape),
        SampleFormat::U24 => listen::<U24>(&device, config, tape),
        SampleFormat::U32 => listen::<u32>(&device, config, tape),
        SampleFormat::U64 => listen::<u64>(&device, config, tape),
        other => {
            let what = format!("it gives samples as {other}");
            return Err(MicrophoneError::Broken(what));
        }
    };
    let stream = stream.map_err(|e| opening(&e))?;
    stream.play().map_err(|e| opening(&e))?;
    Ok(stream)
}

fn listen<T>(device: &Device, config: StreamConfig, tape: &Tape) -> Result<Stream, Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels);
    let (writer, ender) = (tape.clone(), tape.clone());
    device.build_input_stream::<T, _, _>(
        config,
        move |samples, _| {
            hush();
            writer.add(channels, samples.iter().map(|s| s.to_sample::<f32>()));
        },
        move |error| {
            hush();
            if let Some(why) = ending(&error) {
                ender.end(why);
            }
        },
        None,
    )
}

/// Why the microphone could not be opened. ALSA's default device is always
/// listed, and there is none behind it where opening says so.
fn opening(error: &Error) -> MicrophoneError {
    match error.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => MicrophoneError::Absent,
        ErrorKind::PermissionDenied => MicrophoneError::Denied,
        ErrorKind::DeviceBusy => MicrophoneError::Busy,
        _ => MicrophoneError::Broken(error.to_string()),
    }
}

/// Why a running microphone gives no more; `None` where it goes on.
fn ending(error: &Error) -> Option<MicrophoneError> {
    match error.kind() {
        // A gap, another route, no priority: it goes on.
        ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => None,
        ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated => {
            Some(MicrophoneError::Unplugged)
        }
        ErrorKind::PermissionDenied => Some(MicrophoneError::Denied),
        _ => Some(MicrophoneError::Broken(error.to_string())),
    }
}

/// Whatever this thread has to say, it does not say on the screen.
fn hush() {
    #[cfg(target_os = "linux")]
    super::quiet::hush();
}
