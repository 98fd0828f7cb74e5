//! Lines as wards and bureaus write them, each with its right reading in the policy of 2024.

use super::{named::NAMED, *};
use crate::domain::reading::indicator;

/// A target on one line: comparator, number with its unit, reference, period.
pub(super) fn outline(read: &ReadTarget) -> String {
    let said = |value: Option<Decimal>| value.map(|it| it.0.to_string());
    let target = &read.target;
    let unit = read.unit.clone().unwrap_or_default();
    let mut parts = vec![target.comparator.code().to_owned()];
    parts.extend(said(target.value).map(|value| match said(target.upper) {
        Some(upper) => format!("{value}~{upper}"),
        None => value,
    }));
    parts.extend(Some(unit).filter(|unit| !unit.is_empty()));
    let reference = &target.reference;
    if reference.kind != ReferenceKind::None {
        let year = reference.fiscal_year.map(|year| year.to_string());
        let name = reference.name.as_ref().map(|name| name.0.clone());
        let of = [
            Some(reference.kind.code().to_owned()),
            name,
            year,
            said(reference.value),
        ];
        parts.push(format!("of {}", of.into_iter().flatten().collect::<Vec<_>>().join(" ")));
    }
    let year = |year: Option<FiscalYear>| year.map(|year| year.to_string()).unwrap_or_default();
    match target.period.kind {
        PeriodKind::SingleYear => {}
        PeriodKind::ByEndOf => parts.push(format!("by {}", year(target.period.to))),
        PeriodKind::Cumulative => parts.push(format!("over {}-{}", year(target.period.from), year(target.period.to))),
    }
    parts.join(" ")
}

