//! Coverage: who has published, who is late, and by how many days.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use actix_web::get;
use chrono::NaiveDate;
use diesel::{PgConnection, dsl::max, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    evaluations::{
        Judging,
        case::{Subject, judge},
    },
    organizations::{Organization, OrganizationKind, is_any_of},
    policies::PolicyStage,
    revisions::RevisionKind,
};
use crate::{
    db::{
        Db, Workload,
        schema::{change_log, organizations as o, policies as p, published, revisions as v},
    },
    domain::{
        fiscal_year::containing,
        kinds::ValueStatus,
        reporting::{Reporting, Standing, standing},
    },
    error::{Error, Result, Violation},
    http::{
        as_of::{AsOfParam, only},
        pagination::{Continued, GroupPaging, Linked},
        query::{AnyOf, Query, Years},
    },
    query,
    value::{Date, FiscalYear, Id, Line, OrganizationKey, Slug, language::Bilingual},
};

/// Most fiscal years of one answer.
const MOST_YEARS: usize = 20;

/// Routes under `/coverage`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_coverage);
}

query! {
    /// What to report on.
    pub struct CoverageFilter {
        /// Only these organizations, by slug or municipality code; all by default.
        pub organization: AnyOf<OrganizationKey>,
        /// These fiscal years, at most 20; by default the latest with a published policy.
        pub fiscal_year: Years,
        /// Only what stands like this.
        pub state: AnyOf<Reporting>,
    }
}

/// How an organization stands with one fiscal year.
#[derive(Debug, Serialize, ToSchema)]
pub struct Coverage {
    /// Slug of the organization.
    pub organization: Slug,
    /// Its name.
    #[schema(example = "西区")]
    pub organization_name: Line<100>,
    /// What sort of organization it is.
    pub kind: OrganizationKind,
    /// Fiscal year.
    pub fiscal_year: FiscalYear,
    /// How it stands.
    pub state: Reporting,
    /// The policy; null where the caller sees none.
    pub policy_id: Option<Id>,
    /// When its plan was published.
    pub plan_published_on: Option<Date>,
    /// When its results were published.
    pub results_published_on: Option<Date>,
    /// When it was withdrawn, if it is.
    pub withdrawn_on: Option<Date>,
    /// The day by which results are due; null without a policy.
    pub results_due_on: Option<Date>,
    /// How many days after that day the results were published, or by how many they are late on the day of the report. Null
    /// where they are in time, or nobody can say.
    #[schema(minimum = 1, maximum = 100_000)]
    pub days_late: Option<i64>,
    /// Its indicators, counted.
    pub indicators: ResultCount,
}

/// Indicators by what there is of their results for the policy's fiscal year: `results_in`, `pending` and `overdue` add up
/// to `total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ResultCount {
    /// How many indicators there are.
    pub total: u32,
    /// How many have a result, or a reason for having none.
    pub results_in: u32,
    /// How many are not due yet, or being compiled.
    pub pending: u32,
    /// How many should be there and are not.
    pub overdue: u32,
}

/// Organizations by how they stand: the states add up to `total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CoverageRollUp {
    /// How many there are: one per organization and fiscal year.
    pub total: u32,
    /// How many have no policy.
    pub missing: u32,
    /// How many have a draft.
    pub draft: u32,
    /// How many have published their plan, with the results not due yet.
    pub plan: u32,
    /// How many have published their plan and not their results, which were due.
    pub late: u32,
    /// How many have published their results.
    pub results: u32,
    /// Of `results`, how many did so after the day they were due.
    pub results_late: u32,
    /// How many have withdrawn their policy.
    pub withdrawn: u32,
    /// All their indicators, counted.
    pub indicators: ResultCount,
}

/// Who has published, and who is late.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoverageReport {
    /// The day of the report.
    pub on: Date,
    /// The fiscal years it is about.
    #[schema(max_items = 20)]
    pub fiscal_years: Vec<FiscalYear>,
    /// The items, counted: those of all pages.
    pub roll_up: CoverageRollUp,
    /// One per fiscal year and organization, latest year first, in the city's order.
    #[schema(max_items = 1000)]
    pub items: Vec<Coverage>,
    /// Pass it as `cursor` for the next page; null on the last one.
    #[schema(max_length = 2000)]
    pub next_cursor: Option<String>,
    /// How many items there are in all; null without `include_total=true`.
    #[schema(minimum = 0)]
    pub total: Option<i64>,
}

