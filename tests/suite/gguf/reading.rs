//! What is read of files that are right.

use super::writer::{ARRAY, F32, I32, Made, TEXT, U8, U32, U64, array, read_bytes, text};
use parlor::gguf::{self, Value, ValueType};
use tempfile::TempDir;

#[test]
fn a_header_is_read_whole() {
    let made = Made::new("llama")
        .count("llama.block_count", 2)
        .float("llama.rope.freq_base", 10000.0)
        .flag("tokenizer.ggml.add_bos_token", true)
        .put(b"small", I32, &(-5i32).to_le_bytes())
        .put(b"large", U64, &u64::MAX.to_le_bytes())
        .say_all("general.tags", &["chat", "", "schön"])
        .each("list", &[3, 0, 7])
        .tensor("a", &[3, 2], 0)
        .tensor("b", &[512], 12);
    let header = made.read().unwrap();
    assert_eq!(header.version, 3);
    assert_eq!(header.architecture(), "llama");
    assert_eq!(header.number("llama.block_count"), Some(2));
    assert_eq!(header.own("block_count"), Some(&Value::Unsigned(2)));
    assert_eq!(header.float("llama.rope.freq_base"), Some(10000.0));
    assert_eq!(header.flag("tokenizer.ggml.add_bos_token"), Some(true));
    assert_eq!(header.value("small"), Some(&Value::Signed(-5)));
    assert_eq!(header.number("small"), None);
    assert_eq!(header.number("large"), Some(u64::MAX));
    let tags = header.texts("general.tags").unwrap();
    assert_eq!(tags, ["chat", "", "schön"]);
    assert_eq!(header.numbers("llama.list"), Some(vec![3, 0, 7]));
    let keys: Vec<&str> = header.metadata.iter().map(|(k, _)| &**k).collect();
    assert_eq!(keys[..2], ["general.architecture", "llama.block_count"]);
    let (a, b) = (&header.tensors[0], &header.tensors[1]);
    assert_eq!((&*a.name, &*a.dims, a.bytes), ("a", &[3, 2][..], 24));
    assert_eq!((b.kind.name, b.offset, b.bytes), ("Q4_K", 32, 288));
    assert_eq!(header.data_start % 32, 0);
    assert_eq!(header.data_start + b.offset + b.bytes, header.file_size);
}

#[test]
fn version_two_reads_as_version_three() {
    let header = Made::model("llama", 1).version(2).read().unwrap();
    assert_eq!(header.version, 2);
    assert_eq!(header.tensors.len(), 1);
}

#[test]
fn a_negative_number_of_each_size_keeps_its_sign() {
    let made = Made::bare()
        .put(b"i8", 1, &(-2i8).to_le_bytes())
        .put(b"i16", 3, &(-300i16).to_le_bytes())
        .put(b"i64", 11, &i64::MIN.to_le_bytes())
        .put(b"u16", 2, &65_535u16.to_le_bytes())
        .put(b"f64", 12, &0.25f64.to_le_bytes());
    let header = made.read().unwrap();
    assert_eq!(header.value("i8"), Some(&Value::Signed(-2)));
    assert_eq!(header.value("i16"), Some(&Value::Signed(-300)));
    assert_eq!(header.value("i64"), Some(&Value::Signed(i64::MIN)));
    assert_eq!(header.number("u16"), Some(65_535));
    assert_eq!(header.float("f64"), Some(0.25));
}

#[test]
fn short_lists_are_kept_and_long_ones_counted() {
    let numbers = |n: usize| array(F32, n as u64, &vec![0; n * 4]);
    let words = |n: usize| array(TEXT, n as u64, &text(b"w").repeat(n));
    let header = Made::bare()
        .put(b"numbers.short", ARRAY, &array(U8, 4096, &[1; 4096]))
        .put(b"numbers.long", ARRAY, &numbers(4097))
        .put(b"words.short", ARRAY, &words(64))
        .put(b"words.long", ARRAY, &words(65))
        .say("after", "found")
        .read()
        .unwrap();
    assert_eq!(header.numbers("numbers.short").unwrap().len(), 4096);
    assert_eq!(header.count("numbers.long"), Some(4097));
    assert_eq!(header.numbers("numbers.long"), None);
    assert_eq!(header.texts("words.short").unwrap().len(), 64);
    assert_eq!(header.count("words.long"), Some(65));
    assert_eq!(header.texts("words.long"), None);
    assert_eq!(header.array("words.long").unwrap().kind, ValueType::Text);
    assert_eq!(header.text("after"), Some("found"));
}

#[test]
fn a_text_above_a_mebibyte_is_skipped() {
    let kept = "k".repeat(1 << 20);
    let header = Made::bare()
        .say("kept", &kept)
        .put(b"long", TEXT, &text(&vec![b'x'; (1 << 20) + 1]))
        .say("after", "found")
        .read()
        .unwrap();
    assert_eq!(header.text("kept"), Some(kept.as_str()));
    assert_eq!(header.value("long"), Some(&Value::LongText((1 << 20) + 1)));
    assert_eq!(header.text("after"), Some("found"));
}

