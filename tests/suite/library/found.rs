//! What is found in plain folders: parts, unfinished and broken files, and
//! folders that would hang a careless look.

use super::made::{Home, Made, named, names, why};
use parlor::models::{Places, look, quant_of, scan};
use parlor::protocol::library::{Kind, Source};
use std::fs;

#[test]
fn a_split_model_is_listed_once() {
    let home = Home::new();
    let part = |n: u32| Made::chat("Big", 64).number("split.count", n);
    for n in [2, 1, 3] {
        home.put(
            &format!("models/big-Q4_K_M-0000{n}-of-00003.gguf"),
            &part(3),
        );
    }
    home.put("models/big-Q8_0.gguf", &part(1));
    let found = home.scan();
    assert_eq!(names(&found), ["big-Q4_K_M", "big-Q8_0"]);
    let big = &found[0];
    let ends = |n: usize, end: &str| big.parts[n].to_string_lossy().ends_with(end);
    assert!(ends(0, "-00001-of-00003.gguf") && ends(1, "-00002-of-00003.gguf"));
    assert_eq!((big.parts.len(), &big.path), (3, &big.parts[0]));
    assert_eq!(big.size, 3 * part(3).bytes().len() as u64);
    let card = big.card.as_ref().unwrap();
    let one = found[1].card.as_ref().unwrap();
    assert_eq!(card.parameters, 3 * one.parameters);
}

#[test]
fn a_missing_part_is_named() {
    let home = Home::new();
    let made = Made::chat("Big", 64);
    home.put("models/big-00001-of-00003.gguf", &made);
    home.put("models/big-00003-of-00003.gguf", &made);
    home.put("models/late-00002-of-00004.gguf", &made);
    // A part that was given another name says itself that it is one.
    home.put("models/alone.gguf", &made.clone().number("split.count", 2));
    let found = home.scan();
    let text = why(&found, "big");
    assert!(
        text.contains("big-00002-of-00003.gguf is missing"),
        "{text}"
    );
    let text = why(&found, "late");
    assert!(
        text.contains("late-00001-of-00004.gguf and 2 more"),
        "{text}"
    );
    assert!(why(&found, "alone").contains("2 parts"), "{found:?}");
}

#[test]
fn the_own_folder_tells_the_repository_and_what_is_not_whole() {
    let home = Home::new();
    home.put("parlor/org/repo/a-Q4_0.gguf", &Made::chat("A", 64));
    home.put("parlor/org/repo/sub/b.gguf", &Made::chat("B", 64));
    home.put("parlor/c.gguf", &Made::chat("C", 64));
    home.write("parlor/org/repo/d-Q8_0.gguf.part", [0; 300]);
    let note = r#"{"size": 1000, "etag": "x", "done": [[0, 100], [600, 650]]}"#;
    home.write("parlor/org/repo/d-Q8_0.gguf.part.json", note);
    home.write("parlor/e.gguf.part", [0; 300]);
    home.write("parlor/e.gguf.part.json", "no note");
    let found = home.scan();
    assert_eq!(names(&found), ["a-Q4_0", "b", "c", "d-Q8_0", "e"]);
    let repos: Vec<_> = found.iter().map(|m| m.repo.as_deref()).collect();
    let repo = Some("org/repo");
    assert_eq!(repos, [repo, repo, None, repo, None]);
    assert!(found.iter().all(|m| m.source == Source::Parlor));
    assert_eq!(
        why(&found, "d-Q8_0"),
        "not whole yet: 150 of 1000 bytes; `parlor pull org/repo:Q8_0` goes on with it"
    );
    let text = why(&found, "e");
    assert!(text.starts_with("not whole yet: 300 bytes"), "{text}");
}

#[test]
fn a_split_model_with_one_part_still_coming_is_one_unfinished_model() {
    let home = Home::new();
    let first = home.put("parlor/o/r/x-00001-of-00002.gguf", &Made::chat("X", 64));
    home.write("parlor/o/r/x-00002-of-00002.gguf.part", [0; 10]);
    home.write(
        "parlor/o/r/x-00002-of-00002.gguf.part.json",
        r#"{"size": 40, "done": [[0, 10]]}"#,
    );
    let found = home.scan();
    assert_eq!(names(&found), ["x"]);
    let whole = fs::metadata(first).unwrap().len();
    let expected = format!("not whole yet: {} of {} bytes", whole + 10, whole + 40);
    assert!(why(&found, "x").starts_with(&expected), "{found:?}");
}

#[test]
fn a_whole_file_that_is_fetched_once_more_can_be_used_meanwhile() {
    let home = Home::new();
    home.put("parlor/a.gguf", &Made::chat("A", 64));
    home.write("parlor/a.gguf.part", [0; 10]);
    let found = home.scan();
    assert_eq!(names(&found), ["a"]);
    assert!(found[0].card.is_ok());
}

#[test]
fn kinds_are_told_apart_and_broken_files_say_why() {
    let home = Home::new();
    home.put("models/chat.gguf", &Made::chat("Chat", 64));
    home.put("models/emb.gguf", &Made::embedding());
    home.put("models/lora.gguf", &Made::adapter());
    home.put("models/mmproj-x.gguf", &Made::projector("Other", 99));
    home.write("models/empty.gguf", "");
    home.write("models/noise.gguf", "this is text and no model at all");
    home.write("models/short.gguf", &Made::chat("S", 64).bytes()[..60]);
    home.write("models/readme.txt", "GGUF");
    let found = home.scan();
    let kind = |name: &str| named(&found, name).card.as_ref().unwrap().kind;
    assert_eq!(kind("chat"), Kind::Chat);
    assert_eq!(kind("emb"), Kind::Embedding);
    assert_eq!(kind("lora"), Kind::Adapter);
    assert_eq!(kind("mmproj-x"), Kind::Mmproj);
    for broken in ["empty", "noise", "short"] {
        assert!(!why(&found, broken).is_empty());
    }
    assert_eq!(found.len(), 7);
}

