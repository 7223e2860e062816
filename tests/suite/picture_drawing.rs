//! Pictures that move, are cut and are written over: what a terminal shows
//! after any frames must be what it shows after the last one alone.

use super::picture_sending::{abilities, decode_sixel, key, label, striped, unwrapped};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parlor::ui::picture::{Gallery, Protocol, prepare};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Clear, Widget};

/// A colour for each row of a picture, far from each other.
const ROWS: [[u8; 3]; 5] = [
    [250, 0, 0],
    [0, 250, 0],
    [0, 0, 250],
    [250, 250, 0],
    [0, 250, 250],
];
const COLUMNS: u16 = 6;
const SCREEN: Rect = Rect::new(0, 0, 16, 10);

/// What a cell of the terminal shows.
#[derive(Debug, Clone, PartialEq)]
enum Shown {
    Text(Box<Cell>),
    /// A part of a picture of this colour.
    Picture([u8; 3]),
}

/// A terminal that draws sixels and iTerm2's images.
struct Terminal {
    cells: Vec<Shown>,
    last: Buffer,
    /// Bytes of pictures that it was sent.
    heard: usize,
}

impl Terminal {
    fn new() -> Self {
        let blank = Shown::Text(Box::new(Cell::EMPTY));
        Self {
            cells: vec![blank; usize::from(SCREEN.width * SCREEN.height)],
            last: Buffer::empty(SCREEN),
            heard: 0,
        }
    }

    /// Takes in a frame as ratatui sends it.
    fn show(&mut self, frame: Buffer) {
        for (x, y, cell) in self.last.diff(&frame) {
            let at = usize::from(y * SCREEN.width + x);
            if !cell.symbol().starts_with('\x1b') {
                self.cells[at] = Shown::Text(Box::new(cell.clone()));
                continue;
            }
            self.heard += cell.symbol().len();
            let rows = stripes(unwrapped(cell.symbol()));
            for (row, colour) in rows.iter().enumerate() {
                let start = at + row * usize::from(SCREEN.width);
                for shown in &mut self.cells[start..start + usize::from(COLUMNS)] {
                    *shown = Shown::Picture(*colour);
                }
            }
        }
        self.last = frame;
    }
}

/// The colours of a sequence's rows, in the middle of each.
fn stripes(sequence: &str) -> Vec<[u8; 3]> {
    let (width, height, pixels) = if sequence.starts_with("\x1bP") {
        decode_sixel(sequence)
    } else {
        let data = sequence.split_once(':').unwrap().1;
        let file = STANDARD.decode(data.strip_suffix('\x07').unwrap()).unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(file));
        let mut reader = decoder.read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        let pixels = rgb.chunks(3).map(|p| [p[0], p[1], p[2]]).collect();
        (info.width as usize, info.height as usize, pixels)
    };
    assert_eq!((width, height % 20), (usize::from(COLUMNS) * 10, 0));
    let middle = |row: usize| pixels[(row * 20 + 10) * width + width / 2];
    (0..height / 20)
        .map(|row| middle(row).map(|v| if v > 127 { 250 } else { 0 }))
        .collect()
}

fn gallery(protocol: Protocol) -> Gallery {
    let abilities = abilities(protocol);
    let mut gallery = Gallery::new(abilities, 3);
    let prepared = prepare(&striped(u32::from(COLUMNS), &ROWS), (COLUMNS, 5), abilities);
    gallery.insert(key("stripes", COLUMNS, 5), prepared.unwrap());
    gallery
}

/// A page of text whose picture begins at the row `top` of a window that ends
/// above `bottom`.
fn page(gallery: &mut Gallery, top: i32, bottom: u16, popup: Option<Rect>) -> Buffer {
    let mut buffer = Buffer::empty(SCREEN);
    for y in 0..SCREEN.height {
        let row = i32::from(y) - top;
        if y >= bottom || !(0..5).contains(&row) {
            buffer.set_string(0, y, format!("row {row} of the text"), Style::new());
        }
    }
    let first = top.max(0);
    let area = Rect {
        x: 2,
        y: u16::try_from(first).unwrap(),
        width: SCREEN.width - 2,
        height: u16::try_from((i32::from(bottom).min(top + 5) - first).max(0)).unwrap(),
    };
    let hidden = u16::try_from(first - top).unwrap();
    gallery.draw(
        &mut buffer,
        area,
        hidden,
        &key("stripes", COLUMNS, 5),
        label(),
    );
    if let Some(area) = popup {
        Clear.render(area, &mut buffer);
        buffer.set_string(area.x, area.y, "popup", Style::new());
    }
    gallery.settle(&mut buffer);
    buffer
}

const ALL: [Protocol; 4] = [
    Protocol::Sixel,
    Protocol::Iterm2,
    Protocol::Kitty,
    Protocol::HalfBlocks,
];

/// Shows the frames one after the other, and each alone; both must be alike.
fn leaves_nothing(frames: &[(i32, u16, Option<Rect>)]) {
    for protocol in ALL {
        let mut gallery = gallery(protocol);
        let mut terminal = Terminal::new();
        for (top, bottom, popup) in frames {
            let frame = page(&mut gallery, *top, *bottom, *popup);
            let mut fresh = Terminal::new();
            fresh.show(frame.clone());
            terminal.show(frame);
            let wrong = terminal
                .cells
                .iter()
                .zip(&fresh.cells)
                .position(|(a, b)| a != b);
            assert_eq!(wrong, None, "{protocol:?} at {top}, {bottom}, {popup:?}");
        }
    }
}

#[test]
fn scrolling_by_rows_leaves_no_cell_of_the_old_place() {
    let tops = (-5..=9).chain((-5..9).rev());
    leaves_nothing(&tops.map(|top| (top, 9, None)).collect::<Vec<_>>());
}

