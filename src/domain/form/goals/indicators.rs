//! The indicators of a goal with their results: from boxes of indicators and of results, or from the rows of a table.

use super::{IndicatorRow, Reading};
use crate::domain::{
    fiscal_year,
    form::{
        Confidence, Field, FormIndicator,
        labels::Label,
        layout::Item,
        notes::{Place, quoted},
        reader::RawBox,
        results::{Attached, Candidate, attach},
        split::{Content, Part, blanks, has_target, parts},
        table::{RawRecord, note_remark},
        worse,
    },
    kinds::IndicatorKind,
    reading::{
        Parse, indicator,
        target::{self, ReadTarget},
    },
};

/// What stands in a group beside the names of its indicators.
#[derive(Default)]
pub(super) struct Values {
    pub(super) targets: Vec<Part>,
    pub(super) results: Vec<Part>,
    pub(super) ratings: Vec<Part>,
    pub(super) previous: Vec<Part>,
}

/// A name of an indicator, with the kind and the confidence of its box.
pub(super) type Name = (IndicatorKind, Confidence, Part);

impl Reading<'_> {
    /// Reads a group of boxes of indicators and results. Returns whether every result has its indicator.
    pub(super) fn group(&mut self, boxes: &[RawBox], records: &[RawRecord], rows: &mut Vec<IndicatorRow>) -> bool {
        let mut settled = true;
        let start = rows.len();
        for record in records {
            settled &= self.record(record, rows);
        }
        let mut values = Values::default();
        let mut names: Vec<Name> = Vec::new();
        for it in boxes {
            match it.label {
                Label::Indicators(kind) => {
                    let found = self.names(&it.items);
                    names.extend(found.into_iter().map(|part| (kind, it.confidence, part)));
                }
                Label::Targets => values.targets.extend(self.values(&it.items)),
                Label::ResultTable => values.results.extend(self.values(&it.items)),
                Label::Results => match self.years_after(it.year.as_deref()) {
                    Some(0) => values.results.extend(self.values(&it.items)),
                    Some(-1) => values.previous.extend(self.values(&it.items)),
                    _ => self.other_year(it),
                },
                Label::Ratings => values.ratings.extend(self.values(&it.items)),
                Label::Previous => values.previous.extend(self.values(&it.items)),
                _ => {}
            }
        }
        self.attach_all(names, values, start, rows) && settled
    }

    /// The names in a box of indicators, each with its target if the box has it.
    fn names(&mut self, items: &[Item]) -> Vec<Part> {
        let mut names = Vec::new();
        for part in parts(items, Content::Indicators(self.texts_in)) {
            if part.text.starts_with('※') && part.exact.is_none() {
                note_remark(self.notes, part.place, &part.text);
                continue;
            }
            if part.run_together {
                let text = quoted(&part.text);
                self.notes.error(
                    "indicators_run_together",
                    part.place,
                    format!("「{text}」に目標値が2つ以上あり、指標の切れ目が分かりません。指標ごとに改行するか、それぞれの先頭に「・」を付けてください"),
                    format!("'{text}' has more than one target, and nothing tells where an indicator ends: put each on a line of its own, or begin each with ・"),
                );
            }
            names.push(part);
        }
        names
    }

    /// Reads indicators, and attaches values to the rows from `of` on.
    #[expect(clippy::too_many_lines, reason = "the steps share what they found")]
    pub(super) fn attach_all(
        &mut self,
        mut names: Vec<Name>,
        values: Values,
        of: usize,
        rows: &mut Vec<IndicatorRow>,
    ) -> bool {
        let Values {
            mut targets,
            mut results,
            mut ratings,
            previous,
        } = values;
        if let [(kind, confidence, name)] = names.as_slice()
            && name.exact.is_none()
            && !has_target(&name.text)
            && let Some((found, of_them)) = blanks::names_and_targets(name, &targets, self.texts_in)
        {
            names = found.into_iter().map(|part| (*kind, *confidence, part)).collect();
            targets = of_them;
        }
        if let Some(found) = blanks::targets(&targets, names.len(), self.texts_in) {
            targets = found;
        } else if let ([_], [target]) = (names.as_slice(), targets.as_slice())
            && target.exact.is_none()
            && blanks::has_several_targets(&target.text, self.texts_in)
        {
            let text = quoted(&target.text);
            self.notes.error(
                "target_count",
                target.place,
                format!("目標値「{text}」が2つ以上ありますが、指標は1件と読めます。指標ごとに改行するか先頭に「・」を付けてください"),
                format!("'{text}' are several targets for one indicator: put each indicator on a line of its own or begin it with ・"),
            );
            return false;
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
        let new = rows.get(of..).unwrap_or_default();
        let units: Vec<Option<String>> = new.iter().map(|row| row.unit().map(str::to_owned)).collect();
        let of_group: Vec<(Option<u32>, String)> = new
            .iter()
            .map(|row| (row.number, row.indicator.read.value.name.clone()))
            .collect();
        let candidates: Vec<Candidate<'_>> = of_group
            .iter()
            .map(|(number, name)| Candidate { number: *number, name })
            .collect();
        let separated = |parts: Vec<Part>| blanks::results(&parts, &units, self.texts_in).unwrap_or(parts);
        let (results, previous) = (separated(results), separated(previous));
        for part in results.iter().chain(&previous).filter(|_| units.len() > 1) {
            if blanks::has_several_results(part, self.texts_in) {
                let text = quoted(&part.text);
                self.notes.error(
                    "result_count",
                    part.place,
                    format!("実績「{text}」に値が2つ以上あり、切れ目が分かりません。指標ごとに改行するか先頭に「・」を付けてください"),
                    format!("'{text}' are several results, and nothing tells whose they are: put each on a line of its own or begin it with ・"),
                );
                return false;
            }
        }
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
            .skip(of)
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
                        "{ja}に書かれた名称や番号が指標の並びと合いません。どの指標のものか分からないため、この経営課題の実績はどれも取り込みません。指標と同じ名称か番号を付けてください"
                    ),
                    format!(
                        "the names or numbers of the {en} contradict the order of the indicators: no result of this goal is attached. Give them the indicators' names or numbers"
                    ),
                )
            } else {
                (
                    format!(
                        "{ja}が{values}件、指標が{indicators}件で数が合いません。どの指標のものか分からないため、この経営課題の実績はどれも取り込みません。指標ごとに改行するか先頭に「・」を付け、ないものは「－」と書いてください"
                    ),
                    format!(
                        "there are {values} {en} for {indicators} indicators: no result of this goal is attached. Put each on a line of its own or begin it with ・, and write － where there is none"
                    ),
                )
            };
            self.notes.error(code, place, ja, en);
        }
        attached
    }

    /// The years from the policy's year to the year in the head of a column; 0 for a head without a year.
    pub(super) fn years_after(&self, printed: Option<&str>) -> Option<i32> {
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

    pub(super) fn result_of_other_year(&mut self, place: Place, year: Option<&str>) {
        let year = year.unwrap_or_default();
        self.notes.warning(
            "result_year",
            place,
            format!("{year}の実績は、この様式の年度のものでも前年度のものでもないため、取り込みません"),
            format!("results of {year}, neither the form's fiscal year nor the one before, are left out"),
        );
    }

    pub(super) fn indicator(
        &mut self,
        kind: IndicatorKind,
        label: Confidence,
        part: &Part,
        target: Option<&str>,
    ) -> IndicatorRow {
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
}
