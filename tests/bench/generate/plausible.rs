//! Generated organizations: they promise much the same each year, and keep most of it. Pure, and the same each time.

use std::fmt::Display;

use chrono::NaiveDate;
use csv::Writer;
use uuid::Builder;
use xxhash_rust::xxh3::xxh3_64;

use ward_policy::value::Id;

/// The first year.
const FIRST: u32 = 2014;
const YEARS: u32 = 10;

/// Goals of one policy: what each is about, and why.
const GOALS: [(&str, &str, &str); 5] = [
    (
        "1-1",
        "地域コミュニティの活性化",
        "人と人とのつながりづくりを支援する必要がある。",
    ),
    (
        "1-2",
        "安全・安心で快適なまちづくり",
        "災害に強いまちづくりを実現する必要がある。",
    ),
    (
        "2-1",
        "安心して子育てができる環境づくり",
        "子育てを切れ目なく支援する必要がある。",
    ),
    (
        "2-2",
        "健康で長く暮らせるまちづくり",
        "健診の受診率が市平均を下回っている。",
    ),
    ("3", "便利で親しまれる窓口", "待ち時間の短縮が求められている。"),
];

/// Indicators of one goal.
const INDICATORS: [Sort; 4] = [
    Sort {
        name: "取り組みが進んでいると感じている区民アンケート回答者の割合",
        unit: "%",
        decimals: 1,
        better: "higher_is_better",
        comparator: "gte",
        words: "以上",
        around: (400, 900),
    },
    Sort {
        name: "支援を受けて活動を始めた団体数",
        unit: "団体",
        decimals: 0,
        better: "higher_is_better",
        comparator: "gte",
        words: "以上",
        around: (3, 60),
    },
    Sort {
        name: "発生した事故の件数",
        unit: "件",
        decimals: 0,
        better: "lower_is_better",
        comparator: "lte",
        words: "以下",
        around: (10, 400),
    },
    Sort {
        name: "相談に来た人の数",
        unit: "人",
        decimals: 0,
        better: "higher_is_better",
        comparator: "increase",
        words: "前年度より増加",
        around: (100, 3000),
    },
];

/// A sort of indicator; `around` bounds its targets, in units of its last decimal place.
struct Sort {
    name: &'static str,
    unit: &'static str,
    decimals: u32,
    better: &'static str,
    comparator: &'static str,
    words: &'static str,
    around: (u64, u64),
}

/// The rows of one organization, as lines of CSV.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// The organization, where it is a new bureau.
    pub(crate) organizations: Lines,
    /// Its policies.
    pub(crate) policies: Lines,
    /// Their goals.
    pub(crate) goals: Lines,
    /// The goals' figures.
    pub(crate) budgets: Lines,
    /// The goals' indicators.
    pub(crate) indicators: Lines,
    /// The indicators' results.
    pub(crate) results: Lines,
    /// The policies, and when their results were published.
    pub(crate) published: Vec<(Id, NaiveDate)>,
}

/// Lines of CSV, in which an empty field is null.
#[derive(Debug)]
pub(crate) struct Lines(Writer<Vec<u8>>);

impl Default for Lines {
    fn default() -> Self {
        Self(Writer::from_writer(Vec::new()))
    }
}

impl Lines {
    fn add<const N: usize>(&mut self, cells: [&dyn Display; N]) -> Result<(), csv::Error> {
        self.0.write_record(cells.map(ToString::to_string))
    }

    /// All lines.
    pub(crate) fn bytes(self) -> Result<Vec<u8>, csv::Error> {
        self.0.into_inner().map_err(|e| e.into_error().into())
    }
}

/// The slug of the bureau with this number.
#[must_use]
pub(crate) fn slug(n: u32) -> String {
    format!("bureau-{n}")
}

impl Made {
    /// Generates the organization with this number: the one stored under an identifier, or a new bureau.
    pub(crate) fn of(n: u32, stored: Option<Id>) -> Result<Self, csv::Error> {
        let mut made = Self::default();
        let organization = stored.unwrap_or_else(|| id(&[n.into()]));
        if stored.is_none() {
            let (name, order) = (format!("第{n}事業局"), 100 + n % 9000);
            made.organizations
                .add([&organization, &slug(n), &"bureau", &name, &order])?;
        }
        for year in FIRST..FIRST + YEARS {
            made.policy(organization, [n.into(), year.into()])?;
        }
        Ok(made)
    }

