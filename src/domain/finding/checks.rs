//! Values that can hardly be right: somebody who knows should check them.

use super::{FindingField, FindingKind, Misfit, Seen, number, valued};
use crate::{
    domain::{
        likeness::plain,
        quantity::{is_percent, rounded},
        succession::Terms,
        target::Comparator,
    },
    value::{Codes as _, Decimal, language::Bilingual},
};

/// Names of rates that may well be over 100 % or negative: growth, change, and rates against a plan.
const OPEN_RATES: &[&str] = &[
    "増加率",
    "減少率",
    "増減率",
    "伸び率",
    "伸率",
    "変化率",
    "上昇率",
    "下落率",
    "低下率",
    "成長率",
    "改善率",
    "達成率",
    "回復率",
    "前年度比",
    "前年比",
    "倍率",
    "収益率",
    "回転率",
    "進捗率",
    "自給率",
    "充足率",
    "執行率",
    "稼働率",
    "利用率",
];

/// A share of a whole is between 0 % and 100 %. The name tells whether the indicator is a share.
pub(super) fn percent_beyond_100(now: &Seen<'_>) -> Option<Misfit> {
    let Terms { unit, name, target, .. } = now.terms;
    let name = plain(name);
    // （…） at the end only adds to the name of the share.
    let bare = name
        .strip_suffix(')')
        .and_then(|it| it.rsplit_once('('))
        .map_or(name.as_str(), |it| it.0);
    let is_share = is_percent(unit)
        && unit != Some("ポイント")
        && (bare.ends_with("割合") || bare.ends_with('率'))
        && !OPEN_RATES.iter().any(|rate| bare.ends_with(rate));
    let absolute = !matches!(
        target.comparator,
        Comparator::IncreaseBy | Comparator::DecreaseBy | Comparator::IncreaseByPercent | Comparator::DecreaseByPercent
    );
    let most = Decimal(rust_decimal::Decimal::ONE_HUNDRED);
    let beyond = |number: &Decimal| *number > most || *number < Decimal::ZERO;
    let value = now.value.map(|value| (FindingField::Value, value));
    let aims = [target.value, target.upper].into_iter().flatten().filter(|_| absolute);
    let aims = aims.map(|aim| (FindingField::TargetValue, aim));
    let (field, number) = value.into_iter().chain(aims).find(|(_, it)| is_share && beyond(it))?;
    let limit = if number > most { most } else { Decimal::ZERO };
    Some(checked(
        FindingKind::PercentBeyond100,
        now,
        (field, number),
        limit,
        |what, is, limit| {
            Bilingual::new(
                format!(
                    "割合のはずの{}が{}で、{}を外れている。確認が必要。",
                    what.ja, is.ja, limit.ja
                ),
                format!(
                    "The {} of a share is {}, beyond {}; to be checked.",
                    what.en, is.en, limit.en
                ),
            )
        },
    ))
}

/// Units of things counted in whole numbers.
const WHOLES: &[&str] = &[
    "件",
    "人",
    "名",
    "団体",
    "世帯",
    "回",
    "社",
    "校",
    "か所",
    "カ所",
    "ヶ所",
    "箇所",
    "ヵ所",
    "園",
    "店",
    "店舗",
    "軒",
    "棟",
    "戸",
    "台",
    "組",
    "冊",
    "本",
    "枚",
    "地域",
    "町会",
    "施設",
    "事業",
    "種類",
    "項目",
    "区",
    "位",
    "者",
    "講座",
    "グループ",
];

pub(super) fn count_with_decimals(now: &Seen<'_>) -> Option<Misfit> {
    let unit = plain(now.terms.unit?);
    let value = now.value.map(|value| (FindingField::Value, value));
    let in_percent = matches!(
        now.terms.target.comparator,
        Comparator::IncreaseByPercent | Comparator::DecreaseByPercent
    );
    let aim = now.terms.target.value.filter(|_| !in_percent);
    let aim = aim.map(|aim| (FindingField::TargetValue, aim));
    let broken = |(_, number): &(_, Decimal)| !number.0.is_integer() && WHOLES.contains(&unit.as_str());
    // A mean has decimals: its name has one of these words.
    if ["平均", "当たり", "あたり"]
        .iter()
        .any(|mean| now.terms.name.contains(mean))
    {
        return None;
    }
    let found = value.into_iter().chain(aim).find(broken)?;
    let whole = Decimal(rounded(found.1.0, 0));
    Some(checked(
        FindingKind::CountWithDecimals,
        now,
        found,
        whole,
        |what, is, _| {
            Bilingual::new(
                format!("整数で数えるはずの{}が{}で、小数がある。確認が必要。", what.ja, is.ja),
                format!(
                    "The {} is counted in wholes and has decimals: {}; to be checked.",
                    what.en, is.en
                ),
            )
        },
    ))
}

/// Words in the names of balances and changes, which may well be negative.
const BALANCES: &[&str] = &["増", "減", "差", "収支", "超過", "黒字", "赤字", "変化"];

pub(super) fn negative_count(now: &Seen<'_>) -> Option<Misfit> {
    let unit = plain(now.terms.unit?);
    let is_count = WHOLES.contains(&unit.as_str()) && !BALANCES.iter().any(|word| now.terms.name.contains(word));
    let value = now.value.filter(|value| is_count && *value < Decimal::ZERO)?;
    Some(checked(
        FindingKind::NegativeCount,
        now,
        (FindingField::Value, value),
        Decimal::ZERO,
        |what, is, _| {
            Bilingual::new(
                format!("数えるはずの{}が負の{}である。確認が必要。", what.ja, is.ja),
                format!("The {} is a count and negative: {}; to be checked.", what.en, is.en),
            )
        },
    ))
}

/// A value that the rule doubts.
fn checked(
    kind: FindingKind,
    now: &Seen<'_>,
    (field, found): (FindingField, Decimal),
    limit: Decimal,
    words: impl FnOnce(Bilingual, Bilingual, Bilingual) -> Bilingual,
) -> Misfit {
    let unit = now.terms.unit;
    Misfit {
        kind,
        found: valued(field, found, unit),
        against: valued(FindingField::Rule, limit, unit),
        is_earlier: false,
        sentence: words(field.label(), number(found, unit), number(limit, unit)),
    }
}
