//! Renders a conversation with a model's own Jinja chat template, with the
//! settings and extras that Hugging Face's `apply_chat_template` gives it.

use crate::chat::Message;
use minijinja::value::{Kwargs, Serde, Value, ValueKind};
use minijinja::{Environment, ErrorKind};
use serde::Serialize;

/// The template for models that carry none.
pub const CHATML: &str = "{% for message in messages %}<|im_start|>{{ message.role }}\n\
    {{ message.content }}<|im_end|>\n{% endfor %}\
    {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/// Steps that a template may take: plenty for long conversations, and the end
/// of a hostile loop in under a second.
const FUEL: u64 = 20_000_000;

/// A template that does not parse, or that raised an exception.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("the chat template cannot be read: {0}")]
    Parse(String),
    #[error("the chat template refused this conversation: {0}")]
    Raised(String),
    #[error("the chat template failed: {0}")]
    Failed(String),
}

/// What a template is given apart from the messages.
#[derive(Debug, Clone, Default)]
pub struct Context {
    pub bos: String,
    pub eos: String,
    /// Whether to end with the opening of the assistant's turn.
    pub generation_prompt: bool,
}

/// Exactly the text that the model is given.
pub fn render(
    template: &str,
    messages: &[Message],
    context: &Context,
) -> Result<String, TemplateError> {
    let env = environment();
    // Marks for training, of no effect when rendering; minijinja knows no such
    // tags.
    let template = strip_generation_tags(template);
    let template = env
        .template_from_str(&template)
        .map_err(|e| TemplateError::Parse(message_of(&e)))?;
    template
        .render(minijinja::context! {
            messages => Value::from(Serde(messages)),
            add_generation_prompt => context.generation_prompt,
            bos_token => context.bos.as_str(),
            eos_token => context.eos.as_str(),
            tools => Value::from(()),
            documents => Value::from(()),
        })
        .map_err(|e| {
            raised(&e).map_or_else(
                || TemplateError::Failed(message_of(&e)),
                TemplateError::Raised,
            )
        })
}

const RAISED: &str = "\u{1}raised\u{1}";

/// The words of `raise_exception`, if that is where the error comes from.
fn raised(error: &minijinja::Error) -> Option<String> {
    error.detail()?.strip_prefix(RAISED).map(str::to_string)
}

fn message_of(error: &minijinja::Error) -> String {
    let what = error.detail().map_or_else(
        || error.kind().to_string(),
        |d| format!("{}: {d}", error.kind()),
    );
    match error.line() {
        Some(line) => format!("{what} (line {line} of the template)"),
        None => what,
    }
}

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    let mut syntax = env.syntax().to_builder();
    if let Ok(syntax) = syntax.trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(200);
    env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    minijinja_contrib::add_to_environment(&mut env);
    env.add_function("raise_exception", |words: String| -> Result<Value, _> {
        Err(minijinja::Error::new(
            ErrorKind::InvalidOperation,
            format!("{RAISED}{words}"),
        ))
    });
    env.add_function("strftime_now", strftime_now);
    env.add_filter("tojson", tojson);
    env.add_test("iterable", is_iterable);
    env
}

/// Python's view of it: `none` is not iterable, although minijinja iterates
/// over it as over nothing. Templates ask before they take `tools | length`.
fn is_iterable(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable | ValueKind::String => true,
        // Jinja's undefined is an empty sequence.
        kind => kind == ValueKind::Undefined,
    }
}

fn strftime_now(format: &str) -> Result<String, minijinja::Error> {
    let now = jiff::ZonedDateTime::now();
    jiff::fmt::strtime::format(format, &now)
        .map_err(|e| minijinja::Error::new(ErrorKind::InvalidOperation, e.to_string()))
}

