//! The sentences of the database's constraints: a rule between rows is stated once, in a migration, and its sentence here.

use diesel::result::{DatabaseErrorKind as Kind, Error as DieselError};

use crate::{
    auth::CHANGE_REASON,
    error::{Error, Violation},
    value::language::Bilingual,
};

/// Name, the field it is about, and the sentence in Japanese and in English.
#[rustfmt::skip]
const CONSTRAINTS: &[(&str, &str, &str, &str)] = &[
    ("organizations_slug_unique", "/slug", "このスラッグは使用されています", "this slug is taken"),
    ("organizations_slug_reserved", "/slug", "このスラッグは別の所属が使っていたもので、使えません", "another organization had this slug, and addresses lead to it"),
    ("organizations_slug_format", "/slug", "英小文字で始まる英数字とハイフンにしてください", "must be lower-case letters, digits and hyphens"),
    ("organizations_kind_known", "/kind", "所属の種類が不明です", "is not a known kind of organization"),
    ("organizations_municipality_code_unique", "/municipality_code", "この団体コードは使用されています", "this municipality code is taken"),
    ("organizations_municipality_code_reserved", "/municipality_code", "この団体コードは別の所属が使っていたもので、使えません", "another organization had this municipality code, and addresses lead to it"),
    ("organizations_municipality_code_check_digit", "/municipality_code", "団体コードの検査数字が合いません", "the check digit of the municipality code is wrong"),
    ("organizations_municipality_code_of_wards", "/municipality_code", "団体コードは区にだけあります", "wards have a municipality code, bureaus have none"),
    ("organizations_name_unique", "/name", "この名称（「大阪市」や「役所」の有無を区別しません）は別の所属が使用しています", "another organization has this name, with or without 大阪市 and 役所"),
    ("organizations_name_not_blank", "/name", "空白にはできません", "must not be blank"),
    ("organizations_display_order_range", "/display_order", "0から9999までにしてください", "must lie between 0 and 9999"),
    ("policies_organization_exists", "/organization", "所属が存在しません", "names no organization"),
    ("policies_year_unique", "/fiscal_year", "この所属のこの年度の運営方針はすでにあります", "the organization already has a policy for this fiscal year"),
    ("policies_year_fixed", "/fiscal_year", "公表した運営方針の年度は変更できません", "a policy that was published stays in its fiscal year"),
    ("policies_year_range", "/fiscal_year", "1950から2100までにしてください", "must lie between 1950 and 2100"),
    ("policies_due_after_start", "/results_due_on", "年度の開始より前にはできません", "must not lie before the fiscal year starts"),
    ("policies_texts_whole", "", "項目にnullは使えません", "text boxes must not hold null items"),
    ("policies_organization_fixed", "/organization", "運営方針の所属は変更できません", "a policy stays with its organization"),
    ("policies_stage_known", "", "段階が不明です", "is not a known stage"),
    ("policies_published_dates_coherent", "", "公表日が段階と合いません", "the dates of publication do not fit the stage"),
    ("self_evaluations_policy_exists", "", "運営方針が存在しません", "names no policy"),
    ("self_evaluations_policy_unique", "", "この運営方針の自己評価はすでにあります", "the policy already has a self-evaluation"),
    ("self_evaluations_texts_whole", "", "項目にnullは使えません", "text boxes must not hold null items"),
    ("self_evaluations_policy_fixed", "", "自己評価の運営方針は変更できません", "a self-evaluation stays with its policy"),
    ("goals_policy_fixed", "/policy_id", "経営課題の運営方針は変更できません", "a goal stays with its policy"),
    ("budgets_policy_fixed", "/goal_id", "別の運営方針の経営課題には移せません", "a budget stays with its policy"),
    ("indicators_policy_fixed", "/goal_id", "別の運営方針の経営課題には移せません", "an indicator stays with its policy"),
    ("results_policy_fixed", "", "実績の運営方針は変更できません", "a result stays with its policy"),
    ("goals_policy_exists", "/policy_id", "運営方針が存在しません", "names no policy"),
    ("goals_code_unique", "/code", "この運営方針にこの番号の経営課題はすでにあります", "the policy already has a goal with this code"),
    ("goals_code_format", "/code", "番号は 1-1 の形にしてください", "must look like 1-1"),
    ("goals_title_not_blank", "/title", "空白にはできません", "must not be blank"),
    ("goals_texts_whole", "", "項目にnullは使えません", "text boxes must not hold null items"),
    ("budgets_goal_exists", "/goal_id", "経営課題が存在しません", "names no goal"),
    ("budgets_figure_unique", "/fiscal_year", "この経営課題のこの年度・種類の金額はすでにあります", "the goal already has this kind of figure for this fiscal year"),
    ("budgets_year_range", "/fiscal_year", "1950から2100までにしてください", "must lie between 1950 and 2100"),
    ("budgets_kind_known", "/kind", "種類が不明です", "is not a known kind of budget"),
    ("budgets_status_known", "/status", "状態が不明です", "is not a known status"),
    ("budgets_amount_when_stated", "/amount_yen", "金額と丸めの単位は、記載があるときだけ必要です", "amount and precision belong to a stated figure and to no other"),
    ("budgets_text_when_unread", "/text", "読み取れない金額には記載が必要です", "is required when the status is unread"),
    ("budgets_amount_range", "/amount_yen", "15桁までにしてください", "must have at most 15 digits"),
    ("budgets_precision_positive", "/precision_yen", "正の整数にしてください", "must be positive"),
    ("budgets_amount_rounded", "/amount_yen", "丸めの単位の倍数にしてください", "must be a multiple of its precision"),
    ("indicators_goal_exists", "/goal_id", "経営課題が存在しません", "names no goal"),
    ("indicators_name_unique", "/name", "この経営課題にこの名称の指標はすでにあります", "the goal already has an indicator of this name"),
    ("indicators_position_range", "/position", "1から999までにしてください", "must lie between 1 and 999"),
    ("indicators_kind_known", "/kind", "種類が不明です", "is not a known kind of indicator"),
    ("indicators_name_not_blank", "/name", "空白にはできません", "must not be blank"),
    ("indicators_decimals_range", "/decimals", "0から9までにしてください", "must lie between 0 and 9"),
    ("indicators_direction_known", "/direction", "方向が不明です", "is not a known direction"),
    ("indicators_comparator_known", "/target/comparator", "比較の種類が不明です", "is not a known comparator"),
    ("indicators_reference_known", "/target/reference/kind", "基準の種類が不明です", "is not a known kind of reference"),
    ("indicators_period_known", "/target/period/kind", "期間の種類が不明です", "is not a known kind of period"),
    ("indicators_target_value_coherent", "/target/value", "値が比較の種類と合いません", "does not fit the comparator"),
    ("indicators_target_upper_coherent", "/target/upper", "上限は範囲の目標にだけ必要です", "belongs to between and to no other comparator"),
    ("indicators_target_reference_coherent", "/target/reference", "基準の内容が種類と合いません", "does not fit its kind"),
    ("indicators_target_period_coherent", "/target/period", "期間の内容が種類と合いません", "does not fit its kind"),
    ("indicators_target_years_range", "/target", "年度は1950から2100までにしてください", "fiscal years must lie between 1950 and 2100"),
    ("indicators_target_numbers_exact", "/target", "数値の桁数が多すぎます", "numbers have too many digits"),
    ("results_indicator_exists", "/indicator_id", "指標が存在しません", "names no indicator"),
    ("results_year_unique", "/fiscal_year", "この指標のこの年度の実績はすでにあります", "the indicator already has a result for this fiscal year"),
    ("results_year_range", "/fiscal_year", "1950から2100までにしてください", "must lie between 1950 and 2100"),
    ("results_denominator_positive", "/denominator", "正の数にしてください", "must be positive"),
    ("results_sample_size_not_negative", "/sample_size", "0以上にしてください", "must not be negative"),
    ("results_value_status_known", "/value_status", "状態が不明です", "is not a known status"),
    ("results_value_or_status", "/value_status", "値がある実績に、値がない理由は付けられません", "a result with a value has no reason for having none"),
    ("results_text_when_text_only", "/text", "文章のみの実績には文章が必要です", "a result that is text only needs its text"),
    ("results_observation_status_known", "/observation_status", "状態が不明です", "is not a known status"),
    ("results_declared_rating_known", "/declared_rating", "AかBにしてください", "must be A or B"),
    ("revisions_policy_exists", "", "公表した運営方針は削除できません。取り下げてください", "has been published and cannot be deleted; withdraw it instead"),
    ("revisions_number_unique", "", "この番号の改訂はすでにあります", "there is a revision of this number"),
    ("revisions_number_positive", "", "正の整数にしてください", "must be positive"),
    ("revisions_kind_known", "/kind", "公表の種類が不明です", "is not a known kind of publication"),
    ("revisions_reason_stated", "/reason", "理由が必要です", "needs a reason"),
    ("revisions_sha256_of_document", "", "ハッシュが内容と一致しません", "the hash is not the document's"),
    ("tokens_name_unique", "/name", "この名称は使用されています", "this name is taken"),
    ("tokens_name_not_blank", "/name", "空白にはできません", "must not be blank"),
    ("tokens_handle_unique", "", "もう一度お試しください", "try again"),
    ("tokens_hash_length", "", "ハッシュの長さが違います", "the hash has another length"),
    ("tokens_scopes_known", "/scopes", "権限が不明です", "is not a known scope"),
    ("token_uses_token_exists", "", "トークンが存在しません", "names no token"),
    ("stream_tickets_hash_length", "", "ハッシュの長さが違います", "the hash has another length"),
    ("stream_tickets_token_exists", "", "トークンが存在しません", "names no token"),
    ("idempotency_keys_token_exists", "", "トークンが存在しません", "names no token"),
    ("change_log_seq_positive", "", "正の整数にしてください", "must be positive"),
    ("change_log_op_known", "", "操作が不明です", "is not a known operation"),
    ("change_log_type_known", "", "種類が不明です", "is not a known type"),
    ("change_epoch_single", "", "一行だけです", "has one row"),
    ("results_numbers_exact", "", "数値の桁数が多すぎます", "numbers have too many digits"),
];

