//! How a model is loaded: what is chosen, what is pinned, what is made smaller,
//! what lies over it, and what happens when it is idle; with the real engine.

use crate::support::engine::{
    Answer, answer, block_on, greedy, loaded, next, program, question, spec, start, until,
};
use crate::support::gguf::Tiny;
use parlor::engine::host::{self, Engine};
use parlor::fit;
use parlor::gguf;
use parlor::protocol::engine::{
    Adapter, Auto, Command, Event, KeepSpec, LoadSpec, ModelFacts, QuantizeSpec,
};
use parlor::protocol::library::Machine;
use parlor::protocol::tuning::{Knob, Tuning};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::tempdir;

fn tuned(model: PathBuf, pins: &[(&str, &str)]) -> LoadSpec {
    let mut spec = spec(model);
    for (name, value) in pins {
        let knob = Knob::find(name).unwrap();
        knob.set(&mut spec.tuning, value).unwrap();
    }
    spec
}

async fn load(engine: &mut Engine, spec: LoadSpec) -> Result<ModelFacts, String> {
    engine.commands.send(Command::Load(spec)).unwrap();
    loop {
        match next(engine).await {
            Event::Loaded(facts) => return Ok(facts),
            Event::LoadFailed(why) => return Err(why),
            _ => {}
        }
    }
}

async fn ask(engine: &mut Engine, id: u64) -> Answer {
    answer(engine, question(id, "hi", greedy(12))).await
}

#[test]
fn the_estimate_is_within_a_tenth_of_what_llama_cpp_takes() {
    let folder = tempdir().unwrap();
    let starter = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/starter/starter.gguf");
    let tiny = |name: &str, layers, context| {
        let tiny = Tiny::random(1).layers(layers).context(context);
        tiny.write(folder.path(), name)
    };
    let models = [
        (starter, "auto"),
        (tiny("a.gguf", 4, 32768), "32768"),
        (tiny("b.gguf", 24, 8192), "8192"),
        (tiny("c.gguf", 48, 4096), "auto"),
    ];
    let machine = Machine {
        memory: 64 << 30,
        ..Machine::default()
    };
    block_on(async {
        for (model, context) in models {
            let spec = tuned(model.clone(), &[("context", context)]);
            let card = gguf::whole_card(&model).unwrap();
            let fit = fit::plan(&card, &machine, &spec.tuning).unwrap();
            let mut engine = start(folder.path());
            let facts = load(&mut engine, spec).await.unwrap();
            let taken: u64 = facts.places.iter().map(|p| p.total()).sum();
            let ratio = fit.total() as f64 / taken as f64;
            assert!(
                (0.9..1.1).contains(&ratio),
                "{}: {} estimated, {taken} taken: {fit:?} {:?}",
                model.display(),
                fit.total(),
                facts.places
            );
        }
    });
}

#[test]
fn what_is_pinned_is_how_it_runs() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(2).write(folder.path(), "a.gguf");
    let pins = [
        ("context", "1024"),
        ("batch", "64"),
        ("ubatch", "32"),
        ("threads-batch", "1"),
        ("cache-type-k", "q8_0"),
        ("cache-type-v", "f32"),
        ("no-mmap", "true"),
        ("device", "none"),
        ("rope-freq-base", "20000"),
        ("override-kv", "llama.context_length=int:4096"),
    ];
    block_on(async {
        let mut engine = start(folder.path());
        let facts = load(&mut engine, tuned(model.clone(), &pins))
            .await
            .unwrap();
        assert_eq!((facts.context, facts.batch, facts.ubatch), (1024, 64, 32));
        assert_eq!(facts.cache_types, ("q8_0".into(), "f32".into()));
        assert_eq!(facts.trained_context, 4096);
        assert_eq!(facts.places.len(), 1);
        assert_eq!(facts.places[0].layers, 3);
        assert!(facts.flash_attention);
        let pinned = ask(&mut engine, 1).await;
        let plain = load(&mut engine, tuned(model, &[])).await.unwrap();
        assert_eq!(plain.trained_context, 2048);
        // Other position frequencies give another text: the pin arrived.
        assert_ne!(ask(&mut engine, 2).await.text, pinned.text);
    });
}

