//! A form in HTML as rows of cells. Only the tokenizer reads the page: without a tree no nesting is too deep.

use std::cell::RefCell;

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
    },
};

use super::{
    layout::{Bound, Layout, Mark, builder::Builder},
    tags::{List, Script},
};
use crate::value::work;
use attributes::{Open, parts};
use elements::{attribute, is_block, is_cell, is_void};
use grid::{Grid, spanned};
use left_out::LeftOutElement;

pub(super) mod attributes;
mod elements;
mod grid;
mod left_out;

/// Units of work for handing a part to the tokenizer: as many as for so many bytes.
const PART: usize = 16;

/// The rows of a page: those of its tables, and its paragraphs as rows of one cell.
pub(super) fn layout(html: &str) -> Layout {
    let tokenizer = Tokenizer::new(
        Sink(RefCell::new(Page {
            builder: Builder::new(Mark::Block),
            grids: Vec::new(),
            left_out: None,
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
    let mut page = tokenizer.sink.0.into_inner();
    page.end_left_out();
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
            // Figures on both sides of it stay two figures.
            Token::NullCharacterToken => page.text(" "),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

struct Page {
    builder: Builder,
    /// The grids of the open tables.
    grids: Vec<Grid>,
    left_out: Option<LeftOutElement>,
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
impl Page {
    fn text(&mut self, text: &str) {
        if self.builder.is_full() {
            return;
        }
        if let Some(left_out) = &mut self.left_out {
            return left_out.text(text);
        }
        // The tokenizer gives the line of the end of the text.
        let lines = u32::try_from(text.matches('\n').count()).unwrap_or(0);
        self.builder.text(text, self.line.saturating_sub(lines).max(1), 1);
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let closes = tag.kind == TagKind::EndTag;
        let goes_on = raw(name, closes);
        self.raw = matches!(goes_on, TokenSinkResult::RawData(_)).then(|| name.to_owned());
        if let Some(left_out) = &mut self.left_out {
            match left_out.ends_at(name, closes) {
                Some(itself) => {
                    self.end_left_out();
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

    /// Ends an element whose text is no text of the form.
    fn end_left_out(&mut self) {
        if let Some(LeftOutElement { why, line, words, .. }) = self.left_out.take() {
            self.builder.gap();
            if let Some(why) = why {
                self.builder.leave_out(why, line, &words);
            }
        }
    }

    fn seen(&mut self, tag: &Tag, name: &str, closes: bool) {
        let left_out = LeftOutElement::begin(tag, self.line).filter(|_| !closes && !is_void(name));
        if left_out.is_some() {
            // A cell that is not shown still keeps its place.
            if matches!(name, "td" | "th") {
                self.cell(tag);
            }
            self.left_out = left_out;
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
        if let Some(script) = Script::of(name, closes) {
            return self.builder.script(script);
        }
        match (name, closes) {
            ("td", false) => self.cell(tag),
            ("th", false) => {
                self.cell(tag);
                self.builder.head();
            }
            ("dd", false) => self.builder.cell(self.line, false),
            ("td" | "th" | "dd", true) => self.builder.end_item(),
            ("tr" | "table" | "thead" | "tbody" | "tfoot", _) => self.part_of_table(name, closes),
            ("caption" | "dt" | "dl", _) => self.builder.end_row(),
            _ if is_block(name) && self.builder.in_table() => self.builder.end_line(),
            _ if is_block(name) => self.builder.end_row(),
            _ => {}
        }
    }

    /// Begins a cell of a table, in its columns.
    fn cell(&mut self, tag: &Tag) {
        if self.grids.is_empty() {
            self.grids.push(Grid::default());
        }
        let Some(grid) = self.grids.last_mut() else { return };
        let (columns, rows) = (spanned(attribute(tag, "colspan")), spanned(attribute(tag, "rowspan")));
        let (covered, place) = grid.place(columns, if rows == 0 { usize::MAX } else { rows });
        for columns in covered {
            self.builder.covered(columns, self.line);
        }
        self.builder.cell_in(place, self.line, true);
    }

    /// Ends a row, and begins or ends a part of a table. A table within a cell has its own rows.
    fn part_of_table(&mut self, name: &str, closes: bool) {
        let begins_table = name == "table" && !closes;
        if let Some(grid) = self.grids.last_mut().filter(|_| !begins_table) {
            for columns in grid.end_row() {
                if self.builder.in_table() {
                    self.builder.covered(columns, self.line);
                }
            }
        }
        self.builder.end_row();
        match (name, closes) {
            ("table", false) => {
                self.builder.table(self.line);
                if !self.builder.is_full() {
                    self.grids.push(Grid::default());
                }
            }
            ("table", true) => {
                self.grids.pop();
            }
            ("tr", false) => {
                if let Some(grid) = self.grids.last_mut() {
                    grid.begin_row();
                }
            }
            ("tr", true) => {}
            _ => {
                if let Some(grid) = self.grids.last_mut() {
                    grid.end_section();
                }
            }
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
