//! Pictures that move: their frames and times.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, ImageEncoder, ImageFormat, Rgba, RgbaImage};
use parlor::media::{Fault, Measure, Pace, Terms, frames, look, picture};

use super::pictures::{at, encoded, near, open, quarters};

/// Red for 300 ms, green for 600 ms, blue for 300 ms; green is a small patch
/// over red that covers only its upper left.
pub(super) fn moving() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    let colours = [
        ([255, 0, 0, 255], 300),
        ([0, 255, 0, 255], 600),
        ([0, 0, 255, 255], 300),
    ];
    for (index, (colour, ms)) in colours.into_iter().enumerate() {
        let (size, away) = if index == 1 { (4, 0) } else { (8, 0) };
        let image = RgbaImage::from_pixel(size, size, Rgba(colour));
        let delay = Delay::from_numer_denom_ms(ms, 1);
        let frame = image::Frame::from_parts(image, away, away, delay);
        encoder.encode_frame(frame).unwrap();
    }
    drop(encoder);
    // The encoder asks for an empty canvas after each frame; keep it instead.
    for at in 0..bytes.len() - 4 {
        if bytes[at..].starts_with(&[0x21, 0xf9, 4]) {
            bytes[at + 3] = bytes[at + 3] & !0x1c | 0x04;
        }
    }
    bytes
}

#[test]
fn a_gif_gives_the_right_frames_at_the_right_times() {
    let bytes = moving();
    let Measure::Picture {
        frames: many,
        length_ms,
        ..
    } = look(&bytes, "").unwrap().measure
    else {
        panic!("not a picture");
    };
    assert_eq!((many, length_ms), (3, 1200));
    let pace = |most, per_second| Pace { most, per_second };
    let all = frames(&bytes, &pace(100, 10.0), &Terms::default()).unwrap();
    let times: Vec<u64> = all.iter().map(|frame| frame.at_ms).collect();
    assert_eq!(times, [0, 300, 900]);
    assert!(near(at(&all[0].pixels, 4, 4), [255, 0, 0], 8));
    assert!(near(at(&all[1].pixels, 1, 1), [0, 255, 0], 8));
    assert!(
        near(at(&all[1].pixels, 6, 6), [255, 0, 0], 8),
        "red is left around the patch"
    );
    assert!(near(at(&all[2].pixels, 0, 0), [0, 0, 255], 8));
    let two = frames(&bytes, &pace(2, 10.0), &Terms::default()).unwrap();
    assert_eq!(
        two.iter().map(|frame| frame.at_ms).collect::<Vec<_>>(),
        [0, 300]
    );
    let one = frames(&bytes, &pace(0, 0.0), &Terms::default()).unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(
        open(&bytes),
        one[0].pixels,
        "as a picture it is its first frame"
    );
}

#[test]
fn a_still_picture_has_no_frames_and_a_stop_is_obeyed() {
    let still = encoded(quarters().into(), ImageFormat::Gif);
    let pace = Pace {
        most: 4,
        per_second: 1.0,
    };
    let fault = frames(&still, &pace, &Terms::default()).unwrap_err();
    assert!(matches!(fault, Fault::NotAnimated { format: "GIF" }));
    let terms = Terms {
        stop: &|| true,
        ..Default::default()
    };
    assert!(matches!(
        frames(&moving(), &pace, &terms),
        Err(Fault::Stopped)
    ));
    assert!(matches!(picture(&still, 1, &terms), Err(Fault::Stopped)));
}

#[test]
fn a_moving_png_counts_its_frames() {
    // Only the chunks that tell the frames: a PNG of one pixel with two fcTL.
    let mut still = Vec::new();
    image::codecs::png::PngEncoder::new(&mut still)
        .write_image(&[1, 2, 3], 1, 1, image::ExtendedColorType::Rgb8)
        .unwrap();
    let mut control = vec![0, 0, 0, 26];
    control.extend(b"fcTL");
    control.extend([0; 20]);
    control.extend([0, 1, 0, 2, 0, 0]);
    control.extend([0; 4]);
    let mut moving = still[..33].to_vec();
    moving.extend(&control);
    moving.extend(&control);
    moving.extend(&still[33..]);
    match look(&moving, "").map(|look| look.measure) {
        Ok(Measure::Picture {
            frames, length_ms, ..
        }) => assert_eq!((frames, length_ms), (2, 1000)),
        // A strict decoder may refuse the made-up checksums.
        other => assert!(matches!(other, Err(Fault::Broken { .. })), "{other:?}"),
    }
}