#[test]
fn the_folder_of_the_start_is_looked_at_without_its_folders() {
    let home = Home::new();
    home.put("here/Mine.GGUF", &Made::chat("Mine", 64));
    home.put("here/deep/hidden.gguf", &Made::chat("H", 64));
    home.put("disk/a/b/c/far.gguf", &Made::chat("F", 64));
    let mut places = home.places();
    places.folders.push(home.at("disk"));
    let found = scan(&places, &[], None);
    assert_eq!(names(&found), ["far", "Mine"]);
    assert!(
        found
            .iter()
            .all(|m| m.source == Source::Folder && m.repo.is_none())
    );
}

#[test]
fn a_path_alone_is_looked_at_with_its_parts_and_its_projector() {
    let home = Home::new();
    let first = home.put("x/see-00001-of-00002.gguf", &Made::chat("See", 64));
    let second = home.put("x/see-00002-of-00002.gguf", &Made::chat("See", 64));
    let eyes = home.put("x/mmproj-see.gguf", &Made::projector("See", 64));
    home.put("x/other.gguf", &Made::chat("Other", 64));
    // Whichever part is named, the first one is what is loaded.
    let model = look(&second, &[]);
    assert_eq!((model.name.as_str(), &model.path), ("see", &first));
    assert_eq!(model.projector, Some(eyes));
    assert!(look(&home.at("x/none.gguf"), &[]).card.is_err());
    let odd = home.put("x/blob", &Made::chat("Blob", 64));
    assert!(look(&odd, &[]).card.is_ok(), "a file may have any name");
}

#[test]
#[cfg(unix)]
fn links_in_circles_pipes_and_links_to_nothing_do_no_harm() {
    use super::made::link;
    let home = Home::new();
    let real = home.put("models/a/real.gguf", &Made::chat("Real", 64));
    link(home.at("models"), &home.at("models/a/up"));
    link(home.at("models/a/self"), &home.at("models/a/self"));
    link("/nowhere/gone.gguf", &home.at("models/a/lost.gguf"));
    link(&real, &home.at("models/again.gguf"));
    fs::hard_link(&real, home.at("models/hard.gguf")).unwrap();
    let pipe = home.at("models/pipe.gguf");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let found = home.scan();
    // Of the names of one file, one is shown.
    assert_eq!(found.len(), 2, "{:?}", names(&found));
    let text = why(&found, "lost");
    assert!(text.contains("/nowhere/gone.gguf, which is gone"), "{text}");
}

#[test]
#[cfg(unix)]
fn a_file_that_cannot_be_read_says_so_and_is_not_remembered() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let path = home.put("models/a.gguf", &Made::chat("A", 64));
    let cache = home.at("cache.json");
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    mode(0);
    if fs::File::open(&path).is_ok() {
        return; // Whoever runs this may read everything.
    }
    let found = scan(&home.places(), &[], Some(&cache));
    assert!(why(&found, "a").contains("permissions"));
    mode(0o600);
    assert!(scan(&home.places(), &[], Some(&cache))[0].card.is_ok());
}

#[test]
fn places_are_listed_with_whether_they_are_there() {
    let home = Home::new();
    fs::create_dir_all(home.at("models")).unwrap();
    let rows = home.places().list();
    let there = |path: &str| {
        let row = rows.iter().find(|(_, p, _)| *p == home.at(path));
        row.map(|(source, _, there)| (*source, *there))
    };
    assert_eq!(there("models"), Some((Source::Folder, true)));
    assert_eq!(there("parlor"), Some((Source::Parlor, false)));
    assert_eq!(there(".lmstudio/models"), Some((Source::LmStudio, false)));
    let empty = Places::default();
    assert!(empty.list().is_empty() && scan(&empty, &[], None).is_empty());
}

#[test]
fn quantizations_are_read_from_names() {
    let cases = [
        ("Qwen3-4B-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("DeepSeek-R1-UD-IQ1_S-00001-of-00004.gguf", "UD-IQ1_S"),
        ("model.i1-IQ3_XXS.gguf", "IQ3_XXS"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("gpt-oss-20b-MXFP4_MOE.gguf", "MXFP4_MOE"),
        ("llama-3.2-1b-instruct-q8_0.gguf", "Q8_0"),
        ("Phi-3-mini-4k-instruct-q4.gguf", "Q4"),
        ("mistral_7b_Q5_K_S.gguf", "Q5_K_S"),
        ("mmproj-BF16.gguf", "BF16"),
        ("Phi-3-mini-4k-instruct-fp16.gguf", "F16"),
        ("stories.f32.gguf", "F32"),
        ("TriLM-TQ2_0.gguf", "TQ2_0"),
        ("Q4_K_M/DeepSeek-V3-00002-of-00009.gguf", "Q4_K_M"),
        ("gemma-Q4_0_4_4.gguf.part", "Q4_0_4_4"),
        ("x-IQ4_NL", "IQ4_NL"),
    ];
    for (name, quant) in cases {
        assert_eq!(quant_of(name).as_deref(), Some(quant), "{name}");
    }
    for none in [
        "",
        "model.gguf",
        "Qwen3-4B",
        "A3B-2507",
        "q4u.gguf",
        "Llama-3-8B-K_M",
    ] {
        assert_eq!(quant_of(none), None, "{none}");
    }
}

proptest::proptest! {
    #[test]
    fn any_name_at_all_is_survived(name in ".{0,60}") {
        let _ = quant_of(&name);
        let _ = parlor::models::Reference::parse(&name, std::path::Path::new("/h"));
    }
}
