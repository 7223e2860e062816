//! One page for a browser: the walked path with its Markdown drawn. Nothing in
//! it can run, and nothing is fetched: pictures stand in the page itself.

mod draw;

use super::enclosed::Enclosing;
use super::text::{date, ending, path, speaker, title};
use crate::chat::text::sanitise;
use crate::chat::{Conversation, Said};
use draw::drawn;

const STYLE: &str = "
:root { color-scheme: light dark; --back: #fdfcfa; --text: #24211d; --quiet: #6f6a62;
  --line: #ddd7cd; --you: #f1ece3; --link: #24608f; }
@media (prefers-color-scheme: dark) { :root { --back: #1b1a18; --text: #e6e1d8;
  --quiet: #9b958a; --line: #3a3733; --you: #262421; --link: #8abbe0; } }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.2rem 4rem; background: var(--back);
  color: var(--text); font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: break-word; }
h1.title { font-size: 1.5rem; line-height: 1.3; margin: 0; }
.conversation + .conversation { border-top: 1px solid var(--line); margin-top: 3rem;
  padding-top: 3rem; }
.quiet, .who, summary { color: var(--quiet); font-size: .875rem; }
.who { font-weight: 600; margin: 0 0 .3rem; }
.message { margin-top: 1.6rem; }
.you, .system { background: var(--you); border-radius: .6rem; padding: .7rem 1rem; }
.text > :first-child { margin-top: 0; } .text > :last-child { margin-bottom: 0; }
pre { background: var(--you); border-radius: .4rem; overflow-x: auto; padding: .7rem .9rem; }
.you pre { background: var(--back); }
code { font-family: ui-monospace, monospace; font-size: .9em; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border: 1px solid var(--line); padding: .3rem .6rem; }
blockquote { border-left: 3px solid var(--line); color: var(--quiet); margin-left: 0;
  padding-left: 1rem; }
.picture { display: block; height: auto; margin: .4rem 0; max-height: 36rem; max-width: 100%; }
.file { color: var(--quiet); display: block; font-size: .875rem; }
a { color: var(--link); } hr { border: 0; border-top: 1px solid var(--line); }
details { margin: .3rem 0 .8rem; } summary { cursor: pointer; }
details .text { border-left: 3px solid var(--line); color: var(--quiet); padding-left: 1rem; }
";

pub(super) fn write(conversations: &[Conversation], enclosing: &mut Enclosing<'_>) -> String {
    let name = match conversations {
        [one] => title(one),
        several => format!("{} conversations", several.len()),
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        escaped(&name)
    );
    for conversation in conversations {
        write_one(conversation, enclosing, &mut out);
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn write_one(conversation: &Conversation, enclosing: &mut Enclosing<'_>, out: &mut String) {
    out.push_str("<section class=\"conversation\">\n");
    let name = escaped(&title(conversation));
    out.push_str(&format!("<h1 class=\"title\" dir=\"auto\">{name}</h1>\n"));
    if let Some(date) = date(conversation.about.created) {
        out.push_str(&format!("<p class=\"quiet\">{date}</p>\n"));
    }
    if !conversation.about.system.trim().is_empty() {
        let system = drawn(&conversation.about.system, true, enclosing);
        out.push_str(&format!(
            "<details class=\"system\"><summary>System prompt</summary>\n\
             <div class=\"text\" dir=\"auto\">{system}</div></details>\n"
        ));
    }
    for node in path(conversation) {
        let who = escaped(&speaker(conversation, node));
        let (class, asked) = match &node.said {
            Said::Question(_) => ("message you", true),
            Said::Answer(_) => ("message model", false),
        };
        out.push_str(&format!(
            "<article class=\"{class}\">\n<p class=\"who\">{who}</p>\n"
        ));
        if let Said::Answer(answer) = &node.said
            && !answer.thinking.trim().is_empty()
        {
            let thinking = drawn(&answer.thinking, false, enclosing);
            out.push_str(&format!(
                "<details><summary>Reasoning</summary>\n\
                 <div class=\"text\" dir=\"auto\">{thinking}</div></details>\n"
            ));
        }
        let text = drawn(node.said.text(), asked, enclosing);
        out.push_str(&format!(
            "<div class=\"text\" dir=\"auto\">\n{text}</div>\n"
        ));
        if let Said::Answer(answer) = &node.said
            && let Some(end) = ending(answer)
        {
            out.push_str(&format!("<p class=\"quiet\">{}</p>\n", escaped(&end)));
        }
        out.push_str("</article>\n");
    }
    out.push_str("</section>\n");
}

/// Text that is text and nothing else in a page.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitise(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
