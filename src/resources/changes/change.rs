//! A change, as the feed tells it.

use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::cursor::mark;
use crate::{
    db::schema::changes,
    text_enum,
    value::{Id, Slug, Time},
};

text_enum! {
    /// What a change is about.
    pub enum ChangeType in "change_type" {
        /// An organization.
        Organization = "organization" ("所属", "organization"),
        /// A policy, without its self-evaluation.
        Policy = "policy" ("運営方針", "policy"),
        /// How an organization judges the year of a policy, and what it will do next: published with the results.
        SelfEvaluation = "self_evaluation" ("自己評価・今後の方針", "self-evaluation"),
        /// A goal.
        Goal = "goal" ("経営課題", "goal"),
        /// A budget figure of a goal.
        Budget = "budget" ("決算額・予算額", "budget"),
        /// An indicator with its target.
        Indicator = "indicator" ("指標", "indicator"),
        /// A result of an indicator.
        Result = "result" ("実績", "result"),
        /// A revision; what it says is at its permalink.
        Revision = "revision" ("改訂", "revision"),
        /// A token; in the audit, never in the feed.
        Token = "token" ("トークン", "token"),
    }
}

text_enum! {
    /// What was done.
    pub enum ChangeOp in "change_op" {
        /// It was created.
        Create = "create" ("登録", "created"),
        /// It was changed.
        Update = "update" ("変更", "changed"),
        /// It was removed.
        Delete = "delete" ("削除", "removed"),
        /// It became public.
        Publish = "publish" ("公表", "published"),
        /// It is public no longer.
        Withdraw = "withdraw" ("取下げ", "withdrawn"),
    }
}

/// A change of one thing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    /// Its place in the history: 1, 2, 3 …, in the order in which changes happened. What the caller may not see leaves gaps.
    #[schema(minimum = 1)]
    pub seq: i64,
    /// When it happened; the same for all changes of one request.
    pub at: Time,
    /// Name of the token of who made it; null for those who do not see the organization's drafts.
    #[schema(max_length = 300)]
    pub actor: Option<String>,
    /// Id of the request that made it; null for those who do not see the organization's drafts.
    #[schema(max_length = 64)]
    pub request_id: Option<String>,
    /// What was done.
    pub op: ChangeOp,
    /// To what.
    pub r#type: ChangeType,
    /// Identifier of the thing.
    pub id: Id,
    /// Slug of its organization at the time.
    #[schema(value_type = Slug)]
    pub organization: String,
    /// What people call the thing: `organization`, and as far as they apply `fiscal_year`, `goal` (code), `budget_year` and
    /// `kind`, `indicator` (name), `result_year`, `revision` (number).
    #[schema(value_type = Object)]
    pub key: Value,
    /// What people called it before, where this change renamed or renumbered it; else null.
    #[schema(value_type = Option<Object>)]
    pub previous_key: Option<Value>,
    /// The version of the thing: no two changes of it have the same one.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The columns that changed, of a thing that was there before and is there after.
    #[schema(max_items = 100, max_length = 100, example = json!(["name"]))]
    pub fields: Vec<String>,
    /// Why, where somebody said it.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
    /// The thing before, by its columns; null where the caller saw none. They say what GET of the thing says, in the same words,
    /// but for what it has from the things above it: their ids are there, `key` has their names. An indicator has the parts of
    /// its `target` also as columns, `target_…`; `public` is whether everybody sees the thing. A policy has its
    /// self-evaluation, with its own version, as a thing of its own. Decimals are exact. Of a result without a value whose
    /// status nobody stated, `value_status` is as of today and by the policy's due date, as in GET: it turns without a change.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The thing after, likewise; null where the caller sees none any more.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// Whether everybody sees this change.
    pub public: bool,
    /// What its cursor holds of its hash.
    #[serde(skip)]
    pub mark: String,
}

impl Change {
    /// About how many bytes the states of the change take.
    pub(super) fn size(&self) -> usize {
        let states = [&self.before, &self.after];
        states.into_iter().flatten().map(|state| state.to_string().len()).sum()
    }
}

/// A change, as the database has it.
#[derive(HasQuery)]
#[diesel(table_name = changes)]
pub(super) struct Told {
    pub(super) seq: i64,
    at: Time,
    actor: Option<String>,
    request_id: Option<String>,
    op: ChangeOp,
    #[diesel(column_name = type_)]
    kind: ChangeType,
    row_id: Id,
    key: Value,
    previous_key: Option<Value>,
    version: i64,
    fields: Vec<String>,
    reason: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    public: bool,
    hash: Vec<u8>,
}

impl Told {
    /// What the thing was before and is after.
    pub(super) fn states(&mut self) -> impl Iterator<Item = (ChangeType, &mut Value)> {
        let kind = self.kind;
        let states = [&mut self.before, &mut self.after].into_iter().flatten();
        states.map(move |state| (kind, state))
    }
}

impl From<Told> for Change {
    fn from(row: Told) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            request_id: row.request_id,
            op: row.op,
            r#type: row.kind,
            id: row.row_id,
            organization: row
                .key
                .get("organization")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            key: row.key,
            previous_key: row.previous_key,
            version: row.version,
            fields: row.fields,
            reason: row.reason,
            before: row.before,
            after: row.after,
            public: row.public,
            mark: mark(&row.hash),
        }
    }
}
