//! A form in HTML as rows of cells. Only the tokenizer reads the page: without a tree no nesting is too deep.

use std::cell::RefCell;

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
    },
};

use super::{
    layout::{Bound, Builder, Layout, Mark},
    tags::List,
};
use crate::value::work;
use attributes::{Open, parts};

pub(super) mod attributes;

/// Units of work for handing a part to the tokenizer: as many as for so many bytes.
const PART: usize = 16;

/// The rows of a page: those of its tables, and its paragraphs as rows of one cell.
pub(super) fn layout(html: &str) -> Layout {
    let tokenizer = Tokenizer::new(
        Sink(RefCell::new(Page {
            builder: Builder::new(Mark::Block),
            skipped: None,
            value: None,
            raw: None,
            tokens: 0,
            line: 1,
        })),
        TokenizerOpts::default(),
    );
    let input = BufferQueue::default();
    let mut open = Open::default();
    for part in parts(html) {
        work::spend(PART + part.len());
        let page = &tokenizer.sink.0;
        open.look(part, page.borrow().raw.as_deref());
        if open.attributes() > attributes::MOST {
            let line = page.borrow().line;
            page.borrow_mut().builder.stop(line, Bound::Attributes);
        }
        // A page that is too long is not read to its end.
        if page.borrow().builder.is_full() {
            break;
        }
        let before = page.borrow().tokens;
        input.push_back(StrTendril::from_slice(part));
        // The sink never asks to stop for a script: whatever `feed` returns, the rest of the input is fed.
        while !input.is_empty() {
            let _ = tokenizer.feed(&input);
        }
        // A token has ended, so that the next one begins with the next part.
        if page.borrow().tokens != before {
            open = Open::Nothing;
        }
    }
    tokenizer.end();
    let page = tokenizer.sink.0.into_inner();
    page.builder.finish(page.line)
}

