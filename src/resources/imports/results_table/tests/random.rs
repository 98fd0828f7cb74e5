//! Tables of random results, and of random cells.

use proptest::prelude::*;

use super::{BARE, lookup, read_csv};
use crate::{
    resources::imports::results_table::*,
    sheet::csv,
    value::{Decimal, Prose},
};

/// Texts as exports write them: nothing that a spreadsheet takes for a formula.
fn neutralized(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

prop_compose! {
    fn decimals()(mantissa in -999_999_999_999_999_i64..=999_999_999_999_999, scale in 0_u32..=9) -> Decimal {
        Decimal(rust_decimal::Decimal::new(mantissa, scale))
    }
}

fn texts() -> impl Strategy<Value = Option<String>> {
    prop::option::of("['=+@a1西-]([a-z ,;\"\n'=]{0,8}[a-z\"'])?")
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read_back(
        values in prop::collection::vec((prop::option::of(decimals()), prop::option::of(decimals()), 0_i64..=999_999_999_999_999, texts(), texts()), 1..4),
        separator in prop::sample::select(vec![b',', b';', b'\t']),
    ) {
        let mut writer = ::csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
        writer.write_record(["指標ID", "年度", "実績値", "前年度実績値（記載）", "標本数", "状態", "実績（原文）", "備考"]).unwrap();
        let text = |it: &Option<String>| it.as_deref().map(neutralized).unwrap_or_default();
        for (year, (value, previous, size, words, comment)) in (2000..).zip(&values) {
            let number = |it: &Option<Decimal>| it.map(|it| it.to_string()).unwrap_or_default();
            let status = if value.is_some() { "報告済み" } else { "廃止" };
            let row = [BARE.to_owned(), year.to_string(), number(value), number(previous), size.to_string(), status.to_owned(), text(words), text(comment)];
            writer.write_record(row).unwrap();
        }
        let sheet = read(&csv::read(&writer.into_inner().unwrap(), is_key).unwrap().into(), None, lookup);
        prop_assert_eq!(&sheet.notes, &[]);
        prop_assert_eq!(sheet.entries.len(), values.len());
        for (entry, (value, previous, size, words, comment)) in sheet.entries.iter().zip(values) {
            let result = &entry.result;
            prop_assert_eq!((result.value, result.stated_previous_value, result.sample_size), (value, previous, Some(size)));
            prop_assert_eq!((result.text.clone(), result.comment.clone()), (words.map(Prose), comment.map(Prose)));
        }
    }

    #[test]
    fn no_table_makes_reading_panic(cells in prop::collection::vec("([0-9%,.▲年月日/'=-]|\\PC){0,12}", 14)) {
        let heads = "指標ID,年度,実績値,分母,標本数,状態,確定区分,実績（原文）,達成状況,測定日,備考,単位,指標,累計値\n";
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(&cells).unwrap();
        let row = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let _ = read_csv(&format!("{heads}{row}{BARE},2024,{row}"));
    }
}
