//! Organizations: the wards and bureaus that have policies.

use actix_web::{delete, get, patch, post, put};
use diesel::{PgConnection, dsl::auto_type, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    auth::{Permission, Scope},
    db::{
        Db, Tx, Workload, is_organization,
        schema::{organization_text, organizations},
    },
    error::{Error, Result, Violation},
    http::{
        as_of::{AsOfParam, Since},
        conditional_writes::ConditionalWrite,
        etag::{Condition, Match, check_absent},
        extract::{Json, Patch, PatchOf, Path},
        idempotency::Idempotent,
        pagination::{Page, Paging},
        query::{AnyOf, NoQuery, Query, SearchText},
        respond::{Answer, Created, Dated, Item, NoContent, Stored},
        validation::{Known, Members, Rules, leave_to, said, set_by_server},
    },
    keyset, narrow, query, text_enum,
    value::{Id, Line, MunicipalityCode, OrganizationKey, Slug, Time, language::Bilingual},
};

/// Routes under `/organizations`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_organizations)
        .service(create_organization)
        .service(read_organization)
        .service(replace_organization)
        .service(patch_organization)
        .service(remove_organization);
}

text_enum! {
    /// What sort of organization it is (所属の種類).
    pub enum OrganizationKind in "organization_kind" {
        /// A ward (区); it has a municipality code.
        Ward = "ward" ("区", "ward"),
        /// A bureau or another department of the city (局など); it has no municipality code.
        Bureau = "bureau" ("局", "bureau"),
    }
}

text_enum! {
    /// How organizations are ordered.
    pub enum OrganizationSort in "organization_sort" {
        /// The order in which the city lists them.
        DisplayOrder = "display_order" ("建制順", "display order"),
        /// By slug.
        Slug = "slug" ("スラッグ順", "slug"),
        /// Most recently changed first.
        UpdatedAt = "-updated_at" ("更新の新しい順", "latest change first"),
    }
}

/// A ward or a bureau (所属).
#[derive(Debug, Clone, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = organizations)]
pub struct Organization {
    /// Identifier.
    pub id: Id,
    /// Short name in paths.
    pub slug: Slug,
    /// What sort of organization it is.
    pub kind: OrganizationKind,
    /// Municipality code of a ward; null for a bureau.
    pub municipality_code: Option<MunicipalityCode>,
    /// Name.
    #[schema(example = "西区")]
    pub name: Line<100>,
    /// Name in hiragana; null where it is not known.
    #[schema(example = "にしく")]
    pub name_kana: Option<Line<100>>,
    /// Name in English; null where it is not known.
    #[schema(example = "Nishi Ward")]
    pub name_en: Option<Line<100>>,
    /// Place in the city's own order.
    #[schema(minimum = 0, maximum = 9999, example = 6)]
    pub display_order: i32,
    /// 1 when created, one more with each change.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Dated for Organization {
    fn changed_at(&self) -> Time {
        self.updated_at
    }
}

/// Some organizations.
pub type OrganizationPage = Page<Organization>;

/// What a caller says about an organization.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Insertable, AsChangeset)]
#[diesel(table_name = organizations, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "slug": "nishi", "kind": "ward", "municipality_code": "271063", "name": "西区", "name_kana": "にしく", "name_en": "Nishi Ward", "display_order": 6 }))]
pub struct OrganizationInput {
    /// Short name in paths.
    pub slug: Slug,
    /// What sort of organization it is. Left out, it is a ward if it has a municipality code.
    #[schema(required = false)]
    pub kind: OrganizationKind,
    /// Municipality code: required for a ward, absent for a bureau.
    pub municipality_code: Option<MunicipalityCode>,
    /// Name.
    pub name: Line<100>,
    /// Name in hiragana.
    pub name_kana: Option<Line<100>>,
    /// Name in English.
    pub name_en: Option<Line<100>>,
    /// Place in the city's own order.
    #[schema(minimum = 0, maximum = 9999)]
    pub display_order: i32,
}