/// Found by a trial: pieces of a prompt were larger than the batch.
#[test]
fn the_smallest_batch_and_the_smallest_context_answer_or_say_why_not() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(2).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = start(folder.path());
        load(&mut engine, tuned(model.clone(), &[])).await.unwrap();
        let usual = ask(&mut engine, 1).await.text;
        for pins in [[("batch", "1")], [("ubatch", "1")], [("batch", "7")]] {
            load(&mut engine, tuned(model.clone(), &pins))
                .await
                .unwrap();
            assert_eq!(ask(&mut engine, 2).await.text, usual, "{pins:?}");
        }
        load(&mut engine, tuned(model, &[("context", "5")]))
            .await
            .unwrap();
        let request = Command::Generate(question(3, "hi", greedy(4)));
        engine.commands.send(request).unwrap();
        loop {
            match next(&mut engine).await {
                Event::Failed(_, why) => {
                    assert!(why.contains("fit the context"), "{why}");
                    break;
                }
                Event::Finished(..) => break,
                _ => {}
            }
        }
    });
}

#[test]
fn what_cannot_be_is_said_before_anything_is_loaded() {
    let folder = tempdir().unwrap();
    let tiny = Tiny::random(2);
    let model = tiny.write(folder.path(), "a.gguf");
    let adapter = tiny.adapter(folder.path(), "lora.gguf", 1);
    block_on(async {
        let mut engine = start(folder.path());
        for (spec, word) in [
            (
                tuned(
                    model.clone(),
                    &[("flash-attention", "off"), ("cache-type-v", "q8_0")],
                ),
                "needs flash attention",
            ),
            (
                tuned(model.clone(), &[("device", "CUDA7")]),
                "there is no device CUDA7; there are CPU",
            ),
            (tuned(adapter, &[]), "is a LoRA adapter"),
            (
                tuned(model.clone(), &[("memory-limit", "1")]),
                "and 1.0 MB can be had",
            ),
            (
                tuned(model, &[("memory-limit", "20"), ("context", "1000000")]),
                "with a context of 1000000 tokens takes",
            ),
        ] {
            let why = load(&mut engine, spec).await.unwrap_err();
            assert!(why.contains(word), "{word}: {why}");
        }
    });
}

#[test]
fn a_stated_budget_makes_the_context_smaller_and_the_model_answers() {
    let folder = tempdir().unwrap();
    // Half a megabyte of cache for 256 tokens.
    let model = Tiny::random(2).layers(8).context(32768);
    let model = model.write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = start(folder.path());
        let spec = tuned(model, &[("memory-limit", "40")]);
        let facts = load(&mut engine, spec).await.unwrap();
        assert!((512..32768).contains(&facts.context), "{}", facts.context);
        let taken: u64 = facts.places.iter().map(|p| p.total()).sum();
        assert!(taken <= 42_000_000, "{taken}");
        assert!(!ask(&mut engine, 1).await.text.is_empty());
    });
}

