//! Reading is bounded, and its work is in proportion to the file: counted, not timed.

use std::fmt::Write as _;

use super::{Form, errors, read_html, read_text};
use crate::value::work::counted;

/// A form with a part repeated within a box.
fn text(part: &str, count: usize) -> String {
    format!(
        "令和6年度 西区運営方針\n経営課題1-(1) 防災\nアウトカム指標\n{}",
        part.repeat(count)
    )
}

/// So many attributes with this value.
fn attributes(count: usize, value: &str) -> String {
    let each = (0..count).map(|n| format!(" a{n}='{value}'"));
    each.collect::<Vec<_>>().concat()
}

fn html(part: &str, count: usize) -> String {
    text("", 0).replace('\n', "<p>") + &part.repeat(count)
}

/// Reads a form as text or as HTML.
type Reads = fn(&str, &str) -> Form;

#[test]
fn twice_the_file_is_twice_the_work() {
    let tag = format!("<b{}>x</b>", attributes(90, "1"));
    for part in [
        "\t",
        "a\t",
        "a\n",
        "目標\n",
        "経営課題1\n",
        "5予算額 (12百万円)(12百万円) 1百万円\t",
        "・a：40%以上 ",
        "①",
        "(",
        "<",
        "<5% ",
        "満足度 40%以上（R4：30%） ",
        "実績\t前年度実績\t目標値\t",
        "<ul><li>a",
        "<table><tr><td hidden>",
        "<span data-exact='1'>x</span>",
        "<!-- a b c -->",
        "<script>a<b</script>",
        "&amp;",
        &tag,
    ] {
        // Few enough that reading stays within all limits: a limit would cut the work short.
        let count = 1_000.min(100_000 / part.len());
        let readers: [(&str, Reads); 2] = [("text", |text, _| read_text(text)), ("HTML", |_, html| read_html(html))];
        for (what, read) in readers {
            let work = |n| {
                let (text, html) = (text(part, n), html(part, n));
                counted(|| read(&text, &html)).1
            };
            // The differences leave out the work that is equal for every file.
            let (one, two) = (work(2 * count) - work(count), work(4 * count) - work(2 * count));
            assert!(one >= u64::try_from(count).unwrap(), "{what} {part}: {one}");
            assert!(
                (one * 19 / 10..=one * 21 / 10).contains(&two),
                "{what} {part}: {one}, {two}"
            );
        }
    }
}

#[test]
fn a_tag_has_a_hundred_attributes_and_no_more() {
    let page = |count: usize| html(&format!("<p{}>・備え：50%以上", attributes(count, "x y")), 1);
    let too_many = |form: &Form| {
        form.notes
            .iter()
            .any(|note| note.code == "too_large" && note.detail.en.contains("100 attributes"))
    };
    assert!(!too_many(&read_html(&page(100))));
    let (form, work) = counted(|| read_html(&page(101)));
    assert!(too_many(&form), "{:?}", form.notes);
    // More attributes cost no more work: reading ends at the limit.
    let (form, more) = counted(|| read_html(&page(20_000)));
    assert!(too_many(&form));
    assert!(
        more <= work + u64::try_from(page(20_000).len()).unwrap(),
        "{work}, {more}"
    );
    // Attributes that look like tags are attributes of one tag.
    let spread = attributes(200, "<b>");
    assert!(too_many(&read_html(&html(&format!("<p{spread}>"), 1))));
    // Text that is no tag has no attributes.
    for harmless in [
        format!("<!-- <p{spread} -->"),
        format!("<script><p{spread} </script>"),
        format!("<p title=\"{}\">", "a ".repeat(1_000)),
        format!("5 < 6{}", " a".repeat(1_000)),
    ] {
        assert!(!too_many(&read_html(&html(&harmless, 1))), "{harmless:.40}");
    }
}

#[test]
fn a_form_has_as_many_goals_and_indicators_as_a_policy_may_have() {
    let goals = |count: usize, indicators: usize| {
        let mut form = "令和6年度 西区運営方針\n".to_owned();
        for n in 0..count {
            writeln!(form, "経営課題{}-({}) 防災\nアウトカム指標", n / 90 + 1, n % 90 + 1).unwrap();
            for m in 0..indicators {
                writeln!(form, "・備え{m}：50%以上").unwrap();
            }
        }
        read_text(&form)
    };
    let form = goals(100, 10);
    assert_eq!((form.goals.len(), errors(&form)), (100, vec![]));
    for form in [goals(101, 1), goals(2, 501)] {
        assert_eq!((form.goals.len(), errors(&form)), (0, vec!["too_large"]));
    }
}