/// Names of the constraints that have a sentence; a test compares them with the database's.
pub fn known_constraints() -> impl Iterator<Item = &'static str> {
    CONSTRAINTS.iter().map(|(name, ..)| *name)
}

impl Error {
    /// Turns a missing parent (404) into the 409 that its foreign key of this name would give.
    #[must_use]
    pub fn about(self, constraint: &str) -> Self {
        let named = CONSTRAINTS.iter().find(|(name, ..)| *name == constraint);
        match (self, named) {
            (Self::NotFound(_), Some((_, pointer, ja, en))) => {
                Self::Conflict(vec![Violation::at(*pointer, "constraint", Bilingual::new(*ja, *en))])
            }
            (e, _) => e,
        }
    }
}

impl From<DieselError> for Error {
    /// By the name of the constraint, never by the server's words, which may be in any language. A failure that diesel cannot
    /// name (deadlock, timeout, shutdown, read-only) counts as one that passes.
    fn from(e: DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = &e else {
            return match e {
                DieselError::NotFound => Self::NotFound("resource"),
                DieselError::BrokenTransactionManager => Self::Unavailable(e.to_string()),
                e => Self::internal(e),
            };
        };
        let name = info.constraint_name().unwrap_or_default();
        // Only a caller who creates a row under an id of its own can meet an existing one.
        if *kind == Kind::UniqueViolation && name.ends_with("_pkey") {
            return Self::PreconditionFailed;
        }
        match name {
            "change_log_actor_stated" => return Self::Unauthenticated,
            "change_log_reason_stated" => return Self::Invalid(vec![reason_required()]),
            _ => {}
        }
        let named = CONSTRAINTS.iter().find(|(known, ..)| *known == name);
        match (kind, named) {
            (_, Some((_, pointer, ja, en))) => {
                Self::Conflict(vec![Violation::at(*pointer, "constraint", Bilingual::new(*ja, *en))])
            }
            (
                Kind::UniqueViolation | Kind::ForeignKeyViolation | Kind::CheckViolation | Kind::NotNullViolation,
                None,
            ) => Self::internal(e),
            (Kind::SerializationFailure | Kind::Unknown, None) => Self::Undone(e.to_string()),
            _ => Self::Unavailable(e.to_string()),
        }
    }
}

/// The violation of a change of something public without a reason.
#[must_use]
pub fn reason_required() -> Violation {
    let detail = Bilingual::new(
        "公表済みの内容の変更には理由が必要です",
        "what is public changes only for a reason",
    );
    Violation::in_header(CHANGE_REASON, "required", detail)
}