impl Continued for CoverageReport {
    fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

/// Reports who has published, and who is late.
///
/// Every organization has its row in every year asked for, whether or not it has a policy: `missing` is an answer. A draft is
/// as missing for those who may not see it, and results that are not published are not in. `on` decides what is due.
#[utoipa::path(tag = "coverage", params(CoverageFilter, Judging, AsOfParam, GroupPaging))]
#[get("/coverage")]
async fn read_coverage(
    db: Db,
    Query((filter, judging, past, paging)): Query<(CoverageFilter, Judging, AsOfParam, GroupPaging)>,
) -> Result<Linked<CoverageReport>> {
    if filter.fiscal_year.0.len() > MOST_YEARS {
        let detail = Bilingual::new(
            format!("{MOST_YEARS}年度までにしてください"),
            format!("must be at most {MOST_YEARS} fiscal years"),
        );
        return Err(Error::malformed(Violation::of("fiscal_year", "too_many", detail)));
    }
    let moment = past.of_any(only(&filter.organization, &filter.fiscal_year))?;
    db.at(moment)
        .workload(Workload::Scan)
        .read(move |conn| {
            let on = judging.on.or(conn.today);
            report(conn, &filter, on, &paging).map(Linked)
        })
        .await
}

#[derive(Debug, HasQuery)]
#[diesel(table_name = p)]
struct Planned {
    id: Id,
    organization_id: Id,
    fiscal_year: FiscalYear,
    stage: PolicyStage,
    plan_published_on: Option<Date>,
    results_published_on: Option<Date>,
    results_due_on: Date,
}

fn report(
    conn: &mut PgConnection,
    filter: &CoverageFilter,
    on: NaiveDate,
    paging: &GroupPaging,
) -> Result<CoverageReport> {
    let mut years = match filter.fiscal_year.some() {
        Some(years) => years.to_vec(),
        None => latest(conn, on)?.into_iter().collect(),
    };
    years.sort_unstable();
    let mut organizations = Organization::query().into_boxed();
    if let Some(keys) = filter.organization.some() {
        organizations = organizations.filter(is_any_of(keys.to_vec()));
    }
    let organizations: Vec<Organization> = organizations.order((o::display_order, o::id)).load(conn)?;
    let wanted: Vec<Id> = organizations.iter().map(|organization| organization.id).collect();
    let policies: Vec<Planned> = Planned::query()
        .filter(p::fiscal_year.eq_any(&years))
        .filter(p::organization_id.eq_any(&wanted))
        .load(conn)?;
    let counts = counts(conn, &policies, &years, on)?;
    let withdrawn = withdrawn(conn, &wanted, &years)?;
    let policies: HashMap<_, _> = policies
        .iter()
        .map(|policy| ((policy.organization_id, policy.fiscal_year), policy))
        .collect();

    let mut items = BTreeMap::new();
    for year in &years {
        for organization in &organizations {
            let key = (organization.id, *year);
            let policy = policies.get(&key).copied();
            let indicators = policy.and_then(|policy| counts.get(&policy.id)).copied();
            let withdrawn_on = withdrawn.get(&key).copied();
            let item = item(
                organization,
                *year,
                policy,
                withdrawn_on,
                indicators.unwrap_or_default(),
                on,
            );
            items.insert((Reverse(*year), organization.display_order, organization.id), item);
        }
    }
    items.retain(|_, item| filter.state.some().is_none_or(|states| states.contains(&item.state)));
    let mut roll_up = CoverageRollUp::default();
    for item in items.values() {
        roll_up.add(item);
    }
    let page = paging.cut_groups(items)?.map(|(_, item)| item);
    Ok(CoverageReport {
        on: Date(on),
        fiscal_years: years,
        roll_up,
        items: page.items,
        next_cursor: page.next_cursor,
        total: page.total,
    })
}

/// The latest fiscal year with a published policy; the fiscal year of the day if there is none.
fn latest(conn: &mut PgConnection, on: NaiveDate) -> Result<Option<FiscalYear>> {
    let public = p::table.filter(p::public).select(max(p::fiscal_year));
    let latest: Option<FiscalYear> = public.first(conn)?;
    Ok(latest.or_else(|| containing(on)))
}

/// The indicators of policies, counted by the status of their results: two queries, however many there are.
fn counts(
    conn: &mut PgConnection,
    policies: &[Planned],
    years: &[FiscalYear],
    on: NaiveDate,
) -> Result<HashMap<Id, ResultCount>> {
    let ids: Vec<Id> = policies.iter().map(|policy| policy.id).collect();
    let subjects: Vec<Subject> = Subject::query().filter(p::id.eq_any(ids)).load(conn)?;
    let mut counts: HashMap<Id, ResultCount> = HashMap::new();
    for judged in judge(subjects, &years.iter().copied().collect(), on) {
        if judged.fiscal_year == judged.subject.indicator.policy_year {
            let count = counts.entry(judged.subject.policy_id).or_default();
            count.add(judged.value_status());
        }
    }
    Ok(counts)
}

/// The policies whose last publication is a withdrawal, and its day. That a policy was withdrawn is public.
fn withdrawn(
    conn: &mut PgConnection,
    organizations: &[Id],
    years: &[FiscalYear],
) -> Result<BTreeMap<(Id, FiscalYear), Date>> {
    let rows: Vec<(Option<Id>, FiscalYear, RevisionKind, Date)> = v::table
        .inner_join(published::table.on(published::policy_id.eq(v::policy_id)))
        .inner_join(change_log::table.on(change_log::type_.eq("revision").and(change_log::row_id.eq(v::id))))
        .filter(published::fiscal_year.eq_any(years))
        .filter(change_log::organization_id.eq_any(organizations))
        .order((v::policy_id, v::number))
        .select((
            change_log::organization_id,
            published::fiscal_year,
            v::kind,
            v::published_on,
        ))
        .load(conn)?;
    let mut withdrawn = BTreeMap::new();
    for (organization, year, kind, day) in rows {
        let Some(organization) = organization else { continue };
        if kind == RevisionKind::Withdrawal {
            withdrawn.insert((organization, year), day);
        } else {
            withdrawn.remove(&(organization, year));
        }
    }
    Ok(withdrawn)
}

fn item(
    organization: &Organization,
    fiscal_year: FiscalYear,
    policy: Option<&Planned>,
    withdrawn_on: Option<Date>,
    indicators: ResultCount,
    on: NaiveDate,
) -> Coverage {
    let published = policy.filter(|policy| matches!(policy.stage, PolicyStage::Plan | PolicyStage::Results));
    let results_published_on = published
        .filter(|policy| policy.stage == PolicyStage::Results)
        .and_then(|policy| policy.results_published_on);
    let stands = standing(
        &Standing {
            draft: policy.is_some_and(|policy| policy.stage == PolicyStage::Draft),
            plan_published: published.is_some(),
            results_published_on: results_published_on.map(|day| day.0),
            withdrawn: withdrawn_on.is_some(),
            due_on: policy.map(|policy| policy.results_due_on.0),
        },
        on,
    );
    Coverage {
        organization: organization.slug.clone(),
        organization_name: organization.name.clone(),
        kind: organization.kind,
        fiscal_year,
        state: stands.state,
        policy_id: policy.map(|policy| policy.id),
        plan_published_on: published.and_then(|policy| policy.plan_published_on),
        results_published_on,
        withdrawn_on,
        results_due_on: policy.map(|policy| policy.results_due_on),
        days_late: stands.days_late,
        indicators,
    }
}

impl ResultCount {
    fn add(&mut self, status: ValueStatus) {
        self.total += 1;
        match status {
            ValueStatus::NotYetDue | ValueStatus::BeingCompiled => self.pending += 1,
            ValueStatus::NotReported => self.overdue += 1,
            _ => self.results_in += 1,
        }
    }
}

impl CoverageRollUp {
    fn add(&mut self, item: &Coverage) {
        self.total += 1;
        let state = match item.state {
            Reporting::Missing => &mut self.missing,
            Reporting::Draft => &mut self.draft,
            Reporting::Plan => &mut self.plan,
            Reporting::Late => &mut self.late,
            Reporting::Results => &mut self.results,
            Reporting::Withdrawn => &mut self.withdrawn,
        };
        *state += 1;
        self.results_late += u32::from(item.state == Reporting::Results && item.days_late.is_some());
        let (sum, these) = (&mut self.indicators, item.indicators);
        sum.total += these.total;
        sum.results_in += these.results_in;
        sum.pending += these.pending;
        sum.overdue += these.overdue;
    }
}
