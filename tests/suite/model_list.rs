//! The popup of models and what belongs to it: keys in, screen out.

use crate::support::harness::Harness;
use parlor::app::{Effect, Event};
use parlor::chat::FinishReason;
use parlor::protocol::engine::{self, Adapter, Device, ModelFacts, Place};
use parlor::protocol::hub::{Checked, FoundRepo, Phase, Progress, Pulled, Wish};
use parlor::protocol::library::{
    Card, CatalogEntry, Extras, Fit, FoundModel, Kind, Listed, Machine, Source, Verdict,
};
use std::path::PathBuf;

fn fit(verdict: Verdict) -> Fit {
    Fit {
        verdict,
        weights: 1_000_000_000,
        cache: 100_000_000,
        compute: 50_000_000,
        context: 8192,
        largest_context: 16384,
        gpu_layers: 0,
        layers: 20,
        cache_types: ("f16".into(), "f16".into()),
        speed: Some(12.3),
    }
}

fn model(name: &str, kind: Kind, size: u64) -> Listed {
    let path = PathBuf::from(format!("/m/{name}.gguf"));
    Listed {
        model: FoundModel {
            name: name.into(),
            parts: vec![path.clone()],
            path,
            source: Source::Parlor,
            repo: None,
            size,
            modified: 0,
            card: Ok(Card {
                kind,
                architecture: "llama".into(),
                quantization: "Q4_K_M".into(),
                ..Card::default()
            }),
            projector: None,
            extras: None,
        },
        fit: Some(Ok(fit(Verdict::Memory))),
        used: None,
    }
}

/// The popup over a chat with a model, with these found.
fn popup(models: Vec<Listed>) -> Harness {
    let mut chat = Harness::new(100, 34);
    chat.send("/model");
    chat.event(Event::Models(models));
    chat.effects.clear();
    chat
}

fn some() -> Vec<Listed> {
    let mut big = model("big", Kind::Chat, 9_000_000_000);
    big.fit = Some(Err(
        "this model takes 9.9 GB of memory, and 4.0 GB can be had".into(),
    ));
    let mut used = model("alpha", Kind::Chat, 3_000_000_000);
    used.used = Some(7);
    let mut broken = model("broken", Kind::Chat, 5);
    broken.model.card = Err("the file is cut short".into());
    vec![
        used,
        big,
        broken,
        model("beta", Kind::Chat, 2_000_000_000),
        model("lora", Kind::Adapter, 1),
        model("eyes", Kind::Mmproj, 1),
        model("embed", Kind::Embedding, 1),
    ]
}

/// Names of the rows, in order.
fn order(chat: &Harness) -> Vec<String> {
    let names = ["alpha", "big", "broken", "beta", "lora", "eyes", "embed"];
    let screen = chat.screen();
    let list = screen.lines().skip_while(|l| !l.contains('❯'));
    let row = |line: &str| {
        let words = line.trim_start_matches(['│', '▸', ' ']);
        names
            .iter()
            .find(|n| words.starts_with(&format!("{n} ")))
            .map(|n| (*n).to_string())
    };
    list.take_while(|l| !l.contains("───"))
        .filter_map(row)
        .collect()
}

#[test]
fn rows_tell_where_each_would_run_and_the_details_tell_why() {
    let mut chat = popup(some());
    chat.sees("3 models to chat with were found");
    for words in [
        "✓ memory",
        "✗ too big",
        "✗ cannot be used",
        "adapter",
        "eyes or ears",
        "embedding",
    ] {
        chat.sees(words);
    }
    chat.sees("▸alpha")
        .sees("Takes 1.1 GB: weights 1.0 GB, cache 100.0 MB, computing 50.0 MB.")
        .sees("Runs on the processor, about 12 tok/s, with a context of 8192 tokens; 16384 would fit.");
    chat.write("broken").sees("the file is cut short");
}

#[test]
fn what_is_written_filters_and_tab_sorts() {
    let mut chat = popup(some());
    assert_eq!(order(&chat)[..3], ["alpha", "beta", "big"]);
    chat.press("tab").sees("Sorted by fit");
    assert_eq!(order(&chat)[..3], ["alpha", "beta", "big"]);
    chat.press("tab").sees("Sorted by size");
    assert_eq!(order(&chat)[..3], ["beta", "alpha", "big"]);
    chat.press("tab").sees("Sorted by last used");
    assert_eq!(order(&chat)[0], "alpha");
    chat.write("et").sees_not("alpha").sees("▸beta");
    chat.press("enter");
    assert_eq!(chat.effects, [Effect::Load("/m/beta.gguf".into())]);
}

