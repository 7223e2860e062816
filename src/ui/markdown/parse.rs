//! One block of Markdown as a tree.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A block; lists and quotes hold blocks.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    Paragraph(Vec<Inline>),
    Heading(Vec<Inline>),
    Code {
        language: String,
        text: String,
        offset: usize,
    },
    List {
        /// The first number of a numbered list.
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Quote(Vec<Block>),
    Rule,
}

/// Text with its marks; `offset` is its byte in the source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inline {
    pub text: String,
    pub offset: usize,
    pub strong: bool,
    pub emphasis: bool,
    pub strike: bool,
    pub code: bool,
    pub link: bool,
}

/// The dialect that models write.
pub fn options() -> Options {
    Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// Lists and quotes inside each other, at most: deeper ones add no level, so that
/// a model that only writes `>>>>…` costs neither memory nor stack.
const DEEPEST: usize = 24;

/// What is open while the events of a block are read.
enum Open {
    Root(Vec<Block>),
    List(Option<u64>, Vec<Vec<Block>>),
    Item(Vec<Block>),
    Quote(Vec<Block>),
}

#[derive(Default)]
struct Reader {
    stack: Vec<Open>,
    /// Lists, items and quotes that are open beyond [`DEEPEST`].
    beyond: usize,
    inlines: Vec<Inline>,
    style: Inline,
    /// Inside a code block: its language, text and offset.
    code: Option<(String, String, usize)>,
    heading: bool,
    /// Where open links lead, to be shown after their text.
    links: Vec<(String, usize)>,
}

/// The tree of a text; `base` is added to every offset.
pub fn parse(text: &str, base: usize) -> Vec<Block> {
    let mut reader = Reader {
        stack: vec![Open::Root(Vec::new())],
        ..Reader::default()
    };
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        reader.read(event, base + range.start);
    }
    reader.flush();
    reader.beyond = 0;
    while reader.stack.len() > 1 {
        reader.close();
    }
    match reader.stack.pop() {
        Some(Open::Root(blocks)) => blocks,
        _ => Vec::new(),
    }
}

impl Reader {
    fn read(&mut self, event: Event<'_>, offset: usize) {
        match event {
            Event::Start(tag) => self.start(tag, offset),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some((_, code, _)) => code.push_str(&text),
                None => self.text(&text, offset),
            },
            Event::Code(text) => {
                self.style.code = true;
                self.text(&text, offset);
                self.style.code = false;
            }
            // Models mean the line ends that they write.
            Event::SoftBreak | Event::HardBreak => self.text("\n", offset),
            Event::Rule => self.add(Block::Rule),
            Event::Html(text) | Event::InlineHtml(text) => self.text(&text, offset),
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }, offset),
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text, offset);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>, offset: usize) {
        match tag {
            Tag::Heading { .. } => self.heading = true,
            Tag::BlockQuote(_) => self.open(Open::Quote(Vec::new())),
            Tag::CodeBlock(kind) => {
                self.flush();
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new(), offset));
            }
            Tag::List(start) => self.open(Open::List(start, Vec::new())),
            Tag::Item => self.open(Open::Item(Vec::new())),
            Tag::Emphasis => self.style.emphasis = true,
            Tag::Strong => self.style.strong = true,
            Tag::Strikethrough => self.style.strike = true,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.style.link = true;
                self.links.push((dest_url.to_string(), self.inlines.len()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.flush(),
            TagEnd::Heading(_) => {
                let inlines = std::mem::take(&mut self.inlines);
                self.heading = false;
                self.add(Block::Heading(inlines));
            }
            TagEnd::CodeBlock => {
                if let Some((language, text, offset)) = self.code.take() {
                    self.add(Block::Code {
                        language,
                        text,
                        offset,
                    });
                }
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item => {
                self.flush();
                self.close();
            }
            TagEnd::Emphasis => self.style.emphasis = false,
            TagEnd::Strong => self.style.strong = false,
            TagEnd::Strikethrough => self.style.strike = false,
            TagEnd::Link | TagEnd::Image => self.link_end(),
            _ => {}
        }
    }

    /// Shows where a link leads, unless its text says so.
    fn link_end(&mut self) {
        self.style.link = false;
        let Some((target, from)) = self.links.pop() else {
            return;
        };
        let shown: String = self
            .inlines
            .iter()
            .skip(from)
            .map(|i| i.text.as_str())
            .collect();
        let offset = self.inlines.last().map_or(0, |i| i.offset);
        if !target.is_empty() && shown != target {
            self.text(&format!(" ({target})"), offset);
        }
    }

    fn text(&mut self, text: &str, offset: usize) {
        self.inlines.push(Inline {
            text: text.to_string(),
            offset,
            ..self.style.clone()
        });
    }

    /// Ends the paragraph that is being read, if there is one.
    fn flush(&mut self) {
        if self.inlines.is_empty() {
            return;
        }
        let mut inlines = std::mem::take(&mut self.inlines);
        if let Some(last) = inlines.last_mut() {
            last.text.truncate(last.text.trim_end_matches('\n').len());
        }
        self.add(if self.heading {
            Block::Heading(inlines)
        } else {
            Block::Paragraph(inlines)
        });
    }

    fn add(&mut self, block: Block) {
        match self.stack.last_mut() {
            Some(Open::Root(blocks) | Open::Item(blocks) | Open::Quote(blocks)) => {
                blocks.push(block)
            }
            Some(Open::List(_, items)) => items.push(vec![block]),
            None => {}
        }
    }

    fn open(&mut self, container: Open) {
        self.flush();
        if self.beyond > 0 || self.stack.len() > DEEPEST {
            self.beyond += 1;
        } else {
            self.stack.push(container);
        }
    }

    /// Closes the innermost list, item or quote.
    fn close(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        if self.stack.len() < 2 {
            return;
        }
        match self.stack.pop() {
            Some(Open::Item(blocks)) => match self.stack.last_mut() {
                Some(Open::List(_, items)) => items.push(blocks),
                _ => blocks.into_iter().for_each(|b| self.add(b)),
            },
            Some(Open::List(start, items)) => self.add(Block::List { start, items }),
            Some(Open::Quote(blocks)) => self.add(Block::Quote(blocks)),
            Some(Open::Root(_)) | None => {}
        }
    }
}