/// A program that runs the engine after something else.
#[cfg(unix)]
fn script(folder: &Path, before: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("engine.sh");
    let text = format!(
        "#!/bin/sh\n{before}\nexec '{}' \"$@\"\n",
        program().display()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[cfg(unix)]
fn start_script(folder: &Path, before: &str, gpu: bool) -> Engine {
    host::start(host::Options {
        program: script(folder, before),
        log: Some(folder.join("engine.log")),
        gpu,
    })
}

#[cfg(unix)]
#[test]
fn where_memory_cannot_be_had_less_is_taken_step_by_step_and_each_step_is_said() {
    let folder = tempdir().unwrap();
    // Two gigabytes of cache, in a process that may have one.
    let model = Tiny::random(2).layers(128).context(65536);
    let model = model.write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = start_script(folder.path(), "ulimit -v 1000000", false);
        engine
            .commands
            .send(Command::Load(tuned(model, &[])))
            .unwrap();
        let mut told = Vec::new();
        let facts = loop {
            match next(&mut engine).await {
                Event::Told(words) => told.push(words),
                Event::Loaded(facts) => break facts,
                Event::LoadFailed(why) | Event::Died(why) => panic!("{why}"),
                _ => {}
            }
        };
        assert!(!told.is_empty());
        assert_eq!(told.len(), facts.steps.len());
        for (words, step) in told.iter().zip(&facts.steps) {
            assert_eq!(
                *words,
                format!("There is not enough memory: going on with {step}.")
            );
            assert!(step.starts_with("a context of "), "{step}");
        }
        assert!(facts.context < 32768);
        assert!(!ask(&mut engine, 1).await.text.is_empty());
    });
}

#[cfg(unix)]
#[test]
fn an_engine_that_dies_with_a_graphics_card_is_tried_again_without_one() {
    let folder = tempdir().unwrap();
    let model = Tiny::saying(&["ok"]).write(folder.path(), "a.gguf");
    let once = folder.path().join("died");
    let die = format!(
        "[ -e '{0}' ] || {{ touch '{0}'; kill -9 $$; }}",
        once.display()
    );
    block_on(async {
        let mut engine = start_script(folder.path(), &die, true);
        engine.commands.send(Command::Load(spec(model))).unwrap();
        let told = until(&mut engine, |e| matches!(e, Event::Told(_))).await;
        let Event::Told(words) = told else { panic!() };
        assert!(words.starts_with("The graphics card failed"), "{words}");
        assert!(words.ends_with("Going on with the processor alone."));
        until(&mut engine, |e| matches!(e, Event::Loaded(_))).await;
        assert_eq!(ask(&mut engine, 1).await.text, "ok");
    });
}

async fn adapt(engine: &mut Engine, adapters: &[(&Path, f32)]) -> Result<Vec<Adapter>, String> {
    let adapters = adapters.iter().map(|(path, scale)| Adapter {
        path: path.to_path_buf(),
        scale: *scale,
    });
    let adapters = adapters.collect();
    engine.commands.send(Command::Adapt(adapters)).unwrap();
    match until(engine, |e| matches!(e, Event::Adapted(_))).await {
        Event::Adapted(laid) => laid,
        _ => unreachable!(),
    }
}

#[test]
fn adapters_are_laid_stacked_scaled_and_taken_off_without_loading_again() {
    let folder = tempdir().unwrap();
    let tiny = Tiny::random(5);
    let model = tiny.write(folder.path(), "a.gguf");
    let one = tiny.adapter(folder.path(), "one.gguf", 1);
    let two = tiny.adapter(folder.path(), "two.gguf", 2);
    block_on(async {
        let mut engine = loaded(folder.path(), model.clone()).await;
        let pid = *engine.pid.borrow();
        let plain = ask(&mut engine, 1).await.text;
        adapt(&mut engine, &[(&one, 1.0)]).await.unwrap();
        let with_one = ask(&mut engine, 2).await.text;
        adapt(&mut engine, &[(&one, 1.0), (&two, 1.0)])
            .await
            .unwrap();
        let with_both = ask(&mut engine, 3).await.text;
        adapt(&mut engine, &[(&one, 0.0)]).await.unwrap();
        assert_eq!(ask(&mut engine, 4).await.text, plain);
        let laid = adapt(&mut engine, &[(&two, 1.0), (&one, 1.0)])
            .await
            .unwrap();
        assert_eq!(laid.len(), 2);
        assert_eq!(ask(&mut engine, 5).await.text, with_both);
        adapt(&mut engine, &[]).await.unwrap();
        assert_eq!(ask(&mut engine, 6).await.text, plain);
        assert_ne!(with_one, plain);
        assert_ne!(with_both, with_one);
        assert_eq!(*engine.pid.borrow(), pid);

        // From the beginning, it is the same.
        let mut from_start = spec(model);
        from_start.adapters = vec![Adapter {
            path: one,
            scale: 1.0,
        }];
        let facts = load(&mut engine, from_start).await.unwrap();
        assert_eq!(facts.adapters.len(), 1);
        assert_eq!(ask(&mut engine, 7).await.text, with_one);
    });
}