#[test]
fn enter_on_what_is_no_chat_model_says_what_it_is() {
    for (name, words) in [
        ("broken", "broken cannot be used: the file is cut short"),
        ("eyes", "That is the eyes or ears of another model"),
        ("embed", "That model compares texts and cannot chat"),
    ] {
        let mut chat = popup(some());
        chat.write(name).press("enter").sees(words);
        assert!(chat.effects.is_empty());
    }
    let mut chat = popup(some());
    chat.write("lora").press("enter");
    let adapter = Adapter {
        path: "/m/lora.gguf".into(),
        scale: 1.0,
    };
    assert_eq!(chat.effects, [Effect::Adapt(vec![adapter])]);
}

/// Found by a review: what the loaded model has was counted as taken, and a
/// model of its size was refused.
#[test]
fn what_does_not_fit_beside_the_present_model_can_be_tried() {
    let mut chat = popup(some());
    chat.write("big").press("enter");
    assert_eq!(chat.effects, [Effect::Load("/m/big.gguf".into())]);
}

#[test]
fn a_model_is_removed_when_that_is_asked_twice_and_only_parlors_own() {
    let mut chat = popup(some());
    chat.press("ctrl-x").sees("Delete alpha for good?");
    chat.press("down ctrl-x").sees("Delete beta for good?");
    assert!(chat.effects.is_empty());
    chat.press("ctrl-x");
    assert!(matches!(&chat.effects[..], [Effect::RemoveModel(m)] if m.name == "beta"));
    chat.event(Event::Removed(Ok("beta".into())))
        .sees("beta is deleted");
    let mut foreign = model("other", Kind::Chat, 1);
    foreign.model.source = Source::Ollama;
    let mut chat = popup(vec![foreign]);
    chat.press("ctrl-x")
        .sees("Not Parlor's own: it stands in /m");
    assert!(chat.effects.is_empty());
}

#[test]
fn a_projector_is_joined_to_the_chosen_model() {
    let mut chat = popup(some());
    chat.write("alpha")
        .press("ctrl-r")
        .sees("Which eyes or ears?");
    chat.sees_not("beta").press("enter");
    let pair = Effect::Pair {
        model: "/m/alpha.gguf".into(),
        projector: "/m/eyes.gguf".into(),
    };
    assert_eq!(chat.effects, [pair]);
}

fn progress(done: u64, phase: Phase) -> Progress {
    Progress {
        name: "x.gguf".into(),
        file: 1,
        files: 1,
        done,
        total: 1_000,
        speed: 2_000_000,
        left: Some(90),
        phase,
    }
}

fn pulled(path: &str) -> Result<Pulled, String> {
    Ok(Pulled {
        files: vec![path.into()],
        projector: None,
        size: 1,
        already: false,
        checked: Checked::Digest,
        why: String::new(),
    })
}

#[test]
fn a_repository_that_is_written_is_fetched_with_a_bar_paused_and_ended() {
    let mut chat = popup(some());
    chat.write("owner/repo:Q4_0")
        .sees("fetch owner/repo:Q4_0")
        .press("enter");
    assert_eq!(chat.effects, [Effect::Pull(1, "owner/repo:Q4_0".into())]);
    chat.event(Event::Pulling(1, progress(250, Phase::Downloading)))
        .sees("█████░░░")
        .sees("25 %  2.0 MB/s, 2 min left");
    chat.press("home enter");
    assert_eq!(chat.effects.last(), Some(&Effect::Wish(1, Wish::Pause)));
    chat.sees("paused: Enter goes on").press("enter");
    assert_eq!(chat.effects.last(), Some(&Effect::Wish(1, Wish::Run)));
    chat.press("ctrl-x");
    assert_eq!(chat.effects.last(), Some(&Effect::Wish(1, Wish::Cancel)));
    chat.event(Event::Pulled(1, Err("cancelled".into())))
        .sees("what came is kept");
    chat.press("esc").sees_not("fetching");
}

