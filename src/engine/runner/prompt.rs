//! From messages to tokens: the template, and control tokens kept out of
//! people's text.

use crate::chat::Message;
use crate::chat::reasoning::MARK_TOKENS;
use crate::engine::template::{self, CHATML, Context, TemplateError};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token_type::LlamaTokenAttr;
use llama_cpp_2::vocab::LlamaVocab;
use std::collections::{BTreeMap, HashSet};

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

/// A prompt in tokens, and the end of its text.
pub struct Prompt {
    pub tokens: Vec<LlamaToken>,
    /// The last part of the text: it may open the reasoning.
    pub end: String,
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
    /// those inside a message stay text.
    pub fn tokens(&self, messages: &[Message]) -> Result<Prompt, TemplateError> {
        let context = Context {
            bos: self.bos.clone(),
            eos: self.eos.clone(),
            generation_prompt: true,
        };
        let seam = self.free_seam(messages);
        let guarded: Vec<Message> = messages
            .iter()
            .map(|m| Message::new(m.role, self.guard(&m.content, seam)))
            .collect();
        let text = template::render(self.template(), &guarded, &context)?;
        let mut tokens = Vec::with_capacity(text.len() / 3);
        if self.vocab.should_add_bos() && self.vocab.bos().0 >= 0 && !self.starts_with_bos(&text) {
            tokens.push(self.vocab.bos());
        }
        for fragment in text.split(seam) {
            tokens.extend(self.vocab.tokenize(fragment.as_bytes(), false, true));
        }
        let end: Vec<char> = text.chars().rev().take(64).collect();
        Ok(Prompt {
            tokens,
            end: end.into_iter().rev().collect(),
        })
    }

    fn starts_with_bos(&self, text: &str) -> bool {
        !self.bos.is_empty() && text.starts_with(&self.bos)
    }

    /// A noncharacter (U+FDD0 to U+FDEF) that no message holds.
    fn free_seam(&self, messages: &[Message]) -> char {
        ('\u{fdd0}'..='\u{fdef}')
            .find(|c| !messages.iter().any(|m| m.content.contains(*c)))
            .unwrap_or('\u{fdd0}')
    }

    /// Puts a seam inside every control token's text, so that the tokeniser,
    /// which is given the fragments between seams, never sees it whole.
    fn guard(&self, content: &str, seam: char) -> String {
        let mut out = String::with_capacity(content.len());
        let mut rest = content;
        while let Some(first) = rest.chars().next() {
            let found = self
                .control
                .get(&first)
                .and_then(|texts| texts.iter().find(|t| rest.starts_with(t.as_str())));
            let taken = match found {
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