#[test]
fn a_window_that_changes_its_height_leaves_nothing_behind() {
    leaves_nothing(&[
        (2, 9, None),
        (2, 5, None),
        (2, 3, None),
        (2, 9, None),
        (-1, 2, None),
    ]);
}

#[test]
fn a_popup_over_a_picture_comes_and_goes_without_traces() {
    let over = Rect::new(4, 3, 5, 2);
    let corner = Rect::new(2, 2, 5, 1);
    let beside = Rect::new(9, 3, 5, 2);
    leaves_nothing(&[
        (2, 9, None),
        (2, 9, Some(over)),
        (2, 9, None),
        (2, 9, Some(corner)),
        (1, 9, Some(over)),
        (2, 9, Some(beside)),
        (2, 9, None),
    ]);
}

#[test]
fn the_right_part_of_a_picture_is_seen() {
    for protocol in [Protocol::Sixel, Protocol::Iterm2] {
        let mut terminal = Terminal::new();
        terminal.show(page(&mut gallery(protocol), -2, 2, None));
        let shown = |y: u16| terminal.cells[usize::from(y * SCREEN.width + 2)].clone();
        assert_eq!(shown(0), Shown::Picture(ROWS[2]), "{protocol:?}");
        assert_eq!(shown(1), Shown::Picture(ROWS[3]), "{protocol:?}");
        assert!(matches!(shown(2), Shown::Text(_)), "{protocol:?}");
    }
}

#[test]
fn a_picture_that_stands_still_is_sent_once() {
    for protocol in [Protocol::Sixel, Protocol::Iterm2] {
        let mut gallery = gallery(protocol);
        let mut terminal = Terminal::new();
        terminal.show(page(&mut gallery, 2, 9, None));
        let once = terminal.heard;
        assert!(once > 0);
        terminal.show(page(&mut gallery, 2, 9, None));
        terminal.show(page(&mut gallery, 2, 9, Some(Rect::new(9, 3, 5, 2))));
        assert_eq!(terminal.heard, once, "{protocol:?}");
    }
}

#[test]
fn a_picture_on_the_last_row_of_the_screen_is_half_blocks() {
    for protocol in [Protocol::Sixel, Protocol::Iterm2] {
        let mut terminal = Terminal::new();
        terminal.show(page(&mut gallery(protocol), 7, 10, None));
        assert_eq!(terminal.heard, 0, "{protocol:?}");
        assert_eq!(terminal.last.cell((2, 9)).unwrap().symbol(), "▀");
    }
}

#[test]
fn a_picture_that_is_not_prepared_is_asked_for_once_and_named() {
    let mut gallery = Gallery::new(abilities(Protocol::Sixel), 0);
    let picture = key("stripes", 14, 5);
    for _ in 0..2 {
        let mut buffer = Buffer::empty(SCREEN);
        gallery.draw(&mut buffer, Rect::new(0, 0, 16, 4), 1, &picture, label());
        gallery.settle(&mut buffer);
        let row = |y| {
            (0..16)
                .map(|x| buffer.cell((x, y)).unwrap().symbol())
                .collect::<String>()
        };
        assert_eq!(row(0), "│            │  ");
        assert_eq!(row(1), "│harbour.png │  ");
        assert_eq!(row(3), "└────────────┘  ");
    }
    assert_eq!(gallery.take_missing(), [picture]);
    assert_eq!(gallery.take_missing(), []);
}

#[test]
fn without_pictures_there_are_words() {
    let mut gallery = Gallery::new(abilities(Protocol::Off), 0);
    assert_eq!(gallery.size((640, 480), (60, 20)), (60, 1));
    let mut buffer = Buffer::empty(SCREEN);
    gallery.draw(
        &mut buffer,
        Rect::new(0, 0, 16, 1),
        0,
        &key("a", 60, 1),
        label(),
    );
    assert_eq!(buffer.cell((0, 0)).unwrap().symbol(), "h");
    assert_eq!(gallery.take_missing(), []);
}

#[test]
fn the_longest_unseen_picture_makes_room() {
    let abilities = abilities(Protocol::Kitty);
    let pixels = striped(u32::from(COLUMNS), &ROWS);
    let prepared = prepare(&pixels, (COLUMNS, 5), abilities).unwrap();
    let mut gallery = Gallery::new(abilities, 0).with_memory(prepared.bytes() * 2);
    let see = |gallery: &mut Gallery, name: &str| {
        let mut buffer = Buffer::empty(SCREEN);
        let key = key(name, COLUMNS, 5);
        gallery.draw(&mut buffer, Rect::new(0, 0, 16, 5), 0, &key, label());
        gallery.settle(&mut buffer);
    };
    for name in ["a", "b", "c", "d"] {
        gallery.insert(key(name, COLUMNS, 5), prepared.clone());
        see(&mut gallery, name);
        see(&mut gallery, "a");
    }
    let held = ["a", "b", "c", "d"].map(|name| gallery.holds(&key(name, COLUMNS, 5)));
    assert!(held[0] && held[3], "{held:?}");
    assert!(!held[1], "{held:?}");
    assert!(gallery.bytes() <= prepared.bytes() * 3);
    let sent = gallery.take_outbox().unwrap();
    assert!(
        sent.contains("\x1b_Ga=d,d=I,i=2,q=2;\x1b\\"),
        "b is freed in the terminal"
    );
    gallery.send_again();
    assert!(gallery.take_outbox().unwrap().contains("a=t,f=100,i=1,"));
    assert!(gallery.farewell().contains("a=d,d=I,i=1,"));
}