#[test]
fn several_are_fetched_at_once_while_the_chat_goes_on() {
    let mut chat = Harness::new(100, 34);
    chat.send("/pull a/b").send("/pull c/d");
    assert_eq!(
        chat.effects,
        [Effect::Pull(1, "a/b".into()), Effect::Pull(2, "c/d".into())]
    );
    chat.event(Event::Pulling(1, progress(100, Phase::Downloading)));
    chat.event(Event::Pulling(2, progress(300, Phase::Downloading)));
    chat.send("hello").says("hi there").sees("hi there");
    chat.sees("fetching 2: 20 %");
    chat.event(Event::Pulled(1, pulled("/m/b.gguf")))
        .sees("b.gguf is here. /model chooses it.");
    chat.event(Event::Pulled(2, Err("the hub says no".into())))
        .sees("c/d was not fetched: the hub says no");
}

#[test]
fn from_no_model_to_chatting_after_a_pull_it_takes_one_key() {
    let mut chat = Harness::starting(100, 34, None);
    chat.event(Event::Models(Vec::new()));
    chat.write("o/r").press("enter");
    chat.event(Event::Pulled(1, pulled("/m/new-00001-of-00002.gguf")));
    chat.sees("Enter loads it");
    let mut new = model("new", Kind::Chat, 5);
    new.model.path = "/m/new-00001-of-00002.gguf".into();
    chat.event(Event::Models(vec![model("a", Kind::Chat, 1), new]));
    chat.effects.clear();
    chat.sees("▸new").press("enter");
    assert_eq!(
        chat.effects,
        [Effect::Load("/m/new-00001-of-00002.gguf".into())]
    );
}

#[test]
fn the_hub_is_searched_for_what_is_written_and_the_short_list_says_what_fits() {
    let mut chat = popup(Vec::new());
    let entry = CatalogEntry {
        name: "Small One".into(),
        repo: "o/small".into(),
        file: "s.gguf".into(),
        size: 1_000_000_000,
        good_for: "trying things".into(),
        ..CatalogEntry::default()
    };
    let huge = CatalogEntry {
        name: "Huge One".into(),
        repo: "o/huge".into(),
        size: 90_000_000_000,
        ..entry.clone()
    };
    let machine = Machine {
        memory: 4 << 30,
        ..Machine::default()
    };
    chat.event(Event::Catalog(vec![entry, huge], machine));
    chat.sees("Small One").sees("✓ memory").sees("✗ too big");
    chat.write("qwen")
        .press("ctrl-f")
        .sees("Searching the hub for “qwen”");
    assert_eq!(chat.effects, [Effect::SearchHub("qwen".into())]);
    let repo = FoundRepo {
        repo: "a/qwen-GGUF".into(),
        downloads: 5000,
        likes: 1,
        gated: true,
        parameters: Some(4_000_000_000),
    };
    chat.event(Event::Hub(Ok(vec![repo])));
    chat.sees("1 found on the hub")
        .sees("2.4 GB")
        .sees("5000 downloads");
    chat.press("enter");
    assert_eq!(
        chat.effects.last(),
        Some(&Effect::Pull(1, "a/qwen-GGUF".into()))
    );
    chat.event(Event::Hub(Err("no network".into())))
        .sees("The hub: no network");
}

#[test]
fn what_ollama_keeps_beside_a_model_can_be_taken() {
    let mut with = model("kept", Kind::Chat, 1);
    with.model.extras = Some(Extras {
        template: None,
        system: Some("You are brief.".into()),
        parameters: vec![
            ("temperature".into(), "0.3".into()),
            ("num_ctx".into(), "4096".into()),
            ("stop".into(), "<end>".into()),
        ],
        adapters: Vec::new(),
    });
    let mut chat = popup(vec![with]);
    chat.sees("Its own system prompt (Ctrl+S takes it): You are brief.");
    chat.press("ctrl-s")
        .sees("Taken: the system prompt, temperature 0.3, 1 stop strings");
    assert_eq!(chat.state.settings.system, "You are brief.");
    assert_eq!(chat.state.settings.sampling.stop, ["<end>"]);
    assert_eq!(chat.state.settings.sampling.temperature, 0.3);
}

