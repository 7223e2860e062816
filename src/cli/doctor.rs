//! `parlor doctor`: what this machine has, and what is missing.

use super::setup::Asked;
use super::{Fail, output, setup};
use crate::chat::text::sanitise;
use crate::config::{Config, paths};
use crate::protocol::engine::{Command, Device, Event};
use serde_json::json;
use std::io::IsTerminal;

/// One line of the report.
struct Finding {
    name: &'static str,
    words: String,
    /// Something needed is missing.
    bad: bool,
}

pub fn run(json: bool, asked: &Asked) -> Result<(), Fail> {
    let devices = setup::run(async { Ok(devices().await) })?;
    let loaded = setup::config();
    let config = loaded.as_ref().cloned().unwrap_or_default();
    let mut findings = machine();
    findings.extend(engine(&devices));
    findings.push(configuration(loaded.err()));
    findings.push(model(&config, asked));
    findings.push(log());
    findings.extend(terminal());
    let missing = findings.iter().any(|f| f.bad);
    let report = if json {
        let entries: serde_json::Map<_, _> = findings
            .iter()
            .map(|f| (f.name.to_string(), json!({"value": f.words, "ok": !f.bad})))
            .collect();
        let devices = devices.unwrap_or_default();
        let devices: Vec<_> = devices.iter().map(device_object).collect();
        output::json_line(&json!({"ok": !missing, "findings": entries, "devices": devices}))
    } else {
        findings.iter().map(line).collect()
    };
    output::print(&report)?;
    if missing { Err(Fail::Reported) } else { Ok(()) }
}

fn line(finding: &Finding) -> String {
    let mark = if finding.bad { "✗" } else { " " };
    format!("{mark} {:<10} {}\n", finding.name, sanitise(&finding.words))
}

fn found(name: &'static str, words: impl Into<String>) -> Finding {
    Finding {
        name,
        words: words.into(),
        bad: false,
    }
}

fn missing(name: &'static str, words: impl Into<String>) -> Finding {
    Finding {
        bad: true,
        ..found(name, words)
    }
}

fn device_object(d: &Device) -> serde_json::Value {
    json!({
        "name": d.name, "description": d.description, "backend": d.backend, "gpu": d.gpu,
        "memory_total": d.memory_total, "memory_free": d.memory_free,
    })
}

pub async fn devices() -> Result<Vec<Device>, String> {
    let mut engine = setup::engine().map_err(|e| e.to_string())?;
    let _ = engine.commands.send(Command::Devices);
    while let Some(event) = engine.events.recv().await {
        match event {
            Event::Devices(devices) => return Ok(devices),
            Event::LoadFailed(why) | Event::Died(why) | Event::Failed(_, why) => return Err(why),
            _ => {}
        }
    }
    Err("the engine ended without an answer".into())
}

fn machine() -> Vec<Finding> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let cores = sysinfo::System::physical_core_count().unwrap_or(threads);
    vec![
        found("parlor", env!("CARGO_PKG_VERSION")),
        found(
            "processor",
            format!("{cores} cores, {threads} threads for this process"),
        ),
        found(
            "memory",
            format!(
                "{} in all, {} available",
                gib(system.total_memory()),
                gib(system.available_memory())
            ),
        ),
    ]
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
}

/// GPU backends that this binary was built with.
fn built_in() -> String {
    let backends = [
        ("CUDA", cfg!(feature = "cuda")),
        ("Vulkan", cfg!(feature = "vulkan")),
        (
            "Metal",
            cfg!(feature = "metal") || cfg!(target_os = "macos"),
        ),
        ("ROCm", cfg!(feature = "rocm")),
    ];
    let names: Vec<&str> = backends
        .iter()
        .filter(|(_, on)| *on)
        .map(|(name, _)| *name)
        .collect();
    if names.is_empty() {
        "none; runs on the processor".into()
    } else {
        names.join(", ")
    }
}

fn engine(devices: &Result<Vec<Device>, String>) -> Vec<Finding> {
    let mut findings = vec![found("backends", built_in())];
    match devices {
        Err(why) => findings.push(missing("engine", format!("does not start: {why}"))),
        Ok(devices) => {
            findings.push(found("engine", "starts"));
            findings.extend(devices.iter().map(|d| {
                let kind = if d.gpu { "GPU" } else { "CPU" };
                found(
                    "device",
                    format!(
                        "{kind} {}: {}, {} free",
                        d.name,
                        d.description,
                        gib(d.memory_free)
                    ),
                )
            }));
        }
    }
    findings
}

fn configuration(error: Option<Fail>) -> Finding {
    let path = paths::config_file();
    match (path, error) {
        (_, Some(error)) => missing("config", error.to_string()),
        (Some(path), None) if path.exists() => found("config", path.display().to_string()),
        (Some(path), None) => found(
            "config",
            format!("{} (not there; defaults)", path.display()),
        ),
        (None, None) => found("config", "no home folder; defaults"),
    }
}

fn model(config: &Config, asked: &Asked) -> Finding {
    match setup::spec(config, asked) {
        Err(why) => missing("model", why.to_string()),
        Ok(spec) => match std::fs::File::open(&spec.model) {
            Ok(_) => found("model", spec.model.display().to_string()),
            Err(e) => missing("model", format!("{}: {e}", spec.model.display())),
        },
    }
}

fn log() -> Finding {
    match paths::engine_log() {
        Some(path) => found("log", path.display().to_string()),
        None => found("log", "none: no home folder"),
    }
}

fn terminal() -> Vec<Finding> {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let mut words = vec![if var("TERM").is_empty() {
        "TERM not set".into()
    } else {
        var("TERM")
    }];
    if !std::io::stdout().is_terminal() {
        words.push("output is not a terminal".into());
    }
    if let Ok((width, height)) = crossterm::terminal::size() {
        words.push(format!("{width}×{height}"));
    }
    words.push(match var("COLORTERM").as_str() {
        "truecolor" | "24bit" => "true colour".into(),
        _ => "16 colours or more".into(),
    });
    if set("NO_COLOR") {
        words.push("NO_COLOR is set".into());
    }
    let clipboard = if set("SSH_CONNECTION") || set("SSH_TTY") {
        "through the terminal (OSC 52): this is an SSH session"
    } else if cfg!(unix) && !cfg!(target_os = "macos") && !set("DISPLAY") && !set("WAYLAND_DISPLAY")
    {
        "through the terminal (OSC 52): no display"
    } else {
        "the system's"
    };
    vec![
        found("terminal", words.join(", ")),
        found("clipboard", clipboard),
    ]
}
