//! What differs between two revisions of a policy: for programs as a JSON Patch, for people as a list.

use actix_web::get;
use diesel::{PgConnection, prelude::*};
use serde::Serialize;
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, RefOr, Type, path::ParameterBuilder, schema::Schema},
};
use utoipa_actix_web::service_config::ServiceConfig;

use super::find_published;
use crate::{
    db::{Db, schema::revisions},
    domain::difference::{self, Change, Difference},
    error::{Error, Result, Violation},
    http::{
        extract::Path,
        query::{Fault, Field, Query},
        respond::Answer,
    },
    query, text_enum,
    value::{FiscalYear, Id, OrganizationKey, language::Bilingual},
};

/// The route of differences.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(compare_revisions);
}

query! {
    /// What a revision is compared with.
    pub struct Compared {
        /// The number of the revision to compare with; by default that of the one before. It may be the later of the two.
        pub from: Number,
    }
}

/// The number of a revision, or none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Number(Option<i32>);

impl Field for Number {
    fn read(text: Option<&str>) -> Result<Self, Fault> {
        let Some(text) = text else { return Ok(Self(None)) };
        let number = text.parse().ok().filter(|n: &i32| *n > 0 && n.to_string() == text);
        let detail = || {
            Bilingual::new(
                "1以上の改訂番号にしてください",
                "must be the number of a revision, from 1",
            )
        };
        number
            .map(|n| Self(Some(n)))
            .ok_or_else(|| Fault::new("number", detail()))
    }
    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        let schema: RefOr<Schema> = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(1_000_000))
            .into();
        parameter.schema(Some(schema))
    }
}

text_enum! {
    /// What a step of a JSON Patch does; others of RFC 6902 do not occur.
    pub enum PatchOp in "patch_op" {
        /// Adds a value.
        Add = "add" ("追加", "add"),
        /// Removes a value.
        Remove = "remove" ("削除", "remove"),
        /// Puts a value in the place of another.
        Replace = "replace" ("置換", "replace"),
    }
}

/// A step of a JSON Patch (RFC 6902).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PatchStep {
    /// What it does.
    pub op: PatchOp,
    /// Where: a JSON Pointer (RFC 6901) into what the steps before have made of the document.
    #[schema(max_length = 200, example = "/goals/0/indicators/1/target/value")]
    pub path: String,
    /// Any JSON value: a part of the document; null for `remove`, which has none.
    pub value: Value,
}

/// A difference, in words.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RevisionChange {
    /// Where it is: a JSON Pointer into the document of `to`; where something was removed, into that of `from`.
    #[schema(max_length = 200, example = "/goals/0/indicators/1/target")]
    pub pointer: String,
    /// The same in the words of the form: 経営課題1-1 › 指標「…」 › 目標値.
    pub place: Bilingual,
    /// How it differs.
    pub what: Difference,
    /// Any JSON value: what was there; null where nothing was. Of an indicator that moved, its goal: id, code and title.
    pub before: Value,
    /// Any JSON value: what is there; null where nothing is. Of an indicator that moved, its goal: id, code and title.
    pub after: Value,
}

/// What differs between two revisions of one policy.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RevisionDiff {
    /// The revision that is compared with.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    pub from: i32,
    /// The revision that is compared.
    #[schema(minimum = 1, maximum = 1_000_000, example = 2)]
    pub to: i32,
    /// JSON Patch (RFC 6902): applied to the document of `from` it gives that of `to`, byte for byte in canonical form.
    #[schema(max_items = 1_000_000)]
    pub patch: Vec<PatchStep>,
    /// The same for people, in the order of the form. Goals and indicators are the same by their ids, however they are
    /// numbered, worded or placed; budgets by fiscal year and kind, results by fiscal year. The number of the revision is
    /// no change; a policy that was withdrawn says what it said before.
    #[schema(max_items = 1_000_000)]
    pub changes: Vec<RevisionChange>,
}

/// Shows what differs between two revisions of a policy.
///
/// As a JSON Patch (RFC 6902) for programs, and as a list of changes in words for people. Without `from`, compared with the
/// revision before; the first has none (400). Unknown revisions are 404.
#[utoipa::path(tag = "revisions", params(Compared))]
#[get("/policies/{organization}/{fiscal_year}/revisions/{number}/diff")]
async fn compare_revisions(
    db: Db,
    Path((organization, year, to)): Path<(OrganizationKey, FiscalYear, i32)>,
    Query(compared): Query<Compared>,
) -> Result<Answer<RevisionDiff>> {
    db.read(move |conn| {
        let policy = find_published(conn, &(organization, year))?;
        let from = compared.from.0.unwrap_or(to - 1);
        if from == 0 {
            document(conn, policy, to)?;
            let detail = Bilingual::new(
                "最初の改訂です。比較する改訂番号を from に指定してください",
                "this is the first revision: say which one to compare with",
            );
            return Err(Error::malformed(Violation::of("from", "required", detail)));
        }
        compare(conn, policy, from, to).map(Answer)
    })
    .await
}

/// What differs between two revisions of a policy.
pub(super) fn compare(conn: &mut PgConnection, policy: Id, from: i32, to: i32) -> Result<RevisionDiff> {
    let shown = document(conn, policy, to)?;
    let before = document(conn, policy, from)?;
    Ok(RevisionDiff {
        from,
        to,
        patch: patch(&before, &shown),
        changes: difference::between(&before, &shown)
            .into_iter()
            .map(Into::into)
            .collect(),
    })
}

/// The document of a revision.
fn document(conn: &mut PgConnection, policy: Id, number: i32) -> Result<Value> {
    let document: Option<String> = revisions::table
        .filter(revisions::policy_id.eq(policy))
        .filter(revisions::number.eq(number))
        .select(revisions::document)
        .first(conn)
        .optional()?;
    let document = document.ok_or(Error::NotFound("revision"))?;
    serde_json::from_str(&document).map_err(Error::internal)
}

/// The steps from one document to another.
fn patch(from: &Value, to: &Value) -> Vec<PatchStep> {
    use json_patch::PatchOperation::{Add, Copy, Move, Remove, Replace, Test};
    let step = |op, path: String, value| PatchStep { op, path, value };
    json_patch::diff(from, to)
        .0
        .into_iter()
        .filter_map(|operation| match operation {
            Add(add) => Some(step(PatchOp::Add, add.path.to_string(), add.value)),
            Replace(replace) => Some(step(PatchOp::Replace, replace.path.to_string(), replace.value)),
            Remove(remove) => Some(step(PatchOp::Remove, remove.path.to_string(), Value::Null)),
            // `diff` makes only the three operations above.
            Move(_) | Copy(_) | Test(_) => None,
        })
        .collect()
}

impl From<Change> for RevisionChange {
    fn from(change: Change) -> Self {
        Self {
            pointer: change.pointer,
            place: change.place,
            what: change.what,
            before: change.before,
            after: change.after,
        }
    }
}
