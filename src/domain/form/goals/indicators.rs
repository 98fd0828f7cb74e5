//! The indicators of a goal with their results: from boxes of indicators and of results, or from the rows of a table.

use super::{IndicatorRow, Reading};
use crate::domain::{
    fiscal_year,
    form::{
        Confidence, Field, FormIndicator,
        labels::{Label, without_legend},
        layout::Item,
        notes::{Place, quoted},
        reader::RawBox,
        results::{Attached, Candidate, attach},
        split::{Content, Part, parts},
        table::RawRecord,
        worse,
    },
    kinds::IndicatorKind,
    reading::{
        Parse, indicator,
        result::{self, ReadResult},
        target::{self, ReadTarget},
    },
};

impl Reading<'_> {
    /// Reads a group of boxes of indicators and results. Returns whether every result has its indicator.
    pub(super) fn group(&mut self, boxes: &[RawBox], records: &[RawRecord], rows: &mut Vec<IndicatorRow>) -> bool {
        let start = rows.len();
        rows.extend(records.iter().map(|record| self.record(record)));
        let mut targets = Vec::new();
        let (mut results, mut ratings, mut previous) = (Vec::new(), Vec::new(), Vec::new());
        let mut names: Vec<(IndicatorKind, Confidence, Part)> = Vec::new();
        for it in boxes {
            let values = |into: &mut Vec<Part>| into.extend(values(&it.items));
            match it.label {
                Label::Indicators(kind) => {
                    for part in parts(&it.items, Content::Indicators) {
                        if part.text.starts_with('※') && part.exact.is_none() {
                            self.remark(&part);
                        } else {
                            names.push((kind, it.confidence, part));
                        }
                    }
                }
                Label::Targets => values(&mut targets),
                Label::ResultTable => values(&mut results),
                Label::Results => match self.head_year(it) {
                    Some(0) => values(&mut results),
                    Some(-1) => values(&mut previous),
                    _ => self.other_year(it),
                },
                Label::Ratings => values(&mut ratings),
                Label::Previous => values(&mut previous),
                _ => {}
            }
        }
        let candidates: Vec<Candidate<'_>> = names
            .iter()
            .map(|(_, _, part)| Candidate {
                number: part.number,
                name: &part.text,
            })
            .collect();
        let Some(of_names) = self.attached(&candidates, &targets, "target_count", ("目標値", "targets")) else {
            return false;
        };
        let targets: Vec<Option<String>> = of_names
            .iter()
            .map(|found| found.map(|(_, text)| text.to_owned()))
            .collect();
        for ((kind, confidence, part), target) in names.iter().zip(targets) {
            rows.push(self.indicator(*kind, *confidence, part, target.as_deref()));
        }
        if results.is_empty() {
            results = std::mem::take(&mut ratings);
        }
        let new = rows.get(start..).unwrap_or_default();
        let of_group: Vec<(Option<u32>, String)> = new
            .iter()
            .map(|row| (row.number, row.indicator.read.value.name.clone()))
            .collect();
        let candidates: Vec<Candidate<'_>> = of_group
            .iter()
            .map(|(number, name)| Candidate { number: *number, name })
            .collect();
        let results_of = self.attached(&candidates, &results, "result_count", ("実績", "results"));
        let ratings_of = self.attached(&candidates, &ratings, "result_count", ("達成状況", "ratings"));
        let previous_of = self.attached(
            &candidates,
            &previous,
            "result_count",
            ("前年度実績", "results of the previous year"),
        );
        let (Some(results_of), Some(ratings_of), Some(previous_of)) = (results_of, ratings_of, previous_of) else {
            return false;
        };
        for (((row, result), rating), before) in rows
            .iter_mut()
            .skip(start)
            .zip(results_of)
            .zip(ratings_of)
            .zip(previous_of)
        {
            if let Some((part, rating)) = result.and_then(|(part, _)| Some((part, part.exact.as_deref()?))) {
                let said = !part.text.is_empty() || !rating.is_empty();
                row.indicator.result = said.then(|| self.exact_result(part, rating, &row.indicator));
            } else if let Some((part, text)) = result {
                let text = rating.map_or(text.to_owned(), |(_, rating)| format!("{text}：{rating}"));
                row.indicator.result = Some(self.result(&text, part.place, part.doubtful, &row.indicator));
            }
            if let Some((part, _)) = before.filter(|(part, _)| part.exact.is_some()) {
                row.indicator.previous = (!part.text.is_empty()).then(|| {
                    let read = self.exact_result(part, "", &row.indicator);
                    Field {
                        value: (part.text.clone(), read.value),
                        line: read.line,
                        confidence: read.confidence,
                    }
                });
            } else if let Some((part, text)) = before {
                row.indicator.previous = Some(self.previous(text, part.place, part.doubtful, &row.indicator));
            }
        }
        true
    }

    /// Leaves out a remark between indicators.
    fn remark(&mut self, part: &Part) {
        let text = quoted(&part.text);
        self.notes.warning(
            "remark_left_out",
            part.place,
            format!("注記「{text}」は指標ではないため、取り込みません"),
            format!("the remark '{text}' is no indicator and is left out"),
        );
    }

    /// Attaches values to indicators, or reports that the numbers of both differ.
    fn attached<'a>(
        &mut self,
        candidates: &[Candidate<'_>],
        parts: &'a [Part],
        code: &'static str,
        (ja, en): (&str, &str),
    ) -> Option<Attached<'a>> {
        let attached = attach(candidates, parts);
        if attached.is_none() {
            let place = parts.first().map_or(Place::line(1), |part| part.place);
            let (indicators, values) = (candidates.len(), parts.len());
            let (ja, en) = if indicators == values {
                (
                    format!(
                        "{ja}に書かれた名称や番号が指標の並びと合いません。どの指標のものか分からないため、この経営課題の実績はどれも取り込みません"
                    ),
                    format!(
                        "the names or numbers of the {en} contradict the order of the indicators: no result of this goal is attached"
                    ),
                )
            } else {
                (
                    format!(
                        "{ja}が{values}件、指標が{indicators}件で数が合いません。どの指標のものか分からないため、この経営課題の実績はどれも取り込みません"
                    ),
                    format!("there are {values} {en} for {indicators} indicators: no result of this goal is attached"),
                )
            };
            self.notes.error(code, place, ja, en);
        }
        attached
    }

    /// The years from the policy's year to the year in the head of a column; 0 for a head without a year.
    fn head_year(&self, it: &RawBox) -> Option<i32> {
        self.years_after(it.year.as_deref())
    }

    fn years_after(&self, printed: Option<&str>) -> Option<i32> {
        let (Some(printed), Some(year)) = (printed, self.year) else {
            return Some(0);
        };
        Some(fiscal_year::parse(printed, Some(year)).ok()?.get() - year.get())
    }

    fn other_year(&mut self, it: &RawBox) {
        if !it.items.is_empty() {
            self.result_of_other_year(it.place, it.year.as_deref());
        }
    }

    fn result_of_other_year(&mut self, place: Place, year: Option<&str>) {
        let year = year.unwrap_or_default();
        self.notes.warning(
            "result_year",
            place,
            format!("{year}の実績は、この様式の年度のものでも前年度のものでもないため、取り込みません"),
            format!("results of {year}, neither the form's fiscal year nor the one before, are left out"),
        );
    }

    fn indicator(&mut self, kind: IndicatorKind, label: Confidence, part: &Part, target: Option<&str>) -> IndicatorRow {
        let line = target.map_or(part.text.clone(), |target| format!("{}：{target}", part.text));
        let read = match &part.exact {
            Some(target) => indicator::exact(&part.text, target, self.texts_in),
            None => indicator::read(&line, self.texts_in),
        };
        let understood = read.target.as_ref().map(|target| target.parse);
        if understood != Some(Parse::Full) {
            let text = quoted(&line);
            let partly = read.target.as_ref();
            let understood = partly.and_then(ReadTarget::understood);
            let unit = partly.and_then(|read| read.unit.as_deref());
            let (ja, en) = understood.map_or_else(Default::default, |understood| {
                let printed = target::print(&understood, unit);
                (
                    format!("。読み取れたのは「{printed}」だけです"),
                    format!("; what was understood is '{printed}'"),
                )
            });
            self.notes.warning(
                "target_unreadable",
                part.place,
                format!("「{text}」の目標値を全部は読み取れません。確認されるまで、記載だけを残して判定しません{ja}"),
                format!("the target of '{text}' cannot be read in full: its text is kept, and nothing is judged by it until somebody confirms it{en}"),
            );
        }
        let confidence = match understood {
            Some(Parse::Full) if part.doubtful => worse(label, Confidence::Medium),
            Some(Parse::Full) => label,
            Some(Parse::Partial) => worse(label, Confidence::Medium),
            _ => Confidence::Low,
        };
        let read = Field {
            value: read,
            line: part.place.line,
            confidence,
        };
        IndicatorRow {
            indicator: FormIndicator {
                kind,
                read,
                result: None,
                previous: None,
            },
            number: part.number,
        }
    }

    fn record(&mut self, record: &RawRecord) -> IndicatorRow {
        // The name without its bullet or number.
        let named = parts(std::slice::from_ref(&record.name), Content::Indicators);
        let part = named.into_iter().next().unwrap_or_else(|| Part {
            text: record.name.text.clone(),
            place: record.name.place(),
            number: None,
            doubtful: false,
            exact: None,
        });
        let mut row = self.indicator(record.kind, Confidence::High, &part, record.target.as_deref());
        match &record.result {
            Some((text, year, place)) => match self.years_after(year.as_deref()) {
                Some(0) => {
                    let text = record
                        .rating
                        .as_ref()
                        .map_or(text.clone(), |rating| format!("{text}：{rating}"));
                    row.indicator.result = Some(self.result(&text, *place, false, &row.indicator));
                }
                Some(-1) => row.indicator.previous = Some(self.previous(text, *place, false, &row.indicator)),
                _ => self.result_of_other_year(*place, year.as_deref()),
            },
            None => {
                if let Some(rating) = &record.rating {
                    row.indicator.result = Some(self.result(rating, record.place, true, &row.indicator));
                }
            }
        }
        if let Some((text, place)) = &record.previous {
            row.indicator.previous = Some(self.previous(text, *place, false, &row.indicator));
        }
        row
    }

    fn result(&mut self, text: &str, place: Place, doubtful: bool, indicator: &FormIndicator) -> Field<ReadResult> {
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
    fn exact_result(&mut self, part: &Part, rating: &str, indicator: &FormIndicator) -> Field<ReadResult> {
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

    fn previous(
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

/// The values of a box, without the legend of their ratings, which may stand on two lines.
fn values(items: &[Item]) -> Vec<Part> {
    let mut kept = Vec::new();
    let mut rest = items.iter().peekable();
    while let Some(item) = rest.next() {
        if !item.exact.is_empty() {
            kept.push(item.clone());
            continue;
        }
        let begins = item.text.starts_with(['※', '(', '（']);
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
    parts(&kept, Content::Values)
}
