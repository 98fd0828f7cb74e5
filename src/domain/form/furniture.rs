//! Page furniture: lines that belong to a page and not to the form on it, such as its number, its date and whom to ask.
//!
//! The kinds are a closed list. A line is furniture only if all of it is: a sentence that mentions a telephone or a date
//! is text of the form.

use super::width::narrow;
use crate::value::work;
use words::{CONTACTS, HOMES, LINES, OFFICES, PHRASES, STAMPS};

mod words;

/// The most characters of a line of furniture.
const LONGEST: usize = 160;
/// The most characters of an office's name.
const LONGEST_NAME: usize = 40;

/// Recognizes furniture line by line: what follows the words for whom to ask depends on them.
#[derive(Debug, Default)]
pub(super) struct Furniture {
    /// Whether the lines before say whom to ask.
    in_contact: bool,
}

impl Furniture {
    /// Whether the next line is furniture; `alone` if the line is a row by itself.
    pub(super) fn is(&mut self, text: &str, alone: bool) -> bool {
        if text.chars().nth(LONGEST).is_some() {
            self.in_contact = false;
            return false;
        }
        work::spend(text.len());
        let line: String = text.chars().map(narrow).collect();
        let line = line.trim();
        if is_contact(line) {
            self.in_contact = true;
            return true;
        }
        let of_contact = self.in_contact && (is_office(line) || line.contains("丁目") && !line.contains('。'));
        let is = of_contact
            || alone && is_page_number(line)
            || is_phrase(line)
            || is_stamp(line)
            || is_telephone(line)
            || is_address(line)
            || is_path(line)
            || is_reader_note(line)
            || is_attachment(line)
            || is_copyright(line)
            || is_link(line);
        self.in_contact &= is;
        is
    }
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| *c != ' ').collect()
}

fn is_phrase(line: &str) -> bool {
    let inner = line.trim_matches(|c: char| "[]<>()|^▲△↑・ ".contains(c));
    let inner = inner.trim_end_matches('。');
    PHRASES.contains(&inner) || PHRASES.contains(&without_blanks(inner).as_str())
}

/// 問合せ先：総務課, and the words alone.
fn is_contact(line: &str) -> bool {
    let inner = line.trim_matches(|c: char| "【】[]<>()■●◆ ".contains(c));
    let Some(rest) = CONTACTS.iter().find_map(|word| inner.strip_prefix(word)) else {
        return false;
    };
    let rest = rest.trim_start_matches(['】', ']']).trim_start();
    rest.is_empty() || rest.starts_with(':') && !rest.contains('。') && rest.chars().count() <= 2 * LONGEST_NAME
}

/// 総務課, 大阪市西区役所 総務課総合企画グループ.
fn is_office(line: &str) -> bool {
    line.chars().count() <= LONGEST_NAME
        && OFFICES.iter().any(|word| line.ends_with(word))
        && !line.contains(['。', '、'])
}

/// 更新日：2024年4月1日, [2024年4月1日], 2024/04/01 10:23, ページ番号：123456.
fn is_stamp(line: &str) -> bool {
    let is_number = |text: &str| {
        let dated = |c: char| c.is_ascii_digit() || "年月日時分/.-: 令和平成元(曜月火水木金土)".contains(c);
        text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(dated)
    };
    let inner = line.trim_matches(['[', ']', '(', ')', ' ']);
    if let Some(rest) = STAMPS.iter().find_map(|word| inner.strip_prefix(word)) {
        let rest = rest.trim_start();
        return is_number(rest.strip_prefix(':').unwrap_or(rest).trim());
    }
    let bracketed = line.starts_with('[') && line.ends_with(']') && inner.ends_with('日') && inner.contains('年');
    let clock = inner.split_once(' ').is_some_and(|(date, time)| {
        date.split('/').count() == 3 && date.len() >= 8 && time.contains(':') && is_number(time)
    });
    (bracketed || clock && is_number(inner.split(' ').next().unwrap_or_default())) && is_number(inner)
}