struct Sink(RefCell<Page>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, line_number: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        page.line = u32::try_from(line_number).unwrap_or(u32::MAX / 4).max(1);
        if !matches!(token, Token::ParseError(_)) {
            page.tokens += 1;
        }
        match token {
            Token::TagToken(tag) => return page.tag(&tag),
            Token::CharacterTokens(text) => page.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

struct Page {
    builder: Builder,
    skipped: Option<Skipped>,
    /// How many elements of the value's name are open within it; nothing outside a value.
    value: Option<usize>,
    /// The open element whose text holds no tag but its own end tag, if there is one.
    raw: Option<String>,
    /// How many tokens there were.
    tokens: usize,
    line: u32,
}

/// The element that marks a value, and its attribute. The attribute's text is the value; if empty, the element's text.
const VALUE: (&str, &str) = ("span", "data-exact");
/// The attribute of visible elements that are no part of the form.
const NOT_FORM: &str = "data-not-form";

/// An element that is not shown: left out up to its end.
struct Skipped {
    name: String,
    /// How many elements of this name are open within the hidden one.
    depth: usize,
    /// How many tables are open within the hidden element.
    tables: usize,
}

impl Skipped {
    /// `Some` if this tag ends the element; true if the tag is the element's own end tag.
    fn ends_at(&mut self, name: &str, closes: bool) -> Option<bool> {
        if self.tables == 0 {
            let ends = match (self.name.as_str(), closes) {
                ("p", false) => is_block(name),
                ("p" | "li", true) => matches!(name, "td" | "th" | "tr" | "table" | "ul" | "ol" | "div" | "body"),
                ("li", false) => name == "li" && self.depth == 0,
                ("td" | "th", false) => matches!(name, "td" | "th" | "tr" | "tbody"),
                ("td" | "th", true) => matches!(name, "tr" | "tbody" | "table"),
                ("tr", false) => matches!(name, "tr" | "tbody"),
                ("tr", true) => matches!(name, "tbody" | "thead" | "table"),
                _ => false,
            };
            if ends && (name != self.name || !closes) {
                return Some(false);
            }
        }
        if name == "table" && self.name != "table" {
            self.tables = if closes {
                self.tables.saturating_sub(1)
            } else {
                self.tables + 1
            };
        }
        if name == self.name {
            match (closes, self.depth) {
                (true, 0) => return Some(true),
                (true, _) => self.depth -= 1,
                (false, _) => self.depth += 1,
            }
        }
        None
    }
}

impl Page {
    fn text(&mut self, text: &str) {
        if self.skipped.is_none() && !self.builder.is_full() {
            // The tokenizer gives the line of the end of the text.
            let lines = u32::try_from(text.matches('\n').count()).unwrap_or(0);
            self.builder.text(text, self.line.saturating_sub(lines).max(1), 1);
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let closes = tag.kind == TagKind::EndTag;
        let goes_on = raw(name, closes);
        self.raw = matches!(goes_on, TokenSinkResult::RawData(_)).then(|| name.to_owned());
        if let Some(skipped) = &mut self.skipped {
            match skipped.ends_at(name, closes) {
                Some(itself) => {
                    self.skipped = None;
                    if !itself {
                        self.seen(tag, name, closes);
                    }
                }
                None => return goes_on,
            }
        } else {
            self.seen(tag, name, closes);
        }
        goes_on
    }

    fn seen(&mut self, tag: &Tag, name: &str, closes: bool) {
        if !closes && !is_void(name) && (is_silent(name) || is_hidden(tag)) {
            self.skipped = Some(Skipped {
                name: name.to_owned(),
                depth: 0,
                tables: 0,
            });
            // A cell that is not shown still keeps its place.
            if matches!(name, "td" | "th") {
                self.builder.cell(self.line, true);
            }
            return;
        }
        if self.within_value(name, closes) {
            return;
        }
        if !closes
            && name == VALUE.0
            && let Some(said) = attribute(tag, VALUE.1)
        {
            let said = (!said.is_empty()).then(|| said.to_owned());
            self.builder.open_value(said, self.line);
            self.value = Some(0);
            return;
        }
        if let Some(list) = List::of(name, closes) {
            if !self.builder.in_table() && matches!(list, List::Opened | List::ItemOpened) {
                self.builder.end_row();
            }
            self.builder.mark(list);
            return;
        }
        match (name, closes) {
            ("td", false) => self.builder.cell(self.line, true),
            ("th", false) => {
                self.builder.cell(self.line, true);
                self.builder.head();
            }
            ("dd", false) => self.builder.cell(self.line, false),
            ("td" | "th" | "dd", true) => self.builder.end_item(),
            ("tr" | "table" | "thead" | "tbody" | "tfoot" | "caption" | "dt" | "dl", _) => self.builder.end_row(),
            _ if is_block(name) && self.builder.in_table() => self.builder.end_line(),
            _ if is_block(name) => self.builder.end_row(),
            _ => {}
        }
    }

    /// Whether a tag is within a value, or ends one. A block or cell that begins or ends also ends the value.
    fn within_value(&mut self, name: &str, closes: bool) -> bool {
        let Some(depth) = &mut self.value else { return false };
        match (name == VALUE.0, closes) {
            (true, false) => *depth += 1,
            (true, true) if *depth > 0 => *depth -= 1,
            (true, true) => {
                self.value = None;
                self.builder.close_value();
            }
            (false, _) if name == "br" => self.builder.end_line(),
            (false, _) if is_block(name) || is_cell(name) => {
                self.value = None;
                self.builder.close_value();
                return false;
            }
            (false, _) => {}
        }
        true
    }
}

/// The value of a tag's attribute, if the tag has it.
fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    let mut attributes = tag.attrs.iter();
    attributes
        .find(|attribute| *attribute.name.local == *name)
        .map(|attribute| &*attribute.value)
}

/// Tells the tokenizer how to go on after a tag, as a tree builder would.
fn raw(name: &str, closes: bool) -> TokenSinkResult<()> {
    match name {
        _ if closes => TokenSinkResult::Continue,
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
        "textarea" | "title" => TokenSinkResult::RawData(RawKind::Rcdata),
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}

fn is_hidden(tag: &Tag) -> bool {
    tag.attrs.iter().any(|attribute| match &*attribute.name.local {
        "hidden" | NOT_FORM => true,
        "aria-hidden" => attribute.value.trim().eq_ignore_ascii_case("true"),
        _ => false,
    })
}

/// Elements that show no text of the page.
fn is_silent(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "template"
            | "title"
            | "noscript"
            | "iframe"
            | "noembed"
            | "noframes"
            | "textarea"
            | "select"
            | "svg"
    )
}

/// Parts of tables and lists.
fn is_cell(name: &str) -> bool {
    matches!(
        name,
        "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "caption" | "li"
    )
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "ul"
    )
}