    fn policy(&mut self, organization: Id, [n, year]: [u64; 2]) -> Result<(), csv::Error> {
        let policy = id(&[n, year]);
        let next = year + 1;
        let published_on = day(next, 6, 10);
        self.published.push((policy, published_on));
        self.policies.add([
            &policy,
            &organization,
            &year,
            &"大阪 太郎",
            &"所属長",
            &"{誰もが誇りに思えるまち}",
            &"{安全で安心なまちづくりに向けたコミュニティ力の向上}",
            &day(next, 6, 30),
            &"results",
            &day(year, 4, 1),
            &published_on,
        ])?;
        for (k, (code, title, why)) in (0..).zip(GOALS) {
            let goal = id(&[n, year, k]);
            let strategies = "{地域や関係機関と協働して取り組む。,情報を積極的に発信する。}";
            self.goals
                .add([&goal, &policy, &code, &title, &format!("{{{why}}}"), &strategies])?;
            for (of, kind) in (year - 2..).zip(["actual", "initial", "initial"]) {
                self.budget(goal, [n, year, k, of], kind)?;
            }
            for (m, sort) in (0..).zip(&INDICATORS) {
                self.indicator(goal, title, [n, year, k, m], sort)?;
            }
        }
        Ok(())
    }

    fn budget(&mut self, goal: Id, [n, year, k, of]: [u64; 4], kind: &str) -> Result<(), csv::Error> {
        let millions = 5 + dice(&[n, k, of]) % 400;
        self.budgets.add([
            &id(&[n, year, k, of]),
            &goal,
            &of,
            &kind,
            &"stated",
            &(millions * 1_000_000),
            &1_000_000,
            &format!("{millions}百万円"),
        ])
    }

    fn indicator(&mut self, goal: Id, title: &str, at: [u64; 4], sort: &Sort) -> Result<(), csv::Error> {
        let [n, _, k, m] = at;
        let (least, most) = sort.around;
        // A target lies at most a tenth above the value with which its series began.
        let begun = least + dice(&[n, k, m]) % (most - least);
        let target = begun + dice(&at) % (begun / 10 + 1);
        let printed = number(target, sort.decimals);
        let (text, value, reference) = if sort.comparator == "increase" {
            (sort.words.to_owned(), String::new(), "previous_year")
        } else {
            (format!("{printed}{}{}", sort.unit, sort.words), printed, "none")
        };
        let indicator = id(&at);
        self.indicators.add([
            &indicator,
            &goal,
            &(m + 1),
            &"outcome",
            &format!("{title}：{}", sort.name),
            &sort.unit,
            &sort.decimals,
            &sort.better,
            &id(&[n, 1, k, m]),
            &text,
            &sort.comparator,
            &value,
            &reference,
            &"single_year",
        ])?;
        self.result(indicator, at, sort, target)
    }

    fn result(&mut self, indicator: Id, [n, year, k, m]: [u64; 4], sort: &Sort, target: u64) -> Result<(), csv::Error> {
        let result = id(&[n, year, k, m, 2]);
        let measured_on = day(year + 1, 2, 1);
        let chance = dice(&[n, year, k, m, 1]);
        // One result in twenty is not known; the others lie within a tenth around the target.
        if chance.is_multiple_of(20) {
            let why = "調査が行われなかったため";
            return self.results.add([
                &result,
                &indicator,
                &year,
                &"",
                &"not_measured",
                &"final",
                &"",
                &why,
                &measured_on,
                &"",
            ]);
        }
        let value = target * 9 / 10 + chance % (target / 5 + 1);
        let rating = match sort.comparator {
            "gte" if value >= target => "A",
            "lte" if value <= target => "A",
            "gte" | "lte" => "B",
            _ => "",
        };
        let printed = number(value, sort.decimals);
        let text = format!("{printed}{}", sort.unit);
        self.results.add([
            &result,
            &indicator,
            &year,
            &printed,
            &"",
            &"final",
            &text,
            &"",
            &measured_on,
            &rating,
        ])
    }
}

fn day(year: u64, month: u32, day: u32) -> NaiveDate {
    let year = i32::try_from(year).ok();
    year.and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
        .unwrap_or_default()
}

/// A number that follows from the arguments, and looks random.
fn dice(of: &[u64]) -> u64 {
    let bytes: Vec<u8> = of.iter().flat_map(|n| n.to_le_bytes()).collect();
    xxh3_64(&bytes)
}

/// An identifier that follows from the arguments; identifiers sort by the first two.
fn id(of: &[u64]) -> Id {
    let mut random = [0; 10];
    let (high, low) = random.split_at_mut(8);
    high.copy_from_slice(&dice(of).to_le_bytes());
    low.copy_from_slice(dice(&[dice(of)]).to_le_bytes().split_at(2).0);
    let place = of.iter().take(2).fold(0, |place, n| place * 10_000 + n);
    Id(Builder::from_unix_timestamp_millis(1_600_000_000_000 + place, &random).into_uuid())
}

/// A number of units of the last decimal place, printed.
fn number(units: u64, decimals: u32) -> String {
    rust_decimal::Decimal::from_i128_with_scale(units.into(), decimals).to_string()
}
