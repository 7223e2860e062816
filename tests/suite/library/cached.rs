//! What is remembered of headers.

use super::made::{Home, Made, names, why};
use parlor::models::scan;
use std::fs;
use std::time::Instant;

#[test]
fn a_second_scan_opens_no_model() {
    let home = Home::new();
    let cache = home.at("state/cards.json");
    let good = home.put("models/good.gguf", &Made::chat("Good", 64));
    let bad = home.write("models/bad.gguf", "nonsense");
    let look = || scan(&home.places(), &[], Some(&cache));
    let first = look();
    // Other bytes, of the same length and time: what is remembered shows.
    for path in [&good, &bad] {
        let meta = fs::metadata(path).unwrap();
        fs::write(path, vec![b'x'; meta.len() as usize]).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(meta.modified().unwrap()).unwrap();
    }
    assert_eq!(look(), first);
    assert!(first[1].card.is_ok() && first[0].card.is_err());
    // Another time: it is read anew.
    fs::write(&good, Made::chat("Newer", 64).bytes()).unwrap();
    assert_eq!(look()[1].card.as_ref().unwrap().title, "Newer");
}

#[test]
fn a_damaged_or_foreign_cache_is_as_good_as_none() {
    let home = Home::new();
    home.put("models/a.gguf", &Made::chat("A", 64));
    let cache = home.at("cards.json");
    let expected = home.scan();
    let whole = {
        scan(&home.places(), &[], Some(&cache));
        fs::read_to_string(&cache).unwrap()
    };
    let other_form = whole.replacen("\"form\":", "\"form\":9", 1);
    let cases = [
        "",
        "{}",
        "[1,2",
        &whole[..whole.len() / 2],
        &other_form,
        "\u{0}\u{1}",
    ];
    for text in cases {
        fs::write(&cache, text).unwrap();
        assert_eq!(scan(&home.places(), &[], Some(&cache)), expected);
        assert_eq!(
            fs::read_to_string(&cache).unwrap(),
            whole,
            "it is written anew"
        );
    }
    // Where it cannot be written, the list is the same.
    let nowhere = home.at("cards.json/below/a/file");
    assert_eq!(scan(&home.places(), &[], Some(&nowhere)), expected);
}

#[test]
fn files_that_are_gone_are_forgotten_and_others_kept() {
    let home = Home::new();
    let a = home.put("models/a.gguf", &Made::chat("A", 64));
    home.put("models/b.gguf", &Made::chat("B", 64));
    home.put("disk/c.gguf", &Made::chat("C", 64));
    let cache = home.at("cards.json");
    let mut wide = home.places();
    wide.folders.push(home.at("disk"));
    assert_eq!(names(&scan(&wide, &[], Some(&cache))), ["a", "b", "c"]);
    fs::remove_file(a).unwrap();
    scan(&home.places(), &[], Some(&cache));
    let text = fs::read_to_string(&cache).unwrap();
    assert!(!text.contains("a.gguf"), "{text}");
    assert!(text.contains("b.gguf") && text.contains("c.gguf"), "{text}");
    // Nothing changed: the file is not written again.
    let written = fs::metadata(&cache).unwrap().modified().unwrap();
    scan(&home.places(), &[], Some(&cache));
    assert_eq!(fs::metadata(&cache).unwrap().modified().unwrap(), written);
    assert_eq!(
        fs::read_dir(home.at(""))
            .unwrap()
            .filter(|e| {
                e.as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .ends_with(".new")
            })
            .count(),
        0,
        "a draft was left behind"
    );
}

#[test]
fn a_missing_part_that_comes_back_is_seen_despite_the_cache() {
    let home = Home::new();
    let cache = home.at("cards.json");
    home.put("models/x-00001-of-00002.gguf", &Made::chat("X", 64));
    let look = || scan(&home.places(), &[], Some(&cache));
    assert!(why(&look(), "x").contains("is missing"));
    home.put("models/x-00002-of-00002.gguf", &Made::chat("X", 64));
    assert!(look()[0].card.is_ok());
}

/// A measurement, not a test: 500 files with headers as long as real ones.
/// `cargo test --release -- --ignored five_hundred --nocapture`
#[test]
#[ignore = "writes 700 MB"]
fn five_hundred_models_take_less_than_a_second() {
    let home = Home::new();
    let bytes = Made::chat("Many", 64).tokens(150_000).bytes();
    for n in 0..500 {
        home.write(&format!("parlor/org/repo{n}/m{n}-Q4_K_M.gguf"), &bytes);
    }
    let cache = home.at("cards.json");
    let timed = || {
        let start = Instant::now();
        let found = scan(&home.places(), &[], Some(&cache));
        assert_eq!(found.len(), 500);
        start.elapsed()
    };
    let (cold, warm) = (timed(), timed());
    let size = fs::metadata(&cache).unwrap().len();
    println!(
        "header {} bytes; cold {cold:?}, from the cache {warm:?} ({size} bytes)",
        bytes.len()
    );
    assert!(cold.as_millis() < 1000, "{cold:?}");
    assert!(warm.as_millis() < 50, "{warm:?}");
}