#[test]
fn an_adapter_of_another_model_is_refused_and_those_before_stay() {
    let folder = tempdir().unwrap();
    let tiny = Tiny::random(5);
    let model = tiny.write(folder.path(), "a.gguf");
    let good = tiny.adapter(folder.path(), "good.gguf", 1);
    // Of more layers than the model has.
    let foreign = Tiny::random(5)
        .layers(3)
        .adapter(folder.path(), "x.gguf", 1);
    let broken = folder.path().join("broken.gguf");
    fs::write(&broken, &fs::read(&good).unwrap()[..200]).unwrap();
    block_on(async {
        let mut engine = loaded(folder.path(), model.clone()).await;
        adapt(&mut engine, &[(&good, 1.0)]).await.unwrap();
        let before = ask(&mut engine, 1).await.text;
        for (path, word) in [
            (foreign.as_path(), "does not fit this model"),
            (model.as_path(), "is not a LoRA adapter but a whole model"),
            (broken.as_path(), "cut short"),
            (Path::new("/nowhere/x.gguf"), "/nowhere/x.gguf"),
        ] {
            let why = adapt(&mut engine, &[(path, 1.0)]).await.unwrap_err();
            assert!(why.contains(word), "{word}: {why}");
        }
        assert_eq!(ask(&mut engine, 2).await.text, before);
    });
}

#[test]
fn an_idle_model_lets_go_of_its_memory_and_comes_back_with_nothing_read_again() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(3).write(folder.path(), "a.gguf");
    let mut spec = tuned(model, &[("unload-after", "1s")]);
    spec.keep = Some(KeepSpec {
        folder: folder.path().join("states"),
        limit: u64::MAX,
    });
    let long = "many words ".repeat(30);
    let asked = |id| {
        let mut request = question(id, &long, greedy(4));
        request.conversation = Some("one".into());
        request
    };
    block_on(async {
        let mut engine = start(folder.path());
        load(&mut engine, spec).await.unwrap();
        let first = answer(&mut engine, asked(1)).await;
        until(&mut engine, |e| *e == Event::Rested).await;
        assert_eq!(*engine.pid.borrow(), None);
        let again = answer(&mut engine, asked(2)).await;
        assert_eq!(again.text, first.text);
        let usage = again.finish.usage;
        assert_eq!(usage.cached_tokens, usage.prompt_tokens - 1, "{usage:?}");
    });
}

/// Found by a review: asking for the devices started a process without a model,
/// and the next message waited for ever.
#[test]
fn a_resting_engine_that_is_asked_for_its_devices_still_answers() {
    let folder = tempdir().unwrap();
    let model = Tiny::saying(&["ok"]).write(folder.path(), "a.gguf");
    block_on(async {
        let mut engine = start(folder.path());
        load(&mut engine, tuned(model, &[("unload-after", "1s")]))
            .await
            .unwrap();
        until(&mut engine, |e| *e == Event::Rested).await;
        engine.commands.send(Command::Devices).unwrap();
        until(&mut engine, |e| matches!(e, Event::Devices(_))).await;
        assert_eq!(ask(&mut engine, 1).await.text, "ok");
        // And at the same time.
        until(&mut engine, |e| *e == Event::Rested).await;
        engine.commands.send(Command::Devices).unwrap();
        assert_eq!(ask(&mut engine, 2).await.text, "ok");
    });
}