impl Rules for OrganizationInput {
    fn broken(&self) -> Vec<Violation> {
        let fits = (self.kind == OrganizationKind::Ward) == self.municipality_code.is_some();
        let detail = Bilingual::new(
            "団体コードは区に必須で、局にはありません",
            "wards must have a municipality code, bureaus must not",
        );
        if fits {
            vec![]
        } else {
            vec![Violation::at("/municipality_code", "municipality_code", detail)]
        }
    }

    /// A PUT does not rename things, a PATCH may.
    fn contradictions(&self, path: &Known) -> Vec<Violation> {
        let code = self.municipality_code.as_ref().map(|code| code.0.as_str());
        let is_named = |key: &OrganizationKey| key.as_str() == self.slug.as_str() || Some(key.as_str()) == code;
        if path.organization.as_ref().is_none_or(is_named) {
            return vec![];
        }
        let detail = Bilingual::new("パスの所属と一致しません", "must be the organization of the path");
        vec![Violation::at("/slug", "path_mismatch", detail)]
    }

    fn fill_in(body: &mut Members, _: &Known) -> Vec<Violation> {
        let kind = match said::<MunicipalityCode>(body, "municipality_code") {
            Some(_) => OrganizationKind::Ward,
            None => OrganizationKind::Bureau,
        };
        leave_to(body, "kind", || Some(kind));
        vec![]
    }

    fn read_only() -> Vec<String> {
        set_by_server::<Organization, Self>()
    }
}

impl From<Organization> for OrganizationInput {
    fn from(stored: Organization) -> Self {
        Self {
            slug: stored.slug,
            kind: stored.kind,
            municipality_code: stored.municipality_code,
            name: stored.name,
            name_kana: stored.name_kana,
            name_en: stored.name_en,
            display_order: stored.display_order,
        }
    }
}

/// A merge patch of an organization.
pub type OrganizationPatch = PatchOf<OrganizationInput>;

query! {
    /// Which organizations to list.
    pub struct OrganizationFilter {
        /// Only organizations of these kinds.
        pub kind: AnyOf<OrganizationKind>,
        /// Only organizations that hold each of these words in a name or the slug, as in the list of indicators.
        pub q: Option<SearchText>,
    }
}

/// Lists organizations.
///
/// All 24 wards fit on one page. In the order in which the city lists them, unless another is asked for.
#[utoipa::path(tag = "organizations", params(OrganizationFilter, AsOfParam, Since, Paging<OrganizationSort>))]
#[get("/organizations")]
async fn list_organizations(
    db: Db,
    Query((filter, past, since, paging)): Query<(OrganizationFilter, AsOfParam, Since, Paging<OrganizationSort>)>,
) -> Result<OrganizationPage> {
    let moment = past.of_any(None)?;
    db.at(moment)
        .page(&paging)
        .searching(filter.q.as_ref())
        .read(move |conn| list(conn, &filter, &since, &paging))
        .await
}

/// Creates an organization.
///
/// 409 when the slug, the name or the municipality code is taken, and for a slug or code that another organization had: requests
/// under it are sent there.
#[utoipa::path(tag = "organizations", security(("token" = ["edit"])))]
#[post("/organizations")]
async fn create_organization(
    db: Db,
    _: NoQuery,
    body: Json<OrganizationInput>,
) -> Result<Idempotent<Created<Organization>>> {
    db.create(body, create).await
}

/// Reads an organization, by its slug or its municipality code.
///
/// Both keys give the same answer; `slug` in it is the one that other answers refer to.
#[utoipa::path(tag = "organizations", params(AsOfParam))]
#[get("/organizations/{organization}")]
async fn read_organization(
    db: Db,
    Path(key): Path<OrganizationKey>,
    Query(past): Query<AsOfParam>,
) -> Result<Item<Organization>> {
    let moment = past.of_any(None)?;
    db.at(moment)
        .workload(Workload::Point)
        .read(move |conn| find(conn, &key).map(Item))
        .await
}

