//! What pictures become: cells, and the bytes that terminals are sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parlor::media::Pixels;
use parlor::ui::picture::{
    Abilities, CellSize, Depth, Gallery, Key, Label, Protocol, prepare, size_in_cells,
};
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

pub const CELL: CellSize = CellSize {
    width: 10,
    height: 20,
};

pub fn abilities(protocol: Protocol) -> Abilities {
    Abilities {
        protocol,
        cell: CELL,
        depth: Depth::True,
        tmux: false,
    }
}

pub fn key(digest: &str, columns: u16, rows: u16) -> Key {
    Key {
        digest: digest.into(),
        columns,
        rows,
    }
}

pub fn label() -> Label<'static> {
    Label {
        words: "harbour.png",
        style: Style::new(),
    }
}

/// Rows of these colours, each as high as a cell.
pub fn striped(columns: u32, colours: &[[u8; 3]]) -> Pixels {
    let line = |c: &[u8; 3]| c.repeat(columns as usize * 10 * 20);
    Pixels {
        width: columns * 10,
        height: colours.len() as u32 * 20,
        rgb: colours.iter().flat_map(line).collect(),
    }
}

const FLAG: [[u8; 3]; 3] = [[200, 30, 40], [250, 250, 250], [20, 60, 180]];

/// A gallery with the flag of 4 by 3 cells, and the frame that shows it.
fn flag(abilities: Abilities, area: Rect, hidden: u16) -> (Gallery, Buffer) {
    let mut gallery = Gallery::new(abilities, 7);
    let prepared = prepare(&striped(4, &FLAG), (4, 3), abilities).unwrap();
    gallery.insert(key("flag", 4, 3), prepared);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 8));
    gallery.draw(&mut buffer, area, hidden, &key("flag", 4, 3), label());
    gallery.settle(&mut buffer);
    (gallery, buffer)
}

/// A sixel sequence as width, height and pixels; every pixel must be drawn.
pub fn decode_sixel(text: &str) -> (usize, usize, Vec<[u8; 3]>) {
    let body = text.strip_prefix("\x1bP0;1;0q\"1;1;").expect("DCS q");
    let body = body.strip_suffix("\x1b\\").expect("ST");
    let at = body.find('#').unwrap();
    let (width, height) = body[..at].split_once(';').unwrap();
    let (width, height) = (width.parse().unwrap(), height.parse().unwrap());
    let mut pixels: Vec<Option<[u8; 3]>> = vec![None; width * height];
    let (mut x, mut y, mut colour) = (0, 0, 0);
    let mut colours = [None; 256];
    let mut rest = &body[at..];
    let number = |rest: &mut &str| -> usize {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
        let (digits, after) = rest.split_at(end);
        *rest = after;
        digits.parse().unwrap()
    };
    while let Some(c) = rest.chars().next() {
        rest = &rest[1..];
        let mut times = 1;
        match c {
            '$' => x = 0,
            '-' => (x, y) = (0, y + 6),
            '#' => {
                colour = number(&mut rest);
                if let Some(after) = rest.strip_prefix(";2;") {
                    rest = after;
                    let mut rgb = [0; 3];
                    for (i, value) in rgb.iter_mut().enumerate() {
                        rest = if i > 0 { &rest[1..] } else { rest };
                        *value = u8::try_from(number(&mut rest) * 255 / 100).unwrap();
                    }
                    colours[colour] = Some(rgb);
                }
            }
            '!' | '?'..='~' => {
                let mut sixel = c;
                if c == '!' {
                    times = number(&mut rest);
                    sixel = rest.chars().next().unwrap();
                    rest = &rest[1..];
                }
                let bits = sixel as u32 - 63;
                for x in x..x + times {
                    for row in (0..6).filter(|row| bits >> row & 1 == 1) {
                        pixels[(y + row) * width + x] = colours[colour];
                    }
                }
                x += times;
            }
            other => panic!("{other:?} in a sixel"),
        }
    }
    let pixels = pixels
        .into_iter()
        .map(|p| p.expect("a pixel that is not drawn"));
    (width, height, pixels.collect())
}

/// The sequence in a cell, which must put the cursor back and one on.
pub fn unwrapped(symbol: &str) -> &str {
    let inner = symbol.strip_prefix("\x1b7").expect("saves the cursor");
    inner
        .strip_suffix("\x1b8\x1b[C")
        .expect("restores the cursor")
}

fn near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 8)
}