#[test]
fn few_but_long_texts_in_a_list_are_counted_only() {
    let word = text(&[b'w'; 40_000]);
    let header = Made::bare()
        .put(b"list", ARRAY, &array(TEXT, 3, &word.repeat(3)))
        .say("after", "found")
        .read()
        .unwrap();
    assert_eq!(header.count("list"), Some(3));
    assert_eq!(header.texts("list"), None);
    assert_eq!(header.text("after"), Some("found"));
}

#[test]
fn bytes_that_are_not_utf8_become_question_marks() {
    let header = Made::bare()
        .put(b"name", TEXT, &text(b"a\xff\xfe\xc3\xa9\xe2\x82"))
        .put(b"key\xff", U8, &[7])
        .read()
        .unwrap();
    assert_eq!(header.text("name"), Some("a??é??"));
    assert_eq!(header.number("key?"), Some(7));
}

#[test]
fn lists_in_lists_are_skipped() {
    let inner = array(U32, 2, &[0; 8]);
    let outer = array(ARRAY, 3, &inner.repeat(3));
    let made = Made::bare().put(b"nested", ARRAY, &outer);
    let header = made.say("after", "found").read().unwrap();
    assert_eq!(header.count("nested"), Some(3));
    assert_eq!(header.text("after"), Some("found"));
}

#[test]
fn the_alignment_of_the_file_is_used() {
    let made = Made::new("llama").alignment(4096);
    let made = made.tensor("a", &[1], 0).tensor("b", &[1], 0);
    let header = made.read().unwrap();
    assert_eq!(header.data_start, 4096);
    assert_eq!(header.tensors[1].offset, 4096);
}

#[test]
fn what_follows_the_last_tensor_does_not_matter() {
    let (mut bytes, length) = Made::model("llama", 1).header();
    bytes.resize(length as usize, 0);
    bytes.extend(b"rubbish");
    assert_eq!(read_bytes(&bytes).unwrap().tensors.len(), 1);
}

#[test]
fn every_number_type_has_the_size_that_ggml_gives_it() {
    // Printed by ggml's own `ggml_blck_size` and `ggml_type_size`.
    const SIZES: &str = "0:1:4 1:1:2 2:32:18 3:32:20 6:32:22 7:32:24 8:32:34 9:32:36 \
        10:256:84 11:256:110 12:256:144 13:256:176 14:256:210 15:256:292 16:256:66 17:256:74 \
        18:256:98 19:256:50 20:32:18 21:256:110 22:256:82 23:256:136 24:1:1 25:1:2 26:1:4 27:1:8 \
        28:1:8 29:256:56 30:1:2 34:256:54 35:256:66 39:32:17 40:64:36 41:128:18 42:64:18";
    for size in SIZES.split_whitespace() {
        let parts: Vec<u64> = size.split(':').map(|n| n.parse().unwrap()).collect();
        let (block, bytes) = (parts[1], parts[2]);
        let made = Made::bare().sized(b"t", &[block * 3, 5], parts[0] as u32, bytes * 15);
        let header = made.read().unwrap();
        assert_eq!(header.tensors[0].bytes, bytes * 15, "{size}");
        assert_eq!(header.tensors[0].numbers(), block * 15, "{size}");
    }
}

#[test]
fn a_model_in_parts_is_read_as_one() {
    let folder = TempDir::new().unwrap();
    let part = |number: u32| {
        Made::model("llama", 3)
            .put(b"split.no", 2, &(number as u16).to_le_bytes())
            .put(b"split.count", 2, &3u16.to_le_bytes())
            .count("split.tensors.count", 3)
    };
    for number in 0..3 {
        let mut made = part(number);
        made.tensors.clear();
        let name = format!("blk.{number}.ffn_up.weight");
        let name_of_file = format!("tiny-{:05}-of-00003.gguf", number + 1);
        made.tensor(&name, &[8], 0)
            .write(&folder.path().join(name_of_file));
    }
    let first = folder.path().join("tiny-00001-of-00003.gguf");
    let card = gguf::whole_card(&first).unwrap();
    assert_eq!((card.split, card.weights, card.parameters), (3, 96, 24));
    assert_eq!(card.shape.layer_bytes, [32, 32, 32]);
    let second = folder.path().join("tiny-00002-of-00003.gguf");
    let error = gguf::whole(&second).unwrap_err().to_string();
    assert_eq!(error, "this is part 2 of 3; name the first part");
    std::fs::remove_file(second).unwrap();
    let error = gguf::whole(&first).unwrap_err().to_string();
    assert!(error.contains("tiny-00002-of-00003.gguf"), "{error}");
    let renamed = folder.path().join("renamed.gguf");
    std::fs::rename(first, &renamed).unwrap();
    let error = gguf::whole(&renamed).unwrap_err().to_string();
    assert!(error.contains("-00001-of-00003.gguf"), "{error}");
}
