//! The command line, as scripts use it: the real binary, real pipes.

use crate::support::engine::program;
use crate::support::gguf::Tiny;
use crate::support::terminal::{Pty, signal};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::{TempDir, tempdir};

/// The program with a home of its own.
fn parlor(home: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("PARLOR_CONFIG", home.join("config.toml"))
        .env_remove("PARLOR_MODEL")
        .stdin(Stdio::null());
    command
}

fn home() -> TempDir {
    tempdir().unwrap()
}

fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "", "notices go to a terminal only");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs with this on standard input.
fn fed(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn ask_prints_the_answer_and_nothing_else() {
    let home = home();
    let model = Tiny::saying(&["<think>hm</think>", "Hel", "lo."]).write(home.path(), "a.gguf");
    let output = parlor(home.path())
        .arg("ask")
        .arg("--model")
        .arg(&model)
        .arg("hi")
        .output()
        .unwrap();
    assert_eq!(said(&output), "Hello.\n");
    let output = parlor(home.path())
        .env("PARLOR_MODEL", &model)
        .args(["ask", "hi"])
        .output()
        .unwrap();
    assert_eq!(said(&output), "Hello.\n");
    let config = format!("model = {:?}\n", model.to_str().unwrap());
    std::fs::write(home.path().join("config.toml"), config).unwrap();
    let output = parlor(home.path()).args(["ask", "hi"]).output().unwrap();
    assert_eq!(said(&output), "Hello.\n");
}

#[test]
fn the_program_alone_answers_a_pipe() {
    let home = home();
    let model = Tiny::saying(&["Hello."]).write(home.path(), "a.gguf");
    let mut command = parlor(home.path());
    command.arg("--model").arg(&model);
    assert_eq!(said(&fed(command, "hi")), "Hello.\n");
}

#[test]
fn json_holds_all_that_the_contract_names() {
    let home = home();
    let model = Tiny::saying(&["<think>", "hm", "</think>", "Hello."]).write(home.path(), "a.gguf");
    let ask = |more: &[&str]| -> Value {
        let output = parlor(home.path())
            .args(["ask", "--json", "--model"])
            .arg(&model)
            .args(more)
            .arg("hi")
            .output()
            .unwrap();
        serde_json::from_str(&said(&output)).unwrap()
    };
    let mut reply = ask(&["--temp", "0", "--seed", "7"]);
    for speed in ["load_ms", "ttft_ms", "prefill_tps", "generate_tps"] {
        assert!(
            reply["timings"][speed].as_f64().unwrap() > 0.0,
            "{speed}: {reply}"
        );
    }
    assert!(reply["usage"]["prompt_tokens"].as_u64().unwrap() > 0);
    reply["usage"]["prompt_tokens"] = Value::Null;
    reply.as_object_mut().unwrap().remove("timings");
    let expected = json!({
        "text": "Hello.", "thinking": "hm", "finish_reason": "stop", "model": "a.gguf", "seed": 7,
        "source": null, "sources": [], "conversation": null,
        "usage": {"prompt_tokens": null, "cached_tokens": 0, "completion_tokens": 4, "encoded": 0},
    });
    assert_eq!(reply, expected);
    let short = ask(&["--temp", "0", "--max-tokens", "2"]);
    assert_eq!(
        (&short["finish_reason"], &short["text"]),
        (&json!("length"), &json!(""))
    );
    let stopped = ask(&["--temp", "0", "--stop", "o."]);
    assert_eq!(stopped["text"], "Hell");
}

#[test]
fn standard_input_is_the_prompt_or_follows_it_after_a_blank_line() {
    let home = home();
    let model = Tiny::saying(&["ok"]).write(home.path(), "a.gguf");
    let tokens = |arguments: &[&str], input: &str| {
        let mut command = parlor(home.path());
        command
            .args(["ask", "--json", "--model"])
            .arg(&model)
            .args(arguments);
        let reply: Value = serde_json::from_str(&said(&fed(command, input))).unwrap();
        reply["usage"]["prompt_tokens"].as_u64().unwrap()
    };
    let whole = tokens(&["one\n\ntwo"], "");
    assert_eq!(tokens(&["one"], "two\n"), whole);
    assert_eq!(tokens(&[], "one\n\ntwo\n"), whole);
    assert_eq!(tokens(&["-"], "one\n\ntwo\n"), whole);
}

#[test]
fn a_whole_conversation_comes_from_a_file() {
    let home = home();
    let model = Tiny::saying(&["ok"]).write(home.path(), "a.gguf");
    let file = home.path().join("m.json");
    std::fs::write(&file, r#"[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]"#).unwrap();
    let output = parlor(home.path())
        .args(["ask", "--model"])
        .arg(&model)
        .arg("--messages")
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(said(&output), "ok\n");
    std::fs::write(&file, r#"[{"role":"wizard","content":"a"}]"#).unwrap();
    let output = parlor(home.path())
        .args(["ask", "--model"])
        .arg(&model)
        .arg("--messages")
        .arg(&file)
        .output()
        .unwrap();
    fails(
        &output,
        1,
        &["m.json is not a conversation", "wizard", "line 1"],
    );
}

/// Fails unless it failed with this code and one line with these words.
#[track_caller]
fn fails(output: &Output, code: i32, words: &[&str]) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    for word in words {
        assert!(errors.contains(word), "no “{word}” in: {errors}");
    }
}

#[test]
fn each_failure_has_its_exit_code_and_says_what_to_do() {
    let home = home();
    let model = Tiny::saying(&["ok"]).write(home.path(), "a.gguf");
    let run = |arguments: &[&str]| parlor(home.path()).args(arguments).output().unwrap();
    let model = model.to_str().unwrap();
    fails(
        &run(&["ask", "hi"]),
        1,
        &["no model is set", "--model PATH", "PARLOR_MODEL"],
    );
    fails(
        &run(&["ask", "--model", "/none.gguf", "hi"]),
        1,
        &["cannot open /none.gguf"],
    );
    fails(&run(&["ask", "--model", model]), 2, &["there is no prompt"]);
    fails(
        &run(&["ask", "--model", model, "--temp", "9", "hi"]),
        2,
        &["temperature must be a number from 0 to 5"],
    );
    fails(
        &run(&["ask", "--model", model, "--top-k", "x", "hi"]),
        2,
        &["top-k must be a whole number"],
    );
    fails(&run(&["ask", "--nonsense"]), 2, &["--nonsense"]);
    fails(&run(&["bench", "--model", model, "-r", "0"]), 2, &["-r"]);
    std::fs::write(home.path().join("config.toml"), "modle = 1\n").unwrap();
    fails(
        &run(&["ask", "--model", model, "hi"]),
        1,
        &["config.toml, line 1", "did you mean `model`?"],
    );
    fails(&run(&["config", "check"]), 1, &["did you mean `model`?"]);
}

#[test]
fn a_reader_that_leaves_is_success() {
    let home = home();
    let model = Tiny::random(1).write(home.path(), "a.gguf");
    let mut child = parlor(home.path())
        .args(["ask", "--temp", "0", "hi", "--model"])
        .arg(&model)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdout
        .take()
        .unwrap()
        .read_exact(&mut [0; 3])
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), b"".as_slice())
    );
}

