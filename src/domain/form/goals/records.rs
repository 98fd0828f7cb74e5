//! The indicators of a table with a row for each: a row is one indicator, or several where its cells hold several lines or
//! merged cells join it with the rows below.

use super::{
    IndicatorRow, Reading,
    indicators::{Name, Values},
};
use crate::{
    domain::{
        form::{
            Confidence,
            layout::{Item, Mark},
            notes::Place,
            split::{Content, Part, parts},
            table::RawRecord,
            width::is_figure,
        },
        reading::{Parse, result, target},
    },
    value::FiscalYear,
};

impl Reading<'_> {
    /// Reads a row of a table. Returns whether every value has its indicator.
    pub(super) fn record(&mut self, record: &RawRecord, rows: &mut Vec<IndicatorRow>) -> bool {
        let names: Vec<Part> = match record.names.as_slice() {
            [lines] if record.rows == 1 => match self.several(record, lines) {
                Ok(Some(names)) => names,
                Ok(None) => return self.one(record, &one_name(lines, self.texts_in), rows),
                Err(()) => return false,
            },
            names => names.iter().map(|lines| one_name(lines, self.texts_in)).collect(),
        };
        let mut values = Values {
            targets: self.values(&record.targets),
            ratings: self.values(&record.ratings),
            previous: self.values(&record.previous),
            ..Values::default()
        };
        let results = self.values(&record.results);
        match self.years_after(record.year.as_deref()) {
            Some(0) => values.results = results,
            Some(-1) => values.previous.extend(results),
            _ if results.is_empty() => {}
            _ => self.result_of_other_year(record.place, record.year.as_deref()),
        }
        let names: Vec<Name> = names
            .into_iter()
            .map(|part| (record.kind, Confidence::High, part))
            .collect();
        self.attach_all(names, values, rows.len(), rows)
    }

    /// The names of several indicators in one cell, if the lines of the other cells are as many values. Values that nothing
    /// tells apart are an error.
    fn several(&mut self, record: &RawRecord, lines: &[Item]) -> Result<Option<Vec<Part>>, ()> {
        if lines.len() < 2 {
            return Ok(None);
        }
        let names = parts(lines, Content::Indicators(self.texts_in));
        let columns = [&record.targets, &record.results, &record.ratings, &record.previous];
        let columns: Vec<Vec<Part>> = columns
            .into_iter()
            .map(|items| self.values(items))
            .filter(|parts| !parts.is_empty())
            .collect();
        let are_values = |parts: &[Part]| {
            parts.iter().all(|part| {
                let figure = part.text.contains(char::is_numeric);
                let result = result::read(&part.text, None, self.texts_in).parse == Parse::Full;
                figure && (result || target::read(&part.text, self.texts_in).parse == Parse::Full)
            })
        };
        let several = columns.iter().any(|parts| parts.len() > 1 && are_values(parts));
        if !several {
            return Ok(None);
        }
        if columns.iter().all(|parts| parts.len() == names.len()) {
            return Ok(Some(names));
        }
        self.notes.error(
            "table_row",
            record.place,
            "この行のセルに複数の値がありますが、指標の数と合わないため、どの指標のものか分かりません。指標ごとに行を分けてください",
            "a cell of this row holds several values, but not as many as there are indicators: give each indicator a row of its own",
        );
        Err(())
    }

    /// Reads a row that is one indicator.
    fn one(&mut self, record: &RawRecord, name: &Part, rows: &mut Vec<IndicatorRow>) -> bool {
        let text = |items: &[Item]| {
            let texts: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
            items.first().map(|first| (texts.join(" "), first.place()))
        };
        let target = text(&record.targets).map(|(text, _)| text);
        let mut row = self.indicator(record.kind, Confidence::High, name, target.as_deref());
        let rating = text(&record.ratings).map(|(text, _)| text);
        match text(&record.results) {
            Some((text, place)) => match self.years_after(record.year.as_deref()) {
                Some(0) => {
                    let text = rating.map_or(text.clone(), |rating| format!("{text}：{rating}"));
                    row.indicator.result = Some(self.result(&text, place, false, &row.indicator));
                }
                Some(-1) => row.indicator.previous = Some(self.previous(&text, place, false, &row.indicator)),
                _ => self.result_of_other_year(place, record.year.as_deref()),
            },
            None => {
                if let Some(rating) = rating {
                    row.indicator.result = Some(self.result(&rating, record.place, true, &row.indicator));
                }
            }
        }
        if let Some((text, place)) = text(&record.previous) {
            row.indicator.previous = Some(self.previous(&text, place, false, &row.indicator));
        }
        rows.push(row);
        true
    }
}

/// The name in the lines of a cell, without its bullet or number.
fn one_name(lines: &[Item], year: FiscalYear) -> Part {
    let mut name = String::new();
    for line in lines {
        let both = |is: fn(char) -> bool| name.ends_with(is) && line.text.starts_with(is);
        if both(|c| c.is_ascii()) || both(is_figure) {
            name.push(' ');
        }
        name.push_str(&line.text);
    }
    let place = lines.first().map_or(Place::line(1), Item::place);
    let item = Item {
        text: name,
        line: place.line,
        column: place.column,
        mark: Mark::Listed,
        goes_on: false,
        exact: vec![],
    };
    let named = parts(std::slice::from_ref(&item), Content::Indicators(year));
    named.into_iter().next().unwrap_or(Part {
        text: item.text,
        place,
        number: None,
        marked: false,
        doubtful: false,
        run_together: false,
        exact: None,
    })
}