#[test]
fn a_model_is_quantised_with_progress_whole_or_not_at_all() {
    let folder = tempdir().unwrap();
    let model = Tiny::random(3).write(folder.path(), "a.gguf");
    let small = folder.path().join("small.gguf");
    let ordered = |from: &Path, to: &Path, kind: &str| {
        Command::Quantize(QuantizeSpec {
            from: from.into(),
            to: to.into(),
            kind: kind.into(),
            threads: Auto::Set(1),
            again: false,
        })
    };
    block_on(async {
        let mut engine = start(folder.path());
        engine
            .commands
            .send(ordered(&model, &small, "q8_0"))
            .unwrap();
        let mut progress = Vec::new();
        let written = loop {
            match next(&mut engine).await {
                Event::Quantizing(permille) => progress.push(permille),
                Event::Quantized(written) => break written,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(written, Ok(fs::metadata(&small).unwrap().len()));
        assert!(progress.is_sorted() && progress.len() > 5, "{progress:?}");
        assert_eq!(gguf::whole_card(&small).unwrap().quantization, "Q8_0");
        let facts = load(&mut engine, spec(small.clone())).await.unwrap();
        assert_eq!(facts.layers, 2);
        drop(engine);

        let nowhere = folder.path().join("no/where.gguf");
        let other = folder.path().join("other.gguf");
        for (from, to, kind, word) in [
            (&small, &other, "Q4_0", "quantised already"),
            (&model, &nowhere, "Q8_0", "cannot be written"),
            (&model, &other, "Q9", "there is no type Q9"),
        ] {
            let mut engine = start(folder.path());
            engine.commands.send(ordered(from, to, kind)).unwrap();
            let ended = until(&mut engine, |e| matches!(e, Event::Quantized(_))).await;
            let Event::Quantized(Err(why)) = ended else {
                panic!("{kind}: {ended:?}")
            };
            assert!(why.contains(word), "{word}: {why}");
        }
        assert!(!other.exists());
        let left = fs::read_dir(folder.path()).unwrap();
        let draft = left
            .filter_map(|e| e.ok())
            .any(|e| e.path().extension().is_some_and(|e| e == "quantizing"));
        assert!(!draft, "a draft was left behind");
    });
}

#[test]
fn on_a_graphics_card_all_layers_come_first_then_the_context_then_some_layers() {
    use parlor::protocol::library::{Gpu, Verdict};
    let folder = tempdir().unwrap();
    let model = Tiny::random(2).layers(16).context(32768);
    let card = gguf::whole_card(&model.write(folder.path(), "a.gguf")).unwrap();
    let margin = 256 << 20;
    let planned = |gpu_megabytes: u64, memory_megabytes: u64, context: &str| {
        let machine = Machine {
            memory: margin + memory_megabytes * 1_000_000,
            gpus: vec![Gpu {
                name: "G".into(),
                free: margin + gpu_megabytes * 1_000_000,
                shared: false,
            }],
            ..Machine::default()
        };
        let mut tuning = Tuning::default();
        let knob = Knob::find("context").unwrap();
        knob.set(&mut tuning, context).unwrap();
        fit::plan(&card, &machine, &tuning)
    };
    // 131 MB of cache for all tokens, 33 MB of computing buffers.
    let roomy = planned(400, 1000, "auto").unwrap();
    assert_eq!(
        (roomy.verdict, roomy.gpu_layers, roomy.context),
        (Verdict::Gpu, 17, 32768)
    );
    let tight = planned(110, 1000, "auto").unwrap();
    assert_eq!((tight.verdict, tight.gpu_layers), (Verdict::Gpu, 17));
    assert!((8192..32768).contains(&tight.context), "{}", tight.context);
    let pinned = planned(110, 1000, "32768").unwrap();
    assert_eq!((pinned.verdict, pinned.context), (Verdict::Partly, 32768));
    assert!(
        (1..17).contains(&pinned.gpu_layers),
        "{}",
        pinned.gpu_layers
    );
    let none = planned(10, 1000, "auto").unwrap();
    assert_eq!((none.verdict, none.gpu_layers), (Verdict::Memory, 0));
    let too_big = planned(1, 3, "auto").unwrap_err();
    assert!(
        too_big
            .to_string()
            .contains("of memory, and 3.0 MB can be had")
    );
}