/// Python's `json.dumps(value, ensure_ascii=False)`: keys in their order, a
/// space after `,` and `:`, nothing escaped for HTML.
fn tojson(value: &Value, kwargs: Kwargs) -> Result<Value, minijinja::Error> {
    if value.kind() == ValueKind::Undefined {
        let message = "Object of type Undefined is not JSON serializable";
        return Err(minijinja::Error::new(ErrorKind::BadSerialization, message));
    }
    let indent: Option<usize> = kwargs.get("indent")?;
    for ignored in ["ensure_ascii", "sort_keys", "separators"] {
        let _: Option<Value> = kwargs.get(ignored)?;
    }
    kwargs.assert_all_used()?;
    let mut out = Vec::new();
    let written = match indent {
        Some(n) => {
            let spaces = " ".repeat(n.min(16));
            let pretty = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(
                &mut out, pretty,
            ))
        }
        None => value.serialize(&mut serde_json::Serializer::with_formatter(
            &mut out,
            PythonSpacing,
        )),
    };
    written.map_err(|e| minijinja::Error::new(ErrorKind::BadSerialization, e.to_string()))?;
    Ok(Value::from_safe_string(
        String::from_utf8_lossy(&out).into_owned(),
    ))
}

struct PythonSpacing;

impl serde_json::ser::Formatter for PythonSpacing {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

/// Turns `{% generation %}` and `{% endgeneration %}` into comments, which
/// keeps the white space around them as Jinja has it.
fn strip_generation_tags(template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find("{%") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find("%}") else { break };
        let tag = &rest[2..end];
        let word = tag.trim_matches(['-', '+']).trim();
        if word == "generation" || word == "endgeneration" {
            let open = if tag.starts_with('-') { "{#-" } else { "{#" };
            let close = if tag.ends_with('-') { "-#}" } else { "#}" };
            out.push_str(open);
            out.push_str(close);
        } else {
            out.push_str(&rest[..end + 2]);
        }
        rest = &rest[end + 2..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Role;

    fn hello() -> Vec<Message> {
        vec![
            Message::new(Role::System, "Be kind."),
            Message::new(Role::User, "Hi <b>"),
        ]
    }

    fn with(template: &str) -> Result<String, TemplateError> {
        let context = Context {
            bos: "<s>".into(),
            eos: "</s>".into(),
            generation_prompt: true,
        };
        render(template, &hello(), &context)
    }

    #[test]
    fn chatml_is_rendered_as_it_is_defined() {
        assert_eq!(
            with(CHATML).unwrap(),
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi <b><|im_end|>\n<|im_start|>assistant\n"
        );
    }

    #[test]
    fn a_template_that_raises_gives_its_own_words() {
        let error = with("{{ raise_exception('Roles must alternate') }}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the chat template refused this conversation: Roles must alternate"
        );
    }

    #[test]
    fn a_template_that_does_not_parse_says_where() {
        let error = with("a\n{% if %}").unwrap_err().to_string();
        assert!(
            error.contains("cannot be read") && error.contains("line 2"),
            "{error}"
        );
    }

    #[test]
    fn an_endless_template_ends_with_an_error() {
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(with(endless).is_err());
    }

    #[test]
    fn json_is_written_as_python_writes_it() {
        assert_eq!(
            with("{{ {'b': [1, 'é<'], 'a': none} | tojson }}").unwrap(),
            r#"{"b": [1, "é<"], "a": null}"#
        );
    }

    #[test]
    fn python_methods_loop_controls_and_tokens_work() {
        let template = "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{% continue %}{% endif %}\
            {{ m.content.strip().upper() }}{% endfor %}{% generation %}{{ eos_token }}{% endgeneration %}";
        assert_eq!(with(template).unwrap(), "<s>HI <B></s>");
    }

    #[test]
    fn none_is_not_iterable_as_in_python() {
        let template = "{% if tools is iterable and tools | length > 0 %}T{% endif %}{% if 'a' is iterable %}s{% endif %}";
        assert_eq!(with(template).unwrap(), "s");
    }

    #[test]
    fn tools_are_none_as_hugging_face_passes_them() {
        let template = "{% if tools is defined and tools is not none %}T{% endif %}{{ strftime_now('%Y') | length }}";
        assert_eq!(with(template).unwrap(), "4");
    }
}