#[test]
fn a_picture_keeps_its_proportion_and_does_not_grow() {
    // 60 columns are 600 pixels; 450 of height are 22.5 rows.
    assert_eq!(size_in_cells(2048, 1536, 60, 40, CELL), (60, 23));
    assert_eq!(size_in_cells(2048, 1536, 60, 20, CELL), (53, 20));
    assert_eq!(size_in_cells(40, 60, 60, 20, CELL), (4, 3));
    assert_eq!(size_in_cells(1, 1, 60, 20, CELL), (2, 1));
    assert_eq!(size_in_cells(10_000, 1, 60, 20, CELL), (60, 1));
    assert_eq!(size_in_cells(1, 10_000, 60, 20, CELL), (1, 20));
    assert_eq!(size_in_cells(0, 0, 0, 0, CELL), (1, 1));
    for (width, height) in [(640, 480), (333, 999), (4000, 3000), (900, 300)] {
        let (columns, rows) = size_in_cells(width, height, 60, 20, CELL);
        let drawn = f64::from(columns) * 10.0 / (f64::from(rows) * 20.0);
        let right = f64::from(width) / f64::from(height);
        assert!((drawn / right - 1.0).abs() < 0.06, "{width}×{height}");
    }
}

#[test]
fn half_blocks_show_two_pixels_in_a_cell() {
    let pixels = Pixels {
        width: 2,
        height: 2,
        rgb: vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0],
    };
    let abilities = abilities(Protocol::HalfBlocks);
    let mut gallery = Gallery::new(abilities, 0);
    let prepared = prepare(&pixels, (2, 1), abilities).unwrap();
    gallery.insert(key("four", 2, 1), prepared);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 2));
    gallery.draw(
        &mut buffer,
        Rect::new(1, 0, 2, 1),
        0,
        &key("four", 2, 1),
        label(),
    );
    let cell = |x| buffer.cell((x, 0)).unwrap();
    assert_eq!(cell(1).symbol(), "▀");
    assert_eq!(
        (cell(1).fg, cell(1).bg),
        (Color::Rgb(255, 0, 0), Color::Rgb(0, 0, 255))
    );
    assert_eq!(
        (cell(2).fg, cell(2).bg),
        (Color::Rgb(0, 255, 0), Color::Rgb(255, 255, 0))
    );
    assert_eq!(cell(3).symbol(), " ");
}

#[test]
fn colours_fall_back_to_what_the_terminal_has() {
    let shown =
        |depth: Depth| [[255, 0, 0], [128, 128, 128], [0, 95, 135]].map(|c| depth.colour(c));
    assert_eq!(shown(Depth::Indexed), [196, 244, 24].map(Color::Indexed));
    assert_eq!(shown(Depth::Basic), [9, 8, 6].map(Color::Indexed));
}

#[test]
fn a_picture_that_is_no_picture_is_refused() {
    let wrong = |width, height, bytes| {
        let pixels = Pixels {
            width,
            height,
            rgb: vec![0; bytes],
        };
        prepare(&pixels, (2, 2), abilities(Protocol::Sixel)).is_err()
    };
    assert!(wrong(0, 0, 0));
    assert!(wrong(2, 2, 11));
    assert!(wrong(u32::MAX, u32::MAX, 3));
    assert!(!wrong(2, 2, 12));
}

/// The commands of kitty's graphics in a text: keys and payload.
fn commands(text: &str) -> Vec<(String, String)> {
    text.split("\x1b_G")
        .skip(1)
        .map(|c| {
            c.strip_suffix("\x1b\\")
                .expect("ST")
                .split_once(';')
                .unwrap()
        })
        .map(|(keys, data)| (keys.to_string(), data.to_string()))
        .collect()
}

#[test]
fn kitty_is_sent_the_pixels_once_and_then_text() {
    let (mut gallery, buffer) = flag(abilities(Protocol::Kitty), Rect::new(2, 1, 4, 2), 1);
    let sent = gallery.take_outbox().expect("a transmission");
    assert_eq!(gallery.take_outbox(), None);
    let commands = commands(&sent);
    let id = 7 << 24 | 1;
    assert_eq!(commands[0].0, format!("a=t,f=100,i={id},q=2,m=0"));
    assert_eq!(commands[1].0, format!("a=p,U=1,i={id},p=1,c=4,r=3,q=2"));
    let file = STANDARD.decode(&commands[0].1).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels, striped(4, &FLAG).rgb);

    // Rows, columns and the id's highest byte as the protocol numbers them.
    let marks = ['\u{305}', '\u{30D}', '\u{30E}', '\u{310}'];
    let run = '\u{33F}';
    for (y, row) in [(1, 1), (2, 2)] {
        for x in 0..4 {
            let cell = buffer.cell((2 + x, y)).unwrap();
            let expected: String = ['\u{10EEEE}', marks[row], marks[usize::from(x)], run]
                .iter()
                .collect();
            assert_eq!(cell.symbol(), expected);
            assert_eq!(cell.fg, Color::Indexed(1));
        }
    }
    assert_eq!(buffer.cell((2, 3)).unwrap().symbol(), " ");
}

