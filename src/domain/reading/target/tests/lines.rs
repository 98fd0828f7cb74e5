//! Lines as wards and bureaus write them, each with its right reading in the policy of 2024.

use super::*;
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
        let of = [Some(reference.kind.code().to_owned()), name, year, said(reference.value)];
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

/// Lines with the name and the target they have.
pub(super) const NAMED: &[(&str, &str, &str)] = &[
    // numbers with their comparison
    ("・防災訓練に参加した区民の割合：35%以上", "防災訓練に参加した区民の割合", "gte 35 %"),
    ("子育てサロンの利用者数　延べ3,500人以上", "子育てサロンの利用者数", "gte 3500 人"),
    ("放置自転車台数：120台以下", "放置自転車台数", "lte 120 台"),
    ("窓口での平均待ち時間：15分以内", "窓口での平均待ち時間", "lte 15 分"),
    ("電話応答までの時間が30秒以内の割合：90％以上", "電話応答までの時間が30秒以内の割合", "gte 90 %"),
    ("地域活動協議会の会計書類の不備：5件未満", "地域活動協議会の会計書類の不備", "lt 5 件"),
    ("区ホームページのアクセス数：年間120万件超", "区ホームページのアクセス数", "gt 1200000 件"),
    ("区広報紙の閲読率が60%を上回る", "区広報紙の閲読率", "gt 60 %"),
    ("国民健康保険料の滞納世帯の割合：12.5%を下回る", "国民健康保険料の滞納世帯の割合", "lt 12.5 %"),
    ("固定資産税の課税誤りを3件以下に抑える", "固定資産税の課税誤り", "lte 3 件"),
    ("相談支援件数を400件以上に増やす", "相談支援件数", "gte 400 件"),
    ("学校選択制の説明会の参加者数を1,500人以上にする", "学校選択制の説明会の参加者数", "gte 1500 人"),
    ("応急手当講習の受講者数：年600人以上", "応急手当講習の受講者数", "gte 600 人"),
    ("保育施設の利用保留児童数：0人", "保育施設の利用保留児童数", "lte 0 人"),
    ("待機児童数：0人を維持", "待機児童数", "lte 0 人"),
    ("交通事故死者ゼロを目指す", "交通事故死者", "lte 0"),
    ("個人情報の漏えい事案：0件", "個人情報の漏えい事案", "lte 0 件"),
    // negations
    ("生活保護の不正受給の割合：2%を超えない", "生活保護の不正受給の割合", "lte 2 %"),
    ("満足と答えた来庁者の割合が85%を下回らないこと", "満足と答えた来庁者の割合", "gte 85 %"),
    ("時間外勤務の1人当たり月平均：20時間を超えないようにする", "時間外勤務の1人当たり月平均", "lte 20 時間"),
    ("刑法犯認知件数：前年度より増加させない", "刑法犯認知件数", "lte of previous_year"),
    ("区民センターの利用件数：前年度を下回らない", "区民センターの利用件数", "gte of previous_year"),
    ("ボランティア登録者数を前年度より減らさない", "ボランティア登録者数", "gte of previous_year"),
    // scopes that belong to the name
    ("待ち時間10分以上の割合：5%以下", "待ち時間10分以上の割合", "lte 5 %"),
    ("(待ち時間10分以上)の割合：5%以下", "(待ち時間10分以上)の割合", "lte 5 %"),
    ("正答率が7割以下の児童の割合：20%未満", "正答率が7割以下の児童の割合", "lt 20 %"),
    ("3歳児健診の受診率 98%以上", "3歳児健診の受診率", "gte 98 %"),
    ("30人学級の実施校数：12校以上", "30人学級の実施校数", "gte 12 校"),
    ("48時間以内の安全確認の実施率 100%を維持", "48時間以内の安全確認の実施率", "maintain % of constant 100"),
    ("満足度（5点満点）：4.2点以上", "満足度（5点満点）", "gte 4.2 点"),
    ("講座の満足度 5点満点中4点以上", "講座の満足度 5点満点中", "gte 4 点"),
    ("ごみ排出量 1人1日800g以下", "ごみ排出量 1人1日", "lte 800 g"),
    ("65歳以上の見守り登録者数 1,200人以上", "65歳以上の見守り登録者数", "gte 1200 人"),
    ("令和5年度卒業生の就職率：90％以上", "令和5年度卒業生の就職率", "gte 90 %"),
    // numbers of other kinds
    ("寄附額：1.2億円以上", "寄附額", "gte 120000000 円"),
    ("市税収入額：3億2千万円以上", "市税収入額", "gte 320000000 円"),
    ("フォロワー数 1万5千人以上", "フォロワー数", "gte 15000 人"),
    ("事業者の回答率：9割5分以上", "事業者の回答率", "gte 95 %"),
    ("出生千人当たりの死亡率：3‰未満", "出生千人当たりの死亡率", "lt 3 ‰"),
    ("平均満足度：4.25点以上", "平均満足度", "gte 4.25 点"),
    // ranges
    ("年間相談件数：2,000～2,400件", "年間相談件数", "between 2000~2400 件"),
    ("検査の室温：20℃〜25℃", "検査の室温", "between 20~25 ℃"),
    ("適正在庫：100本以上120本以下", "適正在庫", "between 100~120 本"),
    // references
    ("自転車関連事故件数：前年より減少させる", "自転車関連事故件数", "decrease of previous_year"),
    ("子ども食堂の数を前年度より増やす", "子ども食堂の数", "increase of previous_year"),
    ("区役所の満足度：前年度実績を上回る", "区役所の満足度", "gt of previous_year"),
    ("空家の相談解決率 前年度以上", "空家の相談解決率", "gte of previous_year"),
    ("来庁者の満足度：令和4年度実績（81.3％）以上", "来庁者の満足度", "gte % of fiscal_year 2022 81.3"),
    ("健康寿命：現状値（78.4歳）を上回る", "健康寿命", "gt 歳 of constant 78.4"),
    ("刊行物の配架か所：前年度並み", "刊行物の配架か所", "maintain of previous_year"),
    ("認知度：前年度より3ポイント向上させる", "認知度", "increase_by 3 % of previous_year"),
    ("認知度を令和3年度末より5ポイント以上高める", "認知度", "increase_by 5 % of fiscal_year 2021"),
    ("違法駐輪の台数：前年度比▲30台", "違法駐輪の台数", "decrease_by 30 台 of previous_year"),
    ("健診の受診率：毎年度1.5ポイントずつ上昇", "健診の受診率", "increase_by 1.5 % of previous_year"),
    ("相談件数：1.5倍以上（R4：1,020件）", "相談件数", "gte 1530 件"),
    ("参加団体数：12団体→20団体", "参加団体数", "gte 20 団体"),
    ("苦情件数 45件→30件以下", "苦情件数", "lte 30 件"),
    ("特定健診受診率：35%以上（R5実績32.1%）", "特定健診受診率", "gte 35 %"),
    ("特定健診受診率：市平均以上", "特定健診受診率", "gte of external 市平均"),
    ("全国学力テストの平均正答率：全国平均を上回る", "全国学力テストの平均正答率", "gt of external 全国平均"),
    ("町会加入率は24区平均（48.5%）以上", "町会加入率", "gte % of external 24区平均 48.5"),
    ("街頭犯罪件数：大阪市平均を下回る", "街頭犯罪件数", "lt of external 大阪市平均"),
    ("がん検診受診率：市平均を2ポイント以上上回る", "がん検診受診率", "increase_by 2 % of external 市平均"),
    // percent changes of counts
    ("相談件数：前年度比5%増", "相談件数", "increase_by_percent 5 of previous_year"),
    ("ごみ排出量：前年度比3%減", "ごみ排出量", "decrease_by_percent 3 of previous_year"),
    ("利用者数：令和4年度から10%以上増加", "利用者数", "increase_by_percent 10 of fiscal_year 2022"),
    ("超過勤務時間を前年度より1割以上削減する", "超過勤務時間", "decrease_by_percent 10 of previous_year"),
    ("コピー用紙の使用枚数：前年度比5%以上の削減", "コピー用紙の使用枚数", "decrease_by_percent 5 of previous_year"),
    ("来館者：前年度比8%増（R5：12,400人）", "来館者", "increase_by_percent 8 人 of fiscal_year 2023 12400"),
    // time
    ("令和8年度末までに防災リーダーの人数を300人以上にする", "防災リーダーの人数", "gte 300 人 by 2026"),
    ("令和7年度末時点で認知度50%以上", "認知度", "gte 50 % by 2025"),
    ("登録団体数：50団体以上（令和9年度末まで）", "登録団体数", "gte 50 団体 by 2027"),
    ("家庭で備蓄をしている世帯：10,000世帯以上（R5～R7合計）", "家庭で備蓄をしている世帯", "gte 10000 世帯 over 2023-2025"),
    ("個別避難計画の作成数：600件以上（R4～R6作成合計目標）", "個別避難計画の作成数", "gte 600 件 over 2022-2024"),
    ("訪問世帯数：令和4年度から令和6年度までの累計で9,000世帯以上", "訪問世帯数", "gte 9000 世帯 over 2022-2024"),
    ("認知度　令和6年度：45%以上", "認知度", "gte 45 %"),
    ("令和7年3月31日時点で設置数80か所以上", "設置数", "gte 80 か所"),
    ("マイナンバーカードの保有率：令和8年3月末までに80％以上", "マイナンバーカードの保有率", "gte 80 % by 2025"),
    ("出前講座の開催：毎年12回以上", "出前講座の開催", "gte 12 回"),
    ("全区で実施した講座の数：24回以上", "全区で実施した講座の数", "gte 24 回"),
    ("・魅力発信イベントの参加者数：年間のべ５，０００人以上", "魅力発信イベントの参加者数", "gte 5000 人"),
    ("避難所の開設訓練を行った地域：全14地域", "避難所の開設訓練を行った地域", "gte 14 地域"),
    ("SNSの登録者数は少なくとも8,000人", "SNSの登録者数", "gte 8000 人"),
    ("待ち時間を20分に短縮する", "待ち時間", "lte 20 分"),
];

/// Lines that set no target that can be judged: two conditions, something that is not said, or is said in words only a person
/// understands. A name may be found, and a part may be offered for a person to confirm; nothing of it is a target.
pub(super) const UNREAD: &[&str] = &[
    "満足度80%",
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
    "参加者数：前年度比倍増",
    "満足度：前年度より改善",
    "重大事故：なし",
    "発行回数：月1回以上",
    "広報紙の発行 毎月1回以上",
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
];

#[test]
fn a_line_of_a_ward_is_read_as_it_is_meant() {
    let mut wrong = Vec::new();
    for (line, name, expected) in NAMED {
        let read = indicator::read(line, year(2024));
        let target = read.target.as_ref().map(outline).unwrap_or_default();
        let parse = read.target.as_ref().map(|target| target.parse);
        if read.name != *name || target != *expected || parse != Some(Parse::Full) {
            wrong.push(format!("{line}\n    {} | {target} | {:?}", read.name, read.target.map(|it| (it.parse, it.rest))));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), NAMED.len(), wrong.join("\n"));
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