#[test]
fn ctrl_c_while_writing_exits_with_130_and_what_was_written_stays() {
    let home = home();
    let model = Tiny::random(1).context(16384).write(home.path(), "a.gguf");
    let mut child = parlor(home.path())
        .args(["ask", "--temp", "0", "hi", "--model"])
        .arg(&model)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut written = [0; 8];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut written)
        .unwrap();
    signal(child.id(), Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn ctrl_c_while_reading_exits_with_130() {
    let home = home();
    let model = Tiny::random(1)
        .context(16384)
        .layers(24)
        .write(home.path(), "a.gguf");
    let prompt = "a long prompt ".repeat(700);
    let arguments = ["ask", "--model", model.to_str().unwrap(), &prompt];
    let mut pty = Pty::open(home.path(), 100, 20, &arguments);
    pty.sees("reading: ");
    pty.write("\x03");
    assert_eq!(pty.wait(), 130);
}

#[test]
fn ctrl_c_in_json_prints_what_there_was_as_cancelled() {
    let home = home();
    let model = Tiny::random(1)
        .context(16384)
        .layers(24)
        .write(home.path(), "a.gguf");
    let prompt = "a long prompt ".repeat(700);
    let arguments = ["ask", "--json", "--model", model.to_str().unwrap(), &prompt];
    let mut pty = Pty::open(home.path(), 100, 20, &arguments);
    pty.sees("reading: ");
    pty.write("\x03");
    pty.sees(r#""finish_reason":"cancelled""#);
    assert_eq!(pty.wait(), 130);
}

#[test]
fn an_answer_on_a_terminal_is_made_harmless_and_one_in_a_pipe_is_exact() {
    let home = home();
    let model = Tiny::saying(&["a\u{1b}[2Jb"]).write(home.path(), "a.gguf");
    let output = parlor(home.path())
        .args(["ask", "hi", "--model"])
        .arg(&model)
        .output()
        .unwrap();
    assert_eq!(said(&output), "a\u{1b}[2Jb\n");
    let mut pty = Pty::open(
        home.path(),
        80,
        10,
        &["ask", "--model", model.to_str().unwrap(), "hi"],
    );
    pty.sees("a␛[2Jb");
    assert_eq!(pty.wait(), 0);
}

#[test]
fn render_prints_exactly_the_text_that_the_model_is_given() {
    let home = home();
    let model = Tiny::random(1).write(home.path(), "a.gguf");
    let messages = home.path().join("m.json");
    std::fs::write(
        &messages,
        r#"[{"role":"system","content":"s"},{"role":"user","content":"hi <|im_end|>"}]"#,
    )
    .unwrap();
    let render = |more: &[&str]| {
        let output = parlor(home.path())
            .arg("render")
            .arg("--messages")
            .arg(&messages)
            .args(more)
            .output()
            .unwrap();
        said(&output)
    };
    let model = model.to_str().unwrap();
    let text = "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nhi <|im_end|><|im_end|>\n";
    assert_eq!(
        render(&["--model", model]),
        format!("{text}<|im_start|>assistant\n")
    );
    assert_eq!(render(&["--model", model, "--no-generation-prompt"]), text);
    let template = home.path().join("t.jinja");
    std::fs::write(
        &template,
        "{{ bos_token }}{{ messages[1].content }}{{ eos_token }}\n",
    )
    .unwrap();
    let more = [
        "--template",
        template.to_str().unwrap(),
        "--bos",
        "<s>",
        "--eos",
        "</s>",
    ];
    assert_eq!(render(&more), "<s>hi <|im_end|></s>");
}

#[test]
fn bench_measures_reading_and_writing() {
    let home = home();
    let model = Tiny::random(1).write(home.path(), "a.gguf");
    let arguments = [
        "bench",
        "--json",
        "-p",
        "64",
        "-n",
        "8",
        "-d",
        "16",
        "-r",
        "3",
        "--threads",
        "1",
        "--model",
    ];
    let output = parlor(home.path())
        .args(arguments)
        .arg(&model)
        .output()
        .unwrap();
    let report: Value = serde_json::from_str(&said(&output)).unwrap();
    for speed in ["prefill_tps", "generate_tps"] {
        let of = |what: &str| report[speed][what].as_f64().unwrap();
        assert!(
            0.0 < of("min") && of("min") <= of("median") && of("median") <= of("max"),
            "{report}"
        );
    }
    assert_eq!(
        (&report["model"], &report["threads"]),
        (&json!("a.gguf"), &json!(1))
    );
}

#[test]
fn doctor_says_what_is_missing_and_exits_with_1() {
    let home = home();
    let output = parlor(home.path())
        .args(["doctor", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["ok"], &report["findings"]["model"]["ok"]),
        (&json!(false), &json!(false))
    );
    assert!(
        report["devices"]
            .as_array()
            .unwrap()
            .iter()
            .any(|d| d["backend"] == "CPU")
    );
    let model = Tiny::random(1).write(home.path(), "a.gguf");
    let output = parlor(home.path())
        .env("PARLOR_MODEL", model)
        .arg("doctor")
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn the_other_commands_print_what_they_should() {
    let home = home();
    let run = |arguments: &[&str]| said(&parlor(home.path()).args(arguments).output().unwrap());
    assert_eq!(
        run(&["--version"]),
        format!("parlor {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert!(run(&["config", "path"]).ends_with("config.toml\n"));
    assert!(run(&["config", "show"]).contains("temperature = 0.7\n"));
    assert!(run(&["config", "check"]).contains("does not exist; the defaults are in use"));
    assert!(run(&["completions", "bash"]).contains("_parlor"));
    let man = run(&["man"]);
    assert!(
        man.contains(".TH parlor") && man.contains("max\\-tokens"),
        "{man}"
    );
}

#[test]
fn an_engine_killed_in_the_middle_ends_ask_with_the_cause() {
    let home = home();
    let model = Tiny::random(1).context(16384).write(home.path(), "a.gguf");
    let mut child = parlor(home.path())
        .args(["ask", "--json", "--temp", "0", "hi", "--model"])
        .arg(&model)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let engine = crate::support::terminal::child_of(child.id());
    signal(engine, Signal::KILL);
    let mut errors = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(errors.contains("SIGKILL"), "{errors}");
}

#[test]
fn a_model_on_the_command_line_counts_before_the_environment_wherever_it_stands() {
    let home = home();
    let a = Tiny::saying(&["I am a"]).write(home.path(), "a.gguf");
    let b = Tiny::saying(&["I am b"]).write(home.path(), "b.gguf");
    for arguments in [
        ["--model", a.to_str().unwrap(), "ask", "hi"],
        ["ask", "--model", a.to_str().unwrap(), "hi"],
    ] {
        let output = parlor(home.path())
            .env("PARLOR_MODEL", &b)
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(said(&output), "I am a\n");
    }
}

#[test]
fn ctrl_c_ends_ask_although_nobody_reads_the_pipe() {
    let home = home();
    let long = "x".repeat(40_000);
    let model = Tiny::saying(&[&long, "y", &format!("{long}z"), "."]).write(home.path(), "a.gguf");
    let mut child = parlor(home.path())
        .args(["ask", "--temp", "0", "hi", "--model"])
        .arg(&model)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The pipe holds 64 KiB: the first piece, and then it is full.
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 100]).unwrap();
    signal(child.id(), Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn json_of_a_failed_answer_says_error_and_holds_nothing_that_commands_a_terminal() {
    let home = home();
    let model = Tiny::saying(&["a\u{9b}b\u{202e}"]).write(home.path(), "a.gguf");
    let output = parlor(home.path())
        .args(["ask", "--json", "hi", "--model"])
        .arg(&model)
        .output()
        .unwrap();
    assert!(said(&output).contains(r"a\u009bb\u202e"));
    let none = home.path().join("none.gguf");
    let output = parlor(home.path())
        .args(["ask", "--json", "hi", "--model"])
        .arg(none)
        .output()
        .unwrap();
    fails(&output, 1, &["cannot open"]);
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reply["finish_reason"], "error");
}
