//! Results as a form prints them beside its indicators.

use super::Reading;
use crate::domain::{
    form::{
        Confidence, Field, FormIndicator,
        layout::Item,
        legend::{is_unmarked, without_legend},
        notes::{Place, quoted},
        split::{Content, Part, parts},
    },
    reading::{
        Parse,
        result::{self, ReadResult},
    },
};

impl Reading<'_> {
    /// The values of a box, without the legend of their ratings, which may stand on two lines.
    pub(super) fn values(&mut self, items: &[Item]) -> Vec<Part> {
        if let [item] = items
            && item.exact.is_empty()
            && is_unmarked(&item.text)
        {
            let text = quoted(&item.text);
            self.notes.error(
                "legend_or_ratings",
                item.place(),
                format!("「{text}」が凡例か達成状況か分かりません。凡例なら先頭に「※」を付け、達成状況なら1件ずつ改行してください"),
                format!("'{text}' may be a legend or two ratings: begin a legend with ※, and put each rating on a line of its own"),
            );
            return Vec::new();
        }
        let mut kept = Vec::new();
        let mut rest = items.iter().peekable();
        while let Some(item) = rest.next() {
            if !item.exact.is_empty() {
                kept.push(item.clone());
                continue;
            }
            let begins = item.text.starts_with(['※', '(', '（', '[', '［', '【', '<', '＜']);
            let ends = |next: &&Item| {
                begins && next.exact.is_empty() && without_legend(&format!("{} {}", item.text, next.text)).is_empty()
            };
            if rest.next_if(|next| ends(next)).is_some() {
                continue;
            }
            let text = without_legend(&item.text);
            if !text.is_empty() {
                kept.push(Item {
                    text: text.to_owned(),
                    ..item.clone()
                });
            }
        }
        let values = parts(&kept, Content::Values);
        for part in values.iter().filter(|part| part.run_together) {
            let text = quoted(&part.text);
            self.notes.error(
                "figure_broken",
                part.place,
                format!("「{text}」は1つの数値が改行で切れたものかもしれません。1つの数値は1行に書き、別々の数値なら先頭に「・」を付けて改行してください"),
                format!("'{text}' may be one figure that a line end broke: put a figure on one line, and begin separate ones with ・"),
            );
        }
        values
    }

    pub(super) fn result(
        &mut self,
        text: &str,
        place: Place,
        doubtful: bool,
        indicator: &FormIndicator,
    ) -> Field<ReadResult> {
        let unit = indicator
            .read
            .value
            .target
            .as_ref()
            .and_then(|target| target.unit.as_deref());
        let read = result::read(text, unit, self.texts_in);
        self.judged(read, text, place, doubtful)
    }

    /// A result and a rating that the page marks as such; either may be empty.
    pub(super) fn exact_result(&mut self, part: &Part, rating: &str, indicator: &FormIndicator) -> Field<ReadResult> {
        let target = indicator.read.value.target.as_ref();
        let unit = target.and_then(|target| target.unit.as_deref());
        let read = result::exact(&part.text, rating, unit, self.texts_in);
        self.judged(read, &part.text, part.place, false)
    }

    fn judged(&mut self, read: ReadResult, text: &str, place: Place, doubtful: bool) -> Field<ReadResult> {
        let understood = read.parse == Parse::Full;
        if !understood {
            let text = quoted(text);
            self.notes.warning(
                "result_unreadable",
                place,
                format!("実績「{text}」を読み取れません。記載のまま残します"),
                format!("the result '{text}' cannot be read in full: its text is kept"),
            );
        }
        let confidence = match (understood, doubtful) {
            (false, _) => Confidence::Low,
            (true, true) => Confidence::Medium,
            (true, false) => Confidence::High,
        };
        Field {
            value: read,
            line: place.line,
            confidence,
        }
    }

    pub(super) fn previous(
        &mut self,
        text: &str,
        place: Place,
        doubtful: bool,
        indicator: &FormIndicator,
    ) -> Field<(String, ReadResult)> {
        let Field {
            value,
            line,
            confidence,
        } = self.result(text, place, doubtful, indicator);
        Field {
            value: (text.to_owned(), value),
            line,
            confidence,
        }
    }
}
