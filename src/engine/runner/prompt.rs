//! From messages to tokens: the template, and control tokens kept out of
//! people's text.

use super::senses::{PLACE, Span};
use crate::chat::Message;
use crate::chat::Reasoning;
use crate::chat::reasoning::MARK_TOKENS;
use crate::engine::template::{self, CHATML, Context, TemplateError};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token_type::LlamaTokenAttr;
use llama_cpp_2::vocab::LlamaVocab;
use std::collections::{BTreeMap, HashSet};

/// What stands at a place: the tokens of the item with this key, and where its
/// pictures and sounds are, the first token's index given. None for what is no
/// key.
pub type Look<'l> =
    &'l mut dyn FnMut(&str, usize) -> Option<Result<(Vec<LlamaToken>, Vec<Span>), String>>;

/// What a model's vocabulary says about prompts.
pub struct Prompts<'m> {
    pub vocab: LlamaVocab<'m>,
    template: Option<String>,
    bos: String,
    eos: String,
    /// Texts of control tokens by their first character.
    control: BTreeMap<char, Vec<String>>,
    /// Control tokens that mark reasoning and are rendered as text.
    marks: HashSet<i32>,
}

/// A prompt in tokens and as text.
pub struct Prompt {
    pub tokens: Vec<LlamaToken>,
    /// Where pictures and sounds are among the tokens, in order.
    pub spans: Vec<Span>,
    /// The rendered text and the answer's opening, with the seams that keep
    /// control tokens apart.
    pub text: String,
    /// Bytes of `text` before the opening.
    rendered: usize,
}

impl Prompt {
    /// Tokens without a text.
    pub fn of(tokens: &[LlamaToken]) -> Self {
        Self {
            tokens: tokens.to_vec(),
            spans: Vec::new(),
            text: String::new(),
            rendered: 0,
        }
    }

    /// The rendered text without the answer's opening.
    pub fn rendered(&self) -> &str {
        &self.text[..self.rendered]
    }
}

/// Tokens that the KV cache holds, and the text that they stand for.
#[derive(Default)]
pub struct Held {
    pub tokens: Vec<LlamaToken>,
    /// Where pictures and sounds are among the tokens, in order.
    pub spans: Vec<Span>,
    /// Empty when it is not known.
    pub text: Vec<u8>,
}

impl Held {
    /// The position that follows everything.
    pub fn position(&self) -> usize {
        self.position_of(self.tokens.len())
    }

    /// The position of the token at an index, which is in no span.
    pub fn position_of(&self, index: usize) -> usize {
        let before = self.spans.iter().filter(|span| span.at < index);
        // A picture may take fewer positions than tokens, or more.
        before.fold(index, |at, span| at + span.positions - span.tokens.min(at))
    }
}