#[test]
fn a_large_picture_goes_to_kitty_in_pieces_through_tmux() {
    let abilities = Abilities {
        tmux: true,
        ..abilities(Protocol::Kitty)
    };
    let mut seed = 1_u32;
    let noise = (0..300 * 300 * 3).map(|_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    });
    let pixels = Pixels {
        width: 300,
        height: 300,
        rgb: noise.collect(),
    };
    let mut gallery = Gallery::new(abilities, 0);
    gallery.insert(
        key("noise", 30, 15),
        prepare(&pixels, (30, 15), abilities).unwrap(),
    );
    let sent = gallery.take_outbox().unwrap();
    let mut file = Vec::new();
    let pieces: Vec<&str> = sent.split("\x1bPtmux;").skip(1).collect();
    for (at, piece) in pieces.iter().enumerate() {
        let inner = piece.strip_suffix("\x1b\\").unwrap();
        let inner = inner.replace("\x1b\x1b", "\x1b");
        let [(keys, data)] = &commands(&inner)[..] else {
            panic!("one command in each")
        };
        assert!(data.len() <= 4096);
        if at + 1 < pieces.len() {
            assert!(
                keys.ends_with(if at + 2 < pieces.len() { "m=1" } else { "m=0" }),
                "{keys}"
            );
            file.extend(STANDARD.decode(data).unwrap());
        }
    }
    assert!(pieces.len() > 60);
    assert!(
        png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .is_ok()
    );
}

#[test]
fn a_sixel_picture_has_its_colours() {
    let (_, buffer) = flag(abilities(Protocol::Sixel), Rect::new(2, 1, 4, 3), 0);
    let cell = buffer.cell((2, 1)).unwrap();
    let (width, height, pixels) = decode_sixel(unwrapped(cell.symbol()));
    assert_eq!((width, height), (40, 60));
    for (at, pixel) in pixels.iter().enumerate() {
        assert!(
            near(*pixel, FLAG[at / (40 * 20)]),
            "pixel {at} is {pixel:?}"
        );
    }
}

#[test]
fn a_sixel_picture_of_many_colours_stays_close_to_them() {
    let rgb = (0..200_u32 * 200).flat_map(|at| {
        let (x, y) = (at % 200, at / 200);
        [x * 255 / 199, y * 255 / 199, (x + y) * 255 / 398].map(|v| v as u8)
    });
    let pixels = Pixels {
        width: 200,
        height: 200,
        rgb: rgb.collect(),
    };
    let abilities = abilities(Protocol::Sixel);
    let mut gallery = Gallery::new(abilities, 0);
    gallery.insert(
        key("blend", 20, 10),
        prepare(&pixels, (20, 10), abilities).unwrap(),
    );
    let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 11));
    gallery.draw(
        &mut buffer,
        Rect::new(0, 0, 20, 10),
        0,
        &key("blend", 20, 10),
        label(),
    );
    let (_, _, shown) = decode_sixel(unwrapped(buffer.cell((0, 0)).unwrap().symbol()));
    let error: u64 = shown
        .iter()
        .flatten()
        .zip(&pixels.rgb)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    let mean = error as f64 / pixels.rgb.len() as f64;
    assert!(mean < 8.0, "off by {mean} of 255 on average");
}

#[test]
fn a_slice_of_a_sixel_picture_has_only_what_is_in_view() {
    let (_, buffer) = flag(abilities(Protocol::Sixel), Rect::new(0, 0, 4, 1), 1);
    let (width, height, pixels) = decode_sixel(unwrapped(buffer.cell((0, 0)).unwrap().symbol()));
    assert_eq!((width, height), (40, 20));
    assert!(pixels.iter().all(|pixel| near(*pixel, FLAG[1])));
    assert_eq!(
        buffer.cell((1, 0)).unwrap().diff_option,
        CellDiffOption::Skip
    );
    assert_eq!(
        buffer.cell((0, 1)).unwrap().diff_option,
        CellDiffOption::None
    );
}

#[test]
fn iterm2_is_sent_the_part_in_view_as_a_file() {
    let (_, buffer) = flag(abilities(Protocol::Iterm2), Rect::new(0, 0, 4, 2), 1);
    let sequence = unwrapped(buffer.cell((0, 0)).unwrap().symbol());
    let (keys, data) = sequence.split_once(':').unwrap();
    let file = STANDARD.decode(data.strip_suffix('\x07').unwrap()).unwrap();
    assert_eq!(
        keys,
        format!(
            "\x1b]1337;File=inline=1;size={};width=4;height=2;preserveAspectRatio=0;doNotMoveCursor=1",
            file.len()
        )
    );
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels, striped(4, &FLAG[1..]).rgb);
}
