//! Examples of format codes.

use proptest::prelude::*;

use super::*;

/// How a code shows a number: its text if it says more or less than the number, with the kind of others.
fn shown(code: &str, number: &str) -> String {
    match NumberFormat::read(code).show(number.parse().ok()) {
        Shown::Number { text: Some(text), .. } => text.to_string(),
        Shown::Number {
            percent, text: None, ..
        } => if percent { "as it is, %" } else { "as it is" }.to_owned(),
        Shown::Date => "date".to_owned(),
        Shown::Time => "time".to_owned(),
    }
}

#[test]
fn format_codes_say_what_kind_of_thing_is_shown() {
    let number = |places| (false, places);
    let percent = |places| (true, places);
    for (code, expected) in [
        ("General", number(0)),
        ("0", number(0)),
        ("#,##0.00", number(2)),
        ("#,##0\"団体\"", number(0)),
        ("0\"%\"", number(0)),
        ("0\\%", number(0)),
        ("[Red]0.0;[Blue]-0%", number(1)),
        ("0.00E+00", number(2)),
        ("@", number(0)),
        ("0%", percent(0)),
        ("0.0%;▲0.0%", percent(1)),
        ("_ * #,##0.00%_ ", percent(2)),
        ("\"yyyy", number(0)),
        ("", number(0)),
    ] {
        let Shown::Number { percent, places, .. } = NumberFormat::read(code).show(None) else {
            panic!("{code}");
        };
        assert_eq!((percent, places), expected, "{code}");
    }
    for (code, expected) in [
        ("[$-411]ggge\"年\"m\"月\"d\"日\"", Shown::Date),
        ("yyyy/m/d;@", Shown::Date),
        ("yyyy年m月d日", Shown::Date),
        ("m\"月\"d\"日\"", Shown::Date),
        ("d-mmm", Shown::Date),
        ("mmm", Shown::Date),
        ("aaa", Shown::Date),
        ("yyyy/m/d h:mm AM/PM", Shown::Date),
        ("h:mm AM/PM", Shown::Time),
        ("[h]:mm:ss", Shown::Time),
        ("[mm]", Shown::Time),
        ("mm:ss.0", Shown::Time),
    ] {
        assert_eq!(NumberFormat::read(code).show(None), expected, "{code}");
    }
}

#[test]
fn what_is_shown_is_said_where_it_is_not_just_the_number() {
    for (code, number, expected) in [
        ("General", "48.7", "as it is"),
        ("0", "49", "as it is"),
        ("0", "48.7", "49"),
        ("0", "48.5", "49"),
        ("0.0", "48.7", "as it is"),
        ("0.00", "48.7", "as it is"),
        ("0.#", "48", "as it is"),
        (".00", "12.5", "as it is"),
        ("000", "7", "as it is"),
        ("#", "0", ""),
        ("#,##0", "1234567", "as it is"),
        ("#,##0", "1234567.8", "1,234,568"),
        ("#,##0,", "1234000", "1,234"),
        ("#,##0,\"千円\"", "1234000", "1,234千円"),
        ("0.0,,\"百万\"", "1234000", "1.2百万"),
        ("0%", "0.57", "as it is, %"),
        ("0%", "0.485", "49%"),
        ("0.0%", "0.485", "as it is, %"),
        ("0\"%\"", "57", "57%"),
        ("0\"人\"", "57", "57人"),
        ("\"約\"0", "57", "約57"),
        ("\"¥\"#,##0", "1234", "as it is"),
        ("[$¥-411]#,##0", "1234", "as it is"),
        ("0", "-5", "as it is"),
        ("0;\"▲\"0", "-5", "as it is"),
        ("0;\"▲ \"#,##0", "-5000", "as it is"),
        ("#,##0_);(#,##0)", "-5000", "as it is"),
        ("#,##0_);[Red]\\(#,##0\\)", "5000", "as it is"),
        ("0;0", "-5", "5"),
        ("\"▲\"0", "5", "▲5"),
        ("+0;-0", "5", "as it is"),
        ("0;-0;\"-\"", "0", "-"),
        ("0;-0;;@", "0", ""),
        (";;;", "5", ""),
        ("0;-0;0;@", "5", "as it is"),
        ("[<100]0;0.0", "48.7", "49"),
        ("[<100]0;0.0", "148.7", "as it is"),
        ("[<100]0;0.0", "-5", "as it is"),
        ("[>=100]0;[<100]0.0", "99.5", "as it is"),
        ("[>=1000]#,##0,\"千\";0", "5000", "5千"),
        ("[>=1000]#,##0,\"千\";0", "500", "as it is"),
        ("[=1]\"有\";[=0]\"無\";0", "1", "有"),
        ("[=1]\"有\";[=0]\"無\";0", "0", "無"),
        ("[=1]\"有\";[=0]\"無\";0", "3", "as it is"),
        ("[=1]\"有\";[=0]\"無\"", "3", "###"),
        ("[<0]\"▲\"0;0", "-5", "as it is"),
        ("[Red][<0]0;0", "-5", "5"),
        ("[>100]0;0;\"他\"", "50", "他"),
        ("[>100]0;\"▲\"0;\"他\"", "-50", "as it is"),
        ("0.00E+00", "123456", "1.23E+05"),
        ("0.00E+00", "123000", "as it is"),
        ("0.00E-00", "0.00123", "as it is"),
        ("##0.0E+0", "12345", "12.3E+3"),
        ("0.0E+0", "9.99", "1.0E+1"),
        ("# ?/?", "1.5", "as it is"),
        ("# ?/?", "0.333333333333333", "as it is"),
        ("# ?/?", "1.3", "1 1/3"),
        ("# ?/?", "2.99", "3"),
        ("?/?", "1.3", "4/3"),
        ("# ?/8", "1.26", "1 2/8"),
        ("000-0000", "5500013", "550-0013"),
        ("General\"件\"", "5.5", "5.5件"),
        ("@", "5", "as it is"),
        ("\"a@\"0", "5", "a@5"),
        ("[<1]h:mm;yyyy/m/d", "0.5", "time"),
        ("[<1]h:mm;yyyy/m/d", "45747", "date"),
        ("0\\;0", "12", "1;2"),
    ] {
        assert_eq!(shown(code, number), expected, "{code} of {number}");
    }
}

proptest! {
    #[test]
    fn no_code_makes_reading_panic(code in "([0#?,.%/;\"\\\\\\[\\]<>=E+@_* \\-ymdhs]|General|\\PC){0,20}", mantissa: i64, scale in 0_u32..=28) {
        let format = NumberFormat::read(&code);
        let _ = format.show(Some(Decimal::new(mantissa, scale)));
        let _ = format.show(Some(Decimal::MAX));
        let _ = format.show(None);
    }

    /// A format that shows every digit of a number never says that something else is shown.
    #[test]
    fn a_number_that_is_shown_whole_is_just_the_number(mantissa: i32, scale in 0_u32..=4) {
        let number = Decimal::new(mantissa.into(), scale).normalize();
        for code in ["General", "0.0000", "#,##0.0000;▲#,##0.0000", "0.00##_ ;[Red]-0.00## ", "0.000000%", "[<0]-0.0000;0.0000"] {
            let shown = NumberFormat::read(code).show(Some(number));
            prop_assert!(matches!(shown, Shown::Number { text: None, .. }), "{code} of {number}: {shown:?}");
        }
    }
}
