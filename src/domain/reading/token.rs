//! The tokens that the lexer cuts a text into.

use std::ops::Range;

use super::number::Numeral;
use crate::{domain::target::Comparator, value::FiscalYear};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// 1,204; 1.2万; 八.
    Number(Numeral),
    /// What stands directly behind a number: 件.
    Unit,
    /// 令和6年度, R6, 4年度末.
    Year(Year),
    /// 令和7年3月31日; the fiscal year whose last day it is, if it is one's.
    Date(Option<FiscalYear>),
    /// 今年度, 年度末.
    ThisYear,
    /// 前年度 is 1 year back.
    Previous(i32),
    /// 来年度.
    NextYear,
    /// 毎年度.
    EveryYear,
    /// 現状.
    Present,
    /// 市平均.
    External,
    /// 平均 of something else.
    Average,
    /// 実績, behind a year.
    Result,
    /// より.
    Than,
    /// 以上, を超えない.
    Threshold(Comparator),
    /// 少なくとも, before a number.
    Bound(Comparator),
    /// 増加させる.
    Change(Change),
    /// 維持.
    Upkeep,
    /// 同程度.
    Level,
    /// までに.
    By,
    /// 時点.
    AsOf,
    /// 中に.
    Within,
    /// 合計.
    Sum,
    /// 延べ.
    Lead,
    /// 目標.
    Label,
    /// 約, 程度.
    About,
    /// 月 of 月1回: without it, the number is another one.
    Per,
    /// 毎月 of 毎月1回: the number is counted per this time.
    PerTime(&'static str),
    /// ゼロ.
    Zero,
    /// なし.
    Absent,
    /// 未定.
    Undecided,
    /// 全 of 全24区, すべて of 24区すべて.
    All,
    /// 開催.
    Done,
    /// とする.
    Ending,
    /// ずつ.
    Each,
    /// 満点中 of 5点満点中.
    Scale,
    /// かつ.
    Joined,
    /// を.
    Particle,
    /// (.
    Open,
    /// ).
    Close,
    /// 「 (true) and 」 (false).
    Quote(bool),
    /// :.
    Colon,
    /// 、 and the like.
    Separator,
    /// 。
    Stop,
    /// - and other dashes: a sign, a range, a mark or nothing, as its place says.
    Dash,
    /// ~.
    Tilde,
    /// →.
    Arrow,
    /// /.
    Slash,
    /// ▲ and △ (true), + (false).
    Sign(bool),
    /// ・ at the head of an item.
    Mark,
    /// What looks like a number and is none: 51², 2/3, 1,0,0.
    Odd,
    /// 半減, 改善: a change without its amount or its direction.
    Vague,
    /// Any other text.
    Other,
}

/// A token.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// The text in one width.
    pub(super) text: &'a str,
    /// Where it stands in the text in one width.
    pub(super) at: Range<usize>,
    /// Whether a blank stands before it.
    pub(super) after_blank: bool,
    /// Its number among the tokens of the text.
    pub(super) index: usize,
}

impl Token<'_> {
    /// Whether it is this text.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }
}

/// Which way something changes, and whether it is said that it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) up: bool,
    pub(super) negated: bool,
    /// Whether it is said by a verb, as sentences end, and not by a noun alone, as names do.
    pub(super) is_verb: bool,
}

/// A year as printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Year {
    pub(super) year: FiscalYear,
    /// Whether it is said to be a calendar year (令和6年), and no fiscal year (令和6年度, R6).
    pub(super) is_calendar: bool,
}