/// Lines that set no target that can be judged: two conditions, something that is not said, or is said in words only a person
/// understands. A name may be found, and a part may be offered for a person to confirm; nothing of it is a target.
pub(super) const UNREAD: &[&str] = &[
    "令和7年度内に未定",
    "令和元年度末より－4人加",
    "7BS下位⇒17",
    "誤差：0.0000000000秒",
    "設置数：令和8年度末までに検討中",
    "満足度80%",
    "満足度 .5%以上",
    "満足度 来年80%以上",
    "来年度の満足度：80%以上",
    "参加者数：前年度より10件増加（50人）",
    "最終年度 満足度80%以上",
    "誤差 ±5%以内",
    "気温 -5度以上",
    "順位：3位以上",
    "24区中3位以上",
    "漢字検定：2級以上",
    "60%を超えることがない",
    "80%以上を達成できない",
    "前年度より増加を抑える",
    "待ち時間を10分短縮する",
    "利用者を500人増やす",
    "男性80%以上 女性90%以上",
    "利用者数：R6～R8で600人以上",
    "検挙件数：令和6年中に100件以上",
    "満足度：80%以上（R8：85%）",
    "温室効果ガスの排出量を基準年度（2013年度）から50%以上削減",
    "参加者数：約500人以上",
    "参加者数：500人程度",
    "実施率：おおむね90%以上",
    "相談件数：100件前後",
    "回答率：3分の2以上",
    "回答率：2/3以上",
    "回答率：½以上",
    "合格率：7割以上8割未満",
    "満足度70%以上、参加者数300人以上",
    "満足度：70%以上かつ前年度以上",
    "満足度：70%以上、又は前年度を上回る",
    "参加者数：300人以上（ただし雨天中止の場合を除く）",
    "参加者数：300人以上 ※雨天中止を除く",
    "認知度 R6：40%以上 R7：45%以上",
    "認知度：令和6年度40%以上、令和7年度45%以上",
    "3か年で延べ600人以上",
    "令和8年度 満足度80%以上",
    "満足度：令和8年度に80%以上",
    "待機児童数：0人（令和7年4月1日時点）",
    "犯罪件数：令和5年より減少",
    "満足度：前年度比5%増",
    "前年度比10%以上",
    "利用件数：前年度の9割以下",
    "利用件数：前年度比105%以上",
    "利用件数：前年度比1.2倍以上",
    "5%以上の減少",
    "苦情を減らす",
    "30分以上待った割合を減らす",
    "苦情件数：半減",
    "満足した参加者：過半数",
    "参加者数：前年度比倍増",
    "満足度：前年度より改善",
    "重大事故：なし",
    "発行回数：隔月1回以上",
    "発行回数：今月3回以上",
    "発行回数：月1回以上/週",
    "実施率：月80%以上",
    "認知度：令和4年度から令和6年度までの3年間で60%以上",
    "参加者：各地域100人以上",
    "参加者数：4～5万人",
    "参加者数：1.5～2千人",
    "認知度：4～5割",
    "参加者数：3→5万人",
    "満足度60%以上、参加者：月平均100人以上",
    "令和8年度 参加者：月平均100人以上",
    "待ち時間：平均を10分以内",
    "満足度：5点満点中おおむね4点以上",
    "広報紙の発行 毎月約10件以上",
    "会議を12回以上開催し、参加率80%以上",
    "研修を3回以上実施するとともに、満足度80%以上",
    "参加者数100人以上で満足度80%以上",
    "参加者：前年度の参加者数80人以上",
    "参加者：できるだけ新規で、80人以上",
    "研修：職員の約95%以上が受講",
    "研修：職員の95%以上が受講しない",
    "研修：職員の95%以上が受講を希望",
    "研修：職員の95人以上が受講",
    "24区すべてで検討を始める",
    "24区のほぼすべてで実施",
    "実施率＝100%",
    "健康づくりに取り組む区民の割合 60%を目指す",
    "満足度：60%以上（努力目標）",
    "満足度：60%以上（未回答でないアンケート）",
    "設置台数：R5：42台→R8：30台以下",
    "設置台数：R7：42台→30台以下",
    "加入率：55%を維持・改善",
    "加入率：55%以下を維持・向上",
    "利用件数：前年度の1割",
    "利用者の訪問（3人以上）",
    "申請率65%以上（R8.9末）",
    "防災リーダー：各中学校10人以上",
    "避難訓練：毎回参加者30人以上",
    "利用者：コロナ前の95%以上",
    "定員：5人から10人以下",
    "申請件数の累計1,000件以上",
    "現場到着：5分台を維持",
    "交付率：全区が80%以上",
    "実施率：小中学校とも80%以上",
    "相談件数：10件から20件以上",
    "満足度：60%以上（次回調査）",
    "受付件数：月10件から20件以上に増やす",
    "施設の予約：オンライン予約が約70％以上",
    "得票：80点台以上",
    "スキルアップ講座：前年度よりスキルアップ",
    "救急隊の到着：8分以内が80%以上",
    "1人当たり3回以上",
    "順位：上位3位以内",
    "参加者の80%以上",
    "100人中80人以上",
    "正答数：10問中8問以上",
    "利用件数：累計1,000件以上",
    "満足度：現状維持",
    "満足度：現状値以上",
    "51²件以上",
    "５１ ５２％以上",
    "1,0,0件以上",
    "満足度：前々年度と前年度の平均以上",
    "満足度：過去5年平均を上回る",
    "参加者数：80人以上100人以下が望ましい",
    "満足度：75%以上（R8：80%以上）",
    "認知度：30%以上（57人）",
    "来年度 満足度80%以上",
    "出席率：80%を割ることがないよう90%以上",
    "発信件数：50件以上100件以上",
    "増加率：前年度5件増",
    "設置数：10か所以下に増やす",
    "区役所窓口サービスの格付け：星3つ以上",
    "防犯カメラの設置台数：令和8年度までに累計ではなく60台以上",
];

#[test]
fn a_line_of_a_ward_is_read_as_it_is_meant() {
    let mut wrong = Vec::new();
    for (line, name, expected) in NAMED {
        let read = indicator::read(line, year(2024));
        let target = read.target.as_ref().map(outline).unwrap_or_default();
        let parse = read.target.as_ref().map(|target| target.parse);
        if read.name != *name || target != *expected || parse != Some(Parse::Full) {
            wrong.push(format!(
                "{line}\n    {} | {target} | {:?}",
                read.name,
                read.target.map(|it| (it.parse, it.rest))
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        NAMED.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_line_that_leaves_a_choice_sets_no_target() {
    let mut wrong = Vec::new();
    for line in UNREAD {
        let alone = read_2024(line);
        let named = indicator::read(line, year(2024)).target;
        for read in [Some(alone), named].into_iter().flatten() {
            if read.target.comparator != Comparator::Unread || read.parse == Parse::Full {
                wrong.push(format!("{line}\n    {} {:?}", outline(&read), read.rest));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