/// 電話：06-6532-9625 ファックス：06-6538-7316, 総務課 電話 06-6532-9625, 06-6532-9625.
fn is_telephone(line: &str) -> bool {
    if line.bytes().filter(u8::is_ascii_digit).count() < 9 {
        return false;
    }
    let mut rest = line;
    let (mut left, mut numbers) = (String::new(), 0);
    'line: while !rest.is_empty() {
        for word in LINES {
            if let Some(after) = rest.strip_prefix(word) {
                rest = after;
                continue 'line;
            }
        }
        if let Some(after) = after_number(rest, numbers > 0) {
            (rest, numbers) = (after, numbers + 1);
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        left.push(c);
    }
    let left = left.trim_matches(|c: char| " :()/,・-".contains(c));
    numbers > 0 && (left.is_empty() || left.chars().all(|c| " :()/,・-".contains(c)) || is_office(left))
}

/// The text behind a telephone number, or behind the number of an extension: 06-6532-9625, 06(6532)9625, 1234.
fn after_number(text: &str, extension: bool) -> Option<&str> {
    let end = text
        .bytes()
        .position(|byte| !(byte.is_ascii_digit() || matches!(byte, b'-' | b'(' | b')')))
        .unwrap_or(text.len());
    let (number, after) = text.split_at_checked(end)?;
    let number = number.trim_end_matches(['(', '-']);
    let groups: Vec<&str> = number
        .split(['-', '(', ')'])
        .filter(|group| !group.is_empty())
        .collect();
    let digits: usize = groups.iter().map(|group| group.len()).sum();
    let is_number = number.starts_with('0') && groups.len() == 3 && (9..=11).contains(&digits);
    let is_extension = extension && groups.len() == 1 && (2..=5).contains(&digits);
    (is_number || is_extension).then(|| text.get(number.len()..).unwrap_or(after))
}

/// 〒550-8501 大阪市西区新町4丁目5番14号, Eメール：a@example.com.
fn is_address(line: &str) -> bool {
    let labelled = ["住所:", "所在地:"].iter().any(|word| line.starts_with(word));
    let mail = ["Eメール", "E-mail", "メール", "mail"]
        .iter()
        .any(|word| line.starts_with(word))
        && line.contains('@');
    (line.starts_with('〒') || labelled || mail) && !line.contains('。') && line.chars().count() <= 2 * LONGEST_NAME
}

/// ホーム > 西区 > 区政, 現在位置：….
fn is_path(line: &str) -> bool {
    let path = ["現在位置", "現在地"].iter().find_map(|word| line.strip_prefix(word));
    let path = path
        .and_then(|rest| rest.trim_start().strip_prefix(':'))
        .unwrap_or(line);
    let mut steps = path.split(['>', '›', '»']).map(str::trim);
    let home = steps
        .next()
        .is_some_and(|first| HOMES.contains(&first) || first.ends_with("トップページ"));
    let mut steps = steps.peekable();
    home && steps.peek().is_some() && steps.all(|step| step.chars().count() <= LONGEST_NAME && !step.contains('。'))
}

/// PDFファイルの閲覧には Adobe Reader が必要です。
fn is_reader_note(line: &str) -> bool {
    let about = line.contains("Adobe") && (line.contains("Reader") || line.contains("Acrobat"));
    let says = ["必要", "無償", "無料", "お持ちでない", "入手", "ダウンロード"];
    about && (says.iter().any(|word| line.contains(word)) || line.chars().count() <= 25)
}

/// 令和6年度西区運営方針（PDF形式、1.2MB）
fn is_attachment(line: &str) -> bool {
    let Some((_, bracket)) = line.strip_suffix(')').and_then(|inner| inner.rsplit_once('(')) else {
        return false;
    };
    let kinds = ["PDF", "CSV", "XLS", "DOC", "ZIP", "Excel", "Word", "エクセル", "ワード"];
    let sizes = ["KB", "MB", "キロバイト", "メガバイト", "バイト", "kb", "mb"];
    let size = sizes.iter().find_map(|size| bracket.trim_end().strip_suffix(size));
    kinds.iter().any(|kind| bracket.contains(kind))
        && size.is_some_and(|text| text.trim_end().ends_with(|c: char| c.is_ascii_digit()))
}

fn is_copyright(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    lower.starts_with("copyright")
        || lower.starts_with('©')
        || lower.ends_with("all rights reserved.")
        || lower.ends_with("all rights reserved")
}

