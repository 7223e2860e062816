//! Pictures: every format, transparency, turning, scaling, drawings, pages.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use parlor::media::{Fault, Kind, Limits, Measure, Pixels, Terms, look, picture, png};

use super::{file, without_ffmpeg};

/// 12×8: red above left, green above right, blue below left, white below right.
pub(super) fn quarters() -> RgbImage {
    RgbImage::from_fn(12, 8, |x, y| match (x < 6, y < 4) {
        (true, true) => Rgb([255, 0, 0]),
        (false, true) => Rgb([0, 255, 0]),
        (true, false) => Rgb([0, 0, 255]),
        (false, false) => Rgb([255, 255, 255]),
    })
}

pub(super) fn encoded(image: DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(super) fn open(bytes: &[u8]) -> Pixels {
    picture(bytes, 1, &Terms::default()).unwrap()
}

pub(super) fn at(pixels: &Pixels, x: u32, y: u32) -> [u8; 3] {
    let at = ((y * pixels.width + x) * 3) as usize;
    pixels.rgb[at..at + 3].try_into().unwrap()
}

pub(super) fn near(one: [u8; 3], other: [u8; 3], off: u8) -> bool {
    one.iter().zip(other).all(|(a, b)| a.abs_diff(b) <= off)
}

#[test]
fn every_format_gives_the_picture_that_was_put_in() {
    use ImageFormat::*;
    let wanted = quarters();
    for (format, name, off) in [
        (Png, "PNG", 0),
        (Jpeg, "JPEG", 90),
        (WebP, "WebP", 0),
        (Gif, "GIF", 8),
        (Bmp, "BMP", 0),
        (Tiff, "TIFF", 0),
    ] {
        let bytes = encoded(wanted.clone().into(), format);
        let look = look(&bytes, "no.name").unwrap();
        assert_eq!((look.kind, look.format), (Kind::Picture, name));
        let Measure::Picture {
            width,
            height,
            frames,
            ..
        } = look.measure
        else {
            panic!("{look:?}");
        };
        assert_eq!((width, height, frames), (12, 8, 1), "{name}");
        let pixels = open(&bytes);
        assert_eq!((pixels.width, pixels.height), (12, 8), "{name}");
        for (x, y) in [(1, 1), (10, 1), (1, 6), (10, 6)] {
            let (got, want) = (at(&pixels, x, y), wanted.get_pixel(x, y).0);
            assert!(near(got, want, off), "{name} {x},{y}: {got:?} {want:?}");
        }
    }
}

#[test]
fn transparency_lies_over_white_and_deep_and_grey_pictures_are_taken() {
    let clear = RgbaImage::from_pixel(4, 4, Rgba([255, 0, 0, 0]));
    let half = RgbaImage::from_pixel(4, 4, Rgba([255, 0, 0, 128]));
    assert_eq!(
        at(&open(&encoded(clear.into(), ImageFormat::Png)), 1, 1),
        [255; 3]
    );
    assert_eq!(
        at(&open(&encoded(half.into(), ImageFormat::Png)), 1, 1),
        [255, 127, 127]
    );
    let deep = image::ImageBuffer::from_pixel(4, 4, image::Rgb([65535_u16, 32768, 0]));
    let deep = DynamicImage::ImageRgb16(deep);
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        assert_eq!(
            at(&open(&encoded(deep.clone(), format)), 2, 2),
            [255, 128, 0]
        );
    }
    let grey = DynamicImage::ImageLuma8(image::GrayImage::from_pixel(8, 8, image::Luma([77])));
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        assert!(near(
            at(&open(&encoded(grey.clone(), format)), 2, 2),
            [77; 3],
            2
        ));
    }
}

/// A JPEG with an EXIF block that holds nothing but the orientation.
fn turned(orientation: u8) -> Vec<u8> {
    let big = image::imageops::resize(&quarters(), 96, 64, image::imageops::Nearest);
    let jpeg = encoded(big.into(), ImageFormat::Jpeg);
    let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, 0xe1, 0, u8::try_from(tiff.len() + 8).unwrap()]);
    bytes.extend(b"Exif\0\0");
    bytes.extend(tiff);
    bytes.extend(&jpeg[2..]);
    bytes
}