#[test]
fn changing_the_model_says_first_what_reading_again_costs() {
    let mut chat = Harness::new(100, 34);
    chat.send("hello").says("hi").finishes(FinishReason::Stop);
    chat.send("/model");
    chat.event(Event::Models(some()));
    chat.sees("The conversation stays; its 100 tokens are read again with the next message");
    chat.press("esc").send("/model beta");
    chat.sees("The conversation stays; its 100 tokens are read again");
    chat.sees("hello");
}

/// Found by a review: a name that is not there left the chat loading for ever.
#[test]
fn a_model_that_cannot_be_found_at_the_start_asks_for_another() {
    let mut chat = Harness::starting(100, 34, Some("gone"));
    let why = "no model is called gone".to_string();
    chat.engine(engine::Event::Refused(why));
    chat.sees("Which model?")
        .press("esc")
        .sees("Not loaded: no model is called gone.");
}

#[test]
fn where_shows_layers_memory_and_what_was_made_smaller() {
    let mut chat = Harness::new(100, 34);
    let place = |device: &str, layers| Place {
        device: device.into(),
        layers,
        weights: 700_000_000,
        cache: 200_000_000,
        compute: 100_000_000,
    };
    chat.engine(engine::Event::Loaded(ModelFacts {
        file: "a.gguf".into(),
        layers: 20,
        gpu_layers: 15,
        context: 4096,
        places: vec![place("CPU", 6), place("CUDA0", 15)],
        cache_types: ("q8_0".into(), "f16".into()),
        steps: vec!["15 of 21 layers on the GPU".into()],
        adapters: vec![Adapter {
            path: "/l/tone.gguf".into(),
            scale: 0.5,
        }],
        ..ModelFacts::default()
    }));
    chat.sees("GPU 15/21 + tone × 0.5");
    chat.send("/where")
        .sees("CUDA0             15   700.0 MB   200.0 MB   100.0 MB     1.0 GB")
        .sees("keys q8_0, values f16")
        .sees("made smaller  15 of 21 layers on the GPU")
        .sees("adapters      tone × 0.5");
    chat.press("esc").sees_not("Where it runs");
}

#[test]
fn adapters_are_laid_by_command_and_what_the_engine_says_is_told() {
    let mut chat = Harness::new(100, 34);
    chat.send("/adapter")
        .sees("No adapter lies over the model.");
    chat.send("/adapter '/a b/x.gguf':0.5 /y.gguf");
    let adapter = |path: &str, scale| Adapter {
        path: path.into(),
        scale,
    };
    let both = vec![adapter("/a b/x.gguf", 0.5), adapter("/y.gguf", 1.0)];
    assert_eq!(chat.effects, [Effect::Adapt(both.clone())]);
    chat.engine(engine::Event::Adapted(Ok(both)));
    chat.sees("Over the model now: x × 0.5 + y.")
        .sees("CPU + x × 0.5 + y");
    chat.engine(engine::Event::Adapted(Err("it does not fit".into())));
    chat.sees("The adapters stay as they were: it does not fit.");
    chat.send("/adapter none");
    assert_eq!(chat.effects.last(), Some(&Effect::Adapt(Vec::new())));
}

#[test]
fn a_resting_model_a_step_down_and_a_lost_graphics_card_are_told() {
    let mut chat = Harness::new(100, 34);
    chat.engine(engine::Event::Rested).sees("resting");
    chat.send("/where").sees("it takes no memory").press("esc");
    let words = "There is not enough memory: going on with a context of 4096 tokens.";
    chat.engine(engine::Event::Told(words.into())).sees(words);
}

#[test]
fn the_loaded_models_part_of_a_card_counts_as_free() {
    let mut chat = Harness::new(100, 34);
    chat.engine(engine::Event::Loaded(ModelFacts {
        places: vec![Place {
            device: "G".into(),
            weights: 3000,
            ..Place::default()
        }],
        ..ModelFacts::default()
    }));
    chat.engine(engine::Event::Devices(vec![Device {
        name: "G".into(),
        description: String::new(),
        backend: "Vulkan".into(),
        gpu: true,
        shared: false,
        memory_total: 9000,
        memory_free: 1000,
    }]));
    let asked = chat.effects.iter().find_map(|e| match e {
        Effect::FindModels(gpus) => Some(gpus[0].free),
        _ => None,
    });
    assert_eq!(asked, Some(4000));
}