/// Replaces an organization, or creates it.
///
/// With `If-Match` it replaces what was read; with `If-None-Match: *` it creates and nothing else. The body must be about the
/// organization of the path; a PATCH renames. Other names, another kind or municipality code take `edit:*` or `admin`: 403 otherwise.
#[utoipa::path(tag = "organizations", security(("token" = ["edit"])), params(Condition))]
#[put("/organizations/{organization}")]
async fn replace_organization(
    row: ConditionalWrite<OrganizationKey, Condition>,
    body: Json<OrganizationInput>,
) -> Result<Idempotent<Stored<Organization>>> {
    row.replace_or_create(body, permitted, update, |tx, key, input| {
        check_absent(find(tx, key))?;
        create(tx, input)
    })
    .await
}

/// Changes parts of an organization.
///
/// A JSON Merge Patch. Another `slug` renames the organization: its policies follow, and requests under its former slug are sent
/// there (308). Its names, kind and municipality code take `edit:*` or `admin`: 403 otherwise. 409 for a name that another
/// organization has, and for a slug or code that another had.
#[utoipa::path(tag = "organizations", security(("token" = ["edit"])), params(Match), request_body(content = OrganizationPatch, content_type = "application/merge-patch+json"))]
#[patch("/organizations/{organization}")]
async fn patch_organization(
    row: ConditionalWrite<OrganizationKey, Match>,
    patch: Patch,
) -> Result<Idempotent<Answer<Organization>>> {
    row.patch(patch, permitted, update).await
}

/// Removes an organization that has no policies.
///
/// 409 while it has policies: nothing is removed that something else stands on.
#[utoipa::path(tag = "organizations", security(("token" = ["edit"])), params(Match))]
#[delete("/organizations/{organization}")]
async fn remove_organization(row: ConditionalWrite<OrganizationKey, Match>) -> Result<Idempotent<NoContent>> {
    row.remove(permitted_to_all, |tx, stored| {
        let removed = diesel::delete(organizations::table.find(stored.id)).execute(tx.conn);
        match removed.map_err(Error::from) {
            Ok(_) => Ok(()),
            Err(Error::Conflict(_)) => Err(Error::Conflict(vec![in_use()])),
            Err(e) => Err(e),
        }
    })
    .await
}

fn list(
    conn: &mut PgConnection,
    filter: &OrganizationFilter,
    since: &Since,
    paging: &Paging<OrganizationSort>,
) -> Result<OrganizationPage> {
    let matching = || {
        let mut query = organizations::table.into_boxed();
        narrow!(query, organizations::kind, filter.kind);
        narrow!(query, words of text(), in filter.q);
        if let Some(time) = since.updated_since {
            query = query.filter(organizations::updated_at.ge(time));
        }
        query
    };
    let total = paging.total(conn, |conn| Ok(matching().count().get_result(conn)?))?;
    let query = matching().select(Organization::as_select());
    let id = organizations::id;
    let rows = match paging.sort {
        OrganizationSort::DisplayOrder => keyset!(query, paging, id, asc organizations::display_order, i32),
        OrganizationSort::Slug => keyset!(query, paging, id, asc organizations::slug, String),
        OrganizationSort::UpdatedAt => keyset!(query, paging, id, desc organizations::updated_at, Time),
    };
    let rows = paging.load(conn, rows)?;
    paging.cut(rows, total, |row| match paging.sort {
        OrganizationSort::DisplayOrder => (json!(row.display_order), row.id),
        OrganizationSort::Slug => (json!(row.slug), row.id),
        OrganizationSort::UpdatedAt => (json!(row.updated_at), row.id),
    })
}