#[test]
fn each_exif_orientation_is_obeyed() {
    const R: [u8; 3] = [255, 0, 0];
    const G: [u8; 3] = [0, 255, 0];
    const B: [u8; 3] = [0, 0, 255];
    const W: [u8; 3] = [255, 255, 255];
    // Above left, above right, below left, below right as they should be seen.
    let seen = [
        [R, G, B, W],
        [G, R, W, B],
        [W, B, G, R],
        [B, W, R, G],
        [R, B, G, W],
        [B, R, W, G],
        [W, G, B, R],
        [G, W, R, B],
    ];
    for edge in [2048, 48] {
        let mut terms = Terms::default();
        terms.limits.edge = edge;
        for (orientation, corners) in (1..).zip(seen) {
            let bytes = turned(orientation);
            let pixels = picture(&bytes, 1, &terms).unwrap();
            let (w, h) = (pixels.width, pixels.height);
            assert_eq!(w > h, orientation < 5, "{orientation}: {w}×{h}");
            let Measure::Picture { width, height, .. } = look(&bytes, "").unwrap().measure else {
                panic!("not a picture");
            };
            assert_eq!((width > height), orientation < 5);
            for (corner, (x, y)) in corners.into_iter().zip([(0, 0), (1, 0), (0, 1), (1, 1)]) {
                let got = at(&pixels, w / 4 + x * w / 2, h / 4 + y * h / 2);
                assert!(near(got, corner, 12), "{orientation}: {got:?} {corner:?}");
            }
        }
    }
}

#[test]
fn a_large_picture_is_scaled_to_the_edge_and_a_small_one_is_left() {
    let image = RgbImage::from_fn(
        3000,
        1000,
        |x, _| Rgb([if x % 2 == 0 { 0 } else { 255 }; 3]),
    );
    let bytes = encoded(image.into(), ImageFormat::Png);
    let mut terms = Terms::default();
    for (edge, width, height) in [
        (2048, 2048, 683),
        (300, 300, 100),
        (1, 1, 1),
        (5000, 3000, 1000),
    ] {
        terms.limits.edge = edge;
        let pixels = picture(&bytes, 1, &terms).unwrap();
        assert_eq!((pixels.width, pixels.height), (width, height));
        assert_eq!(pixels.rgb.len(), (width * height * 3) as usize);
        if edge == 300 {
            // Thin stripes become grey, not stripes of another width.
            assert!(pixels.rgb.iter().all(|value| (100..155).contains(value)));
        }
    }
}

#[test]
fn a_png_for_the_clipboard_reads_back() {
    let pixels = Pixels {
        width: 12,
        height: 8,
        rgb: quarters().into_raw(),
    };
    assert_eq!(open(&png(&pixels).unwrap()), pixels);
    let wrong = Pixels {
        width: 12,
        height: 9,
        ..pixels
    };
    assert!(png(&wrong).is_err());
}

#[test]
fn a_drawing_is_drawn_at_a_sensible_size_and_reads_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.png");
    let black = RgbImage::from_pixel(8, 8, Rgb([0, 0, 0]));
    std::fs::write(&secret, encoded(black.into(), ImageFormat::Png)).unwrap();
    let svg = format!(
        r##"<?xml version="1.0"?><!-- made by hand --><svg xmlns="http://www.w3.org/2000/svg"
        width="20" height="10"><rect width="10" height="10" fill="#00f"/>
        <image href="{}" x="10" width="10" height="10"/></svg>"##,
        secret.display()
    );
    let look = look(svg.as_bytes(), "a.svg").unwrap();
    assert_eq!((look.kind, look.format), (Kind::Picture, "SVG"));
    let pixels = open(svg.as_bytes());
    assert_eq!((pixels.width, pixels.height), (1024, 512));
    assert_eq!(at(&pixels, 100, 100), [0, 0, 255]);
    assert_eq!(
        at(&pixels, 900, 250),
        [255, 255, 255],
        "the other file is not read"
    );
}