/// `https://www.city.osaka.lg.jp/nishi/`, with a page's number behind it.
fn is_link(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let linked = words
        .next()
        .is_some_and(|first| first.starts_with("http://") || first.starts_with("https://"));
    linked && words.all(is_page_number)
}

/// 3, - 3 -, 3/12, 3 / 12 ページ, P.3, 第3頁, Page 3 of 12.
fn is_page_number(line: &str) -> bool {
    let line = without_blanks(line);
    let number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let inner = line.strip_prefix('-').and_then(|inner| inner.strip_suffix('-'));
    let inner = inner.unwrap_or(&line);
    let inner = ["Page", "page", "P.", "p.", "P", "p", "第"]
        .iter()
        .find_map(|word| inner.strip_prefix(word))
        .unwrap_or(inner);
    let inner = inner
        .strip_suffix("ページ")
        .or(inner.strip_suffix('頁'))
        .unwrap_or(inner);
    match inner.split_once('/').or(inner.split_once("of")) {
        Some((page, pages)) => number(page.trim_end_matches("ページ")) && number(pages),
        None => number(inner),
    }
}

#[cfg(test)]
mod tests {
    use super::Furniture;

    #[test]
    fn lines_that_belong_to_the_page_are_known_by_their_kinds() {
        for line in [
            "3",
            "- 3 -",
            "－　３　－",
            "3/12",
            "3 / 8 ページ",
            "３ページ",
            "3 ページ",
            "P.3",
            "第3頁",
            "Page 3 of 8",
            "電話：06-6532-9625",
            "電話： 06-6532-9625　ファックス： 06-6538-7316",
            "TEL 06(6532)9625（内線 1234）",
            "ＦＡＸ：０６－６５３８－７３１６",
            "総務課 電話 06-6532-9625",
            "06-6532-9625",
            "更新日：2024年4月1日",
            "最終更新日 令和6年4月1日",
            "[2024年4月1日]",
            "［２０２４年４月１日］",
            "2024/04/01 10:23",
            "ページ番号：0000123456",
            "このページの作成者・問合せ先",
            "【問合せ先】",
            "お問い合わせ先：西区役所総務課",
            "〒550-8501 大阪市西区新町4丁目5番14号（西区役所5階）",
            "Eメール：nishi@example.com",
            "印刷する",
            "ページの先頭へ戻る",
            "▲ページトップへ",
            "ホーム > 西区 > 区政情報",
            "大阪市トップページ＞西区",
            "現在位置：トップページ＞区政",
            "PDFファイルの閲覧には Adobe Reader が必要です。お持ちでない方は無償でダウンロードできます。",
            "Get Adobe Acrobat Reader",
            "令和6年度西区運営方針（PDF形式、1.2MB）",
            "Copyright (C) City of Osaka All Rights Reserved.",
            "https://www.city.osaka.lg.jp/nishi/page/0000000000.html 1/8",
        ] {
            assert!(Furniture::default().is(line, true), "{line}");
        }
    }

    #[test]
    fn text_that_mentions_them_stays() {
        for line in [
            "・電話：06-6532-9625 での相談を増やす。",
            "電話相談の件数：100件以上",
            "電話での相談窓口を設ける。",
            "更新日を区のページに載せる。",
            "問合せ先を分かりやすく知らせる。",
            "令和6年4月1日に窓口を開いた。",
            "令和6年4月1日",
            "2024年4月",
            "10 > 5",
            "Adobe Readerを使わずに見られる資料を増やし、区民の利便性の向上を図る。",
            "ホームページの閲覧数",
            "3団体",
            "-3",
            "48%",
            "A",
            "1,234",
            "総務課",
            "相談窓口を新町4丁目に置く。",
            "0120",
            "",
        ] {
            assert!(!Furniture::default().is(line, true), "{line}");
        }
        assert!(!Furniture::default().is("3", false));
    }

    #[test]
    fn an_office_is_furniture_only_where_a_page_says_whom_to_ask() {
        let mut furniture = Furniture::default();
        let lines = [
            ("このページの作成者・問合せ先", true),
            ("大阪市西区役所 総務課", true),
            ("大阪市西区新町4丁目5番14号", true),
            ("電話：06-6532-9625", true),
            ("区民の声を聞く。", false),
            ("総務課", false),
        ];
        for (line, is) in lines {
            assert_eq!(furniture.is(line, true), is, "{line}");
        }
    }
}