/// What is searched of an organization.
#[auto_type(no_type_alias)]
fn text() -> _ {
    organization_text(
        organizations::slug,
        organizations::name,
        organizations::name_kana,
        organizations::name_en,
    )
}

fn in_use() -> Violation {
    let detail = Bilingual::new(
        "運営方針が残っているため削除できません",
        "still has policies and cannot be deleted",
    );
    Violation::at("", "in_use", detail)
}

/// Whether the joined organization is one of these.
#[must_use]
#[auto_type(no_type_alias)]
pub fn is_any_of(keys: Vec<OrganizationKey>) -> _ {
    let slugs: Vec<OrganizationKey> = keys.clone();
    organizations::slug
        .eq_any(slugs)
        .or(organizations::municipality_code.eq_any(keys))
}

/// Whether there is any organization.
pub fn any(conn: &mut PgConnection) -> Result<bool> {
    let first: Option<Id> = organizations::table.select(organizations::id).first(conn).optional()?;
    Ok(first.is_some())
}

/// The organization with this slug or municipality code.
pub fn find(conn: &mut PgConnection, key: &OrganizationKey) -> Result<Organization> {
    Organization::query()
        .filter(is_organization(key.as_str()))
        .first(conn)
        .optional()?
        .ok_or(Error::NotFound("organization"))
}

/// The organization with this key, if the caller may change it.
fn permitted(tx: &mut Tx<'_>, key: &OrganizationKey) -> Result<Organization> {
    let stored = find(tx, key)?;
    tx.permit(Permission::Edit, "organization", Some(stored.id))?;
    Ok(stored)
}

/// The organization with this key, if the caller may change any organization.
fn permitted_to_all(tx: &mut Tx<'_>, key: &OrganizationKey) -> Result<Organization> {
    may_all(tx)?;
    find(tx, key)
}

/// Fails unless the caller may change any organization: there is no narrower right to a new organization.
fn may_all(tx: &Tx<'_>) -> Result<()> {
    if tx.caller.may(Permission::Edit, None) {
        Ok(())
    } else {
        Err(Error::Forbidden(Scope::On(Permission::Edit, None).to_string()))
    }
}

fn create(tx: &mut Tx<'_>, input: &OrganizationInput) -> Result<Created<Organization>> {
    may_all(tx)?;
    insert(tx, input)
}

/// Stores a new organization.
pub fn insert(tx: &mut Tx<'_>, input: &OrganizationInput) -> Result<Created<Organization>> {
    let body: Organization = diesel::insert_into(organizations::table)
        .values((organizations::id.eq(Id::generate()), input))
        .returning(Organization::as_returning())
        .get_result(tx.conn)?;
    Ok(Created {
        at: format!("/v1/organizations/{}", body.slug),
        body,
    })
}

/// Stores a changed organization. Everybody finds it and its forms by its names: the right to change it alone is not
/// the right to rename it.
fn update(tx: &mut Tx<'_>, stored: &Organization, input: &OrganizationInput) -> Result<Organization> {
    if stored.names() != input.names() {
        may_all(tx)?;
    }
    diesel::update(organizations::table.find(stored.id))
        .set(input)
        .execute(tx.conn)?;
    Ok(Organization::query().find(stored.id).first(tx.conn)?)
}

/// An organization's names, kind and code.
type Names<'a> = (
    &'a Slug,
    OrganizationKind,
    Option<&'a MunicipalityCode>,
    [Option<&'a Line<100>>; 3],
);

impl Organization {
    fn names(&self) -> Names<'_> {
        let names = [Some(&self.name), self.name_kana.as_ref(), self.name_en.as_ref()];
        (&self.slug, self.kind, self.municipality_code.as_ref(), names)
    }
}

impl OrganizationInput {
    fn names(&self) -> Names<'_> {
        let names = [Some(&self.name), self.name_kana.as_ref(), self.name_en.as_ref()];
        (&self.slug, self.kind, self.municipality_code.as_ref(), names)
    }
}