/// A PDF with one page for each size, a blue square at its lower left corner.
pub(super) fn document(sizes: &[(u32, u32)]) -> Vec<u8> {
    let draw = "0 0 1 rg 0 0 50 50 re f";
    let mut objects = vec!["<</Type/Catalog/Pages 2 0 R>>".to_owned()];
    let kids: String = (0..sizes.len())
        .map(|page| format!("{} 0 R ", page + 4))
        .collect();
    objects.push(format!(
        "<</Type/Pages/Count {}/Kids[{kids}]>>",
        sizes.len()
    ));
    objects.push(format!(
        "<</Length {}>>stream\n{draw}\nendstream",
        draw.len()
    ));
    for (width, height) in sizes {
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 3 0 R>>"
        ));
    }
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut table = String::from("0000000000 65535 f \n");
    for (number, object) in (1..).zip(&objects) {
        table += &format!("{:010} 00000 n \n", pdf.len());
        pdf += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let start = pdf.len();
    let size = objects.len() + 1;
    pdf += &format!("xref\n0 {size}\n{table}trailer<</Size {size}/Root 1 0 R>>\n");
    pdf += &format!("startxref\n{start}\n%%EOF");
    pdf.into_bytes()
}

#[test]
fn a_page_of_a_document_is_drawn() {
    let pdf = document(&[(100, 200), (300, 100)]);
    let look = look(&pdf, "").unwrap();
    assert_eq!(
        look.measure,
        Measure::Pages {
            pages: 2,
            width: 100,
            height: 200
        }
    );
    let second = picture(&pdf, 2, &Terms::default()).unwrap();
    assert_eq!((second.width, second.height), (600, 200));
    assert_eq!(at(&second, 20, 180), [0, 0, 255]);
    assert_eq!(at(&second, 20, 20), [255, 255, 255]);
    for asked in [0, 3] {
        let fault = picture(&pdf, asked, &Terms::default()).unwrap_err();
        assert!(
            matches!(fault, Fault::NoSuchPage { pages: 2, .. }),
            "{fault}"
        );
    }
}

#[test]
fn an_avif_is_decoded_by_ffmpeg_or_says_how_to_get_it() {
    let bytes = file("red.avif");
    let look = look(&bytes, "").unwrap();
    assert_eq!((look.kind, look.format), (Kind::Picture, "AVIF"));
    let fault = picture(&bytes, 1, &without_ffmpeg()).unwrap_err();
    assert!(fault.to_string().contains("install"), "{fault}");
    let terms = Terms::default();
    if parlor::media::ffmpeg_there(&terms.tools) {
        let pixels = picture(&bytes, 1, &terms).unwrap();
        assert_eq!((pixels.width, pixels.height), (64, 48));
        assert!(near(at(&pixels, 30, 20), [255, 0, 0], 12));
    } else {
        eprintln!("skipped in part: ffmpeg is not installed");
    }
}

#[test]
fn limits_are_kept_by_what_a_picture_declares() {
    let bytes = encoded(RgbImage::new(100, 100).into(), ImageFormat::Png);
    let with = |limits| Terms {
        limits,
        ..Default::default()
    };
    let few = Limits {
        pixels: 9_999,
        ..Limits::default()
    };
    let fault = picture(&bytes, 1, &with(few)).unwrap_err();
    assert!(matches!(
        fault,
        Fault::TooManyPixels {
            width: 100,
            height: 100,
            ..
        }
    ));
    let small = Limits {
        memory: 10_000,
        ..Limits::default()
    };
    assert!(matches!(
        picture(&bytes, 1, &with(small)),
        Err(Fault::TooMuchMemory { .. })
    ));
}