impl<'m> Prompts<'m> {
    pub fn of(model: &'m LlamaModel) -> Self {
        let vocab = model.vocab();
        let text = |token: LlamaToken| {
            let text = (token.0 >= 0).then(|| vocab.text(token)).flatten();
            text.map(|t| t.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let mut control: BTreeMap<char, Vec<String>> = BTreeMap::new();
        let mut marks = HashSet::new();
        for id in 0..vocab.n_tokens() {
            let token = LlamaToken(id);
            let attrs = vocab.attr(token);
            if !attrs.intersects(LlamaTokenAttr::Control | LlamaTokenAttr::Unknown) {
                continue;
            }
            let text = text(token);
            if MARK_TOKENS.contains(&text.as_str()) {
                marks.insert(id);
            }
            let mut chars = text.chars();
            if let (Some(first), Some(_)) = (chars.next(), chars.next()) {
                control.entry(first).or_default().push(text);
            }
        }
        for texts in control.values_mut() {
            texts.sort_by_key(|t| std::cmp::Reverse(t.len()));
        }
        let template = model.meta_val_str("tokenizer.chat_template").ok();
        Self {
            template: template.filter(|t| !t.trim().is_empty()),
            bos: text(vocab.bos()),
            eos: text(vocab.eos()),
            vocab,
            control,
            marks,
        }
    }

    /// Whether the template is the model's own.
    pub fn has_template(&self) -> bool {
        self.template.is_some()
    }

    /// The tokens that begin and end a text, by what they are called.
    pub fn special(&self) -> Vec<(String, String)> {
        let text = |token: LlamaToken| {
            let text = (token.0 >= 0).then(|| self.vocab.text(token)).flatten();
            text.map(|t| t.to_string_lossy().into_owned())
        };
        let named = [
            ("begins a text", text(self.vocab.bos())),
            ("ends a text", text(self.vocab.eos())),
            ("ends a turn", text(self.vocab.eot())),
        ];
        let known = named.into_iter();
        known
            .filter_map(|(name, text)| Some((name.to_string(), text?)))
            .collect()
    }

    /// The model's template, or ChatML where it has none.
    pub fn template(&self) -> &str {
        self.template.as_deref().unwrap_or(CHATML)
    }

    pub fn bos(&self) -> &str {
        &self.bos
    }

    pub fn eos(&self) -> &str {
        &self.eos
    }

    /// Strings that end an answer although the vocabulary does not know them:
    /// a model without a template may write ChatML's marks as plain text.
    pub fn extra_stops(&self) -> Vec<String> {
        match self.template {
            Some(_) => Vec::new(),
            None => vec!["<|im_end|>".into(), "<|im_start|>".into()],
        }
    }

    /// The bytes of a token as the person sees it.
    pub fn piece(&self, token: LlamaToken) -> Vec<u8> {
        self.vocab
            .token_to_piece(token, self.marks.contains(&token.0), None)
    }

    /// Renders and tokenises. The template's own control tokens become tokens;
    /// those inside a message stay text. Where the text goes on from what is
    /// held, so do the tokens: an answer that is tokenised anew may be split in
    /// another way than the model wrote it, and would have to be read again.
    /// The answer's `opening` follows the rendered text.
    pub fn tokens(
        &self,
        messages: &[Message],
        opening: &str,
        told: bool,
        held: &Held,
        look: Look<'_>,
    ) -> Result<Prompt, String> {
        let context = Context {
            bos: self.bos.clone(),
            eos: self.eos.clone(),
            generation_prompt: true,
        };
        let seam = self.free_seam(messages, opening);
        let guarded: Vec<Message> = messages
            .iter()
            .map(|m| Message::new(m.role, self.guard(&m.content, seam)))
            .collect();
        let mut text = template::render(self.template(), &guarded, &context)
            .map_err(|e: TemplateError| e.to_string())?;
        let rendered = text.len();
        // An answer that is gone on with has its reasoning behind it.
        if let Some(close) = Reasoning::close_of(&text).filter(|_| told) {
            text.push_str(close);
            text.push_str("\n\n");
        }
        text.push_str(&self.guard(opening, seam));
        let mut tokens = Vec::with_capacity(text.len() / 3);
        let mut spans = Vec::new();
        let rest = match self.continuation(&text, held) {
            Some(rest) => {
                tokens.extend_from_slice(&held.tokens);
                spans.extend_from_slice(&held.spans);
                rest
            }
            None => {
                if self.needs_bos(&text) {
                    tokens.push(self.vocab.bos());
                }
                &text
            }
        };
        for fragment in rest.split(seam) {
            // What stands between two places is the key of an item.
            for piece in fragment.split(PLACE) {
                match look(piece, tokens.len()) {
                    None => tokens.extend(self.vocab.tokenize(piece.as_bytes(), false, true)),
                    Some(seen) => {
                        let (of_item, more) = seen?;
                        tokens.extend(of_item);
                        spans.extend(more);
                    }
                }
            }
        }
        Ok(Prompt {
            tokens,
            spans,
            text,
            rendered,
        })
    }

    /// The tokens of a text with places, without any template.
    pub fn of_text(&self, text: &str, look: Look<'_>) -> Result<Vec<LlamaToken>, String> {
        let mut tokens = Vec::new();
        for piece in text.split(PLACE) {
            match look(piece, tokens.len()) {
                None => tokens.extend(self.vocab.tokenize(piece.as_bytes(), false, false)),
                Some(seen) => tokens.extend(seen?.0),
            }
        }
        Ok(tokens)
    }

    /// What follows the held text, when it begins with a control token: only
    /// there is tokenising the rest alone the same as tokenising the whole.
    fn continuation<'t>(&self, text: &'t str, held: &Held) -> Option<&'t str> {
        if held.text.is_empty() || !text.as_bytes().starts_with(&held.text) {
            return None;
        }
        let rest = text.get(held.text.len()..)?;
        // Nothing follows when an answer is gone on with where it stopped.
        if rest.is_empty() {
            return Some(rest);
        }
        self.control_at(rest).map(|_| rest)
    }

    fn needs_bos(&self, text: &str) -> bool {
        self.vocab.should_add_bos() && self.vocab.bos().0 >= 0 && !self.starts_with_bos(text)
    }

    /// The control token that a text begins with.
    fn control_at(&self, text: &str) -> Option<&str> {
        let texts = self.control.get(&text.chars().next()?)?;
        texts
            .iter()
            .map(String::as_str)
            .find(|t| text.starts_with(t))
    }

    fn starts_with_bos(&self, text: &str) -> bool {
        !self.bos.is_empty() && text.starts_with(&self.bos)
    }

    /// A noncharacter (U+FDD0 to U+FDEF) that no message holds.
    fn free_seam(&self, messages: &[Message], opening: &str) -> char {
        ('\u{fdd0}'..='\u{fdef}')
            .find(|c| !opening.contains(*c) && !messages.iter().any(|m| m.content.contains(*c)))
            .unwrap_or('\u{fdd0}')
    }

    /// Puts a seam inside every control token's text, so that the tokeniser,
    /// which is given the fragments between seams, never sees it whole.
    fn guard(&self, content: &str, seam: char) -> String {
        let mut out = String::with_capacity(content.len());
        let mut rest = content;
        while let Some(first) = rest.chars().next() {
            let taken = match self.control_at(rest) {
                Some(text) => {
                    out.push(first);
                    out.push(seam);
                    out.push_str(&text[first.len_utf8()..]);
                    text.len()
                }
                None => {
                    out.push(first);
                    first.len_utf8()
                }
            };
            rest = &rest[taken..];
        }
        out
    }
}
