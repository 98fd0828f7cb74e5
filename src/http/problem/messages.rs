//! The sentence of each failure about this occurrence, in both languages.

use std::{borrow::Cow, slice};

use actix_web::http::StatusCode;

use super::{MOST_NAMED, clip};
use crate::{
    error::{Error, MOST_VIOLATIONS, Violation},
    value::language::Bilingual,
};

/// Kinds of things that a path can fail to name: the English key, and the sentence in Japanese.
const THINGS: &[(&str, &str)] = &[
    ("path", "このパスはありません"),
    ("organization", "所属が見つかりません"),
    ("policy", "運営方針が見つかりません"),
    ("goal", "経営課題が見つかりません"),
    ("budget", "決算額・予算額が見つかりません"),
    ("indicator", "指標が見つかりません"),
    ("result", "実績が見つかりません"),
    ("evaluation", "この年度の評価はありません"),
    ("revision", "改訂が見つかりません"),
    ("series", "系列が見つかりません"),
    ("token", "トークンが見つかりません"),
    ("change", "変更履歴のこの位置はありません"),
];

/// Most characters of an origin that a message repeats: more than a host may have.
const LONGEST_ORIGIN: usize = 300;

impl Error {
    /// The broken rules.
    pub(super) fn violations(&self) -> Cow<'_, [Violation]> {
        match self {
            Self::Malformed(violations) | Self::Invalid(violations) | Self::Conflict(violations) => violations.into(),
            Self::Misnamed(_, violation) => slice::from_ref(&**violation).into(),
            Self::Forbidden(scope) => {
                let violation = Violation::in_header("Authorization", "scope", self.words());
                vec![violation.suggesting(Some(scope.clone()))].into()
            }
            Self::WeakTag => vec![Violation::in_header("If-Match", "weak", self.words())].into(),
            Self::PreconditionRequired { .. } => {
                vec![Violation::in_header("If-Match", "required", self.words())].into()
            }
            _ => Cow::Borrowed(&[]),
        }
    }

    /// This occurrence in words.
    pub(super) fn words(&self) -> Bilingual {
        match self {
            Self::Unauthenticated | Self::InvalidToken => Bilingual::new(
                "有効なトークンを Authorization: Bearer で送ってください",
                "send a valid token as Authorization: Bearer",
            ),
            Self::InvalidTicket => Bilingual::new(
                "チケットが無効か、使用済みか、期限切れです。POST /v1/changes/tickets で新しいチケットを取得してください",
                "the ticket is wrong, used or expired; get a new one by POST /v1/changes/tickets",
            ),
            Self::ForeignOrigin(origin) => only_reads(&clip(origin, LONGEST_ORIGIN)),
            Self::Forbidden(scope) => Bilingual::new(
                format!("このトークンには権限 {scope} がありません"),
                format!("the token does not allow this: it lacks the scope {scope}"),
            ),
            Self::Gone => Bilingual::new(
                "このカーソルは以前の履歴のものです。/v1/snapshot からやり直してください",
                "the cursor belongs to a history that is no more; begin anew from /v1/snapshot",
            ),
            Self::NotFound(thing) | Self::Misnamed(thing, _) => {
                let named = THINGS.iter().find(|(en, _)| en == thing);
                let ja = named.map_or("見つかりません", |(_, ja)| ja);
                Bilingual::new(ja, format!("there is no such {thing}"))
            }
            Self::MethodNotAllowed(allow) => {
                Bilingual::new(format!("使えるメソッド: {allow}"), format!("allowed here: {allow}"))
            }
            Self::Malformed(violations) | Self::Invalid(violations) | Self::Conflict(violations) => {
                match violations.as_slice() {
                    [only] => only.detail.clone(),
                    all => how_many(all.len()),
                }
            }
            Self::PreconditionFailed => Bilingual::new(
                "読み取ったあとに変更されているか、すでに存在します。読み直してからやり直してください",
                "the resource has changed since it was read, or exists already; read it again and retry",
            ),
            Self::WeakTag => Bilingual::new(
                "弱いタグ（W/ で始まるもの）は決して一致しません（RFC 9110、13.1.1）。GETの応答のETagヘッダーの値（例 \"5d41402abc4b2a76\"）を、そのまま If-Match に付けてください",
                "weak tags (W/…) never match (RFC 9110, 13.1.1): send If-Match with the value of the ETag header of GET as it is, like \"5d41402abc4b2a76\"",
            ),
            Self::PreconditionRequired { creates: false } => Bilingual::new(
                "GETの応答のETagヘッダーの値を If-Match に付けてください（例 If-Match: \"5d41402abc4b2a76\"）。今の状態を問わないときは If-Match: * です",
                "send If-Match with the value of the ETag header of GET (If-Match: \"5d41402abc4b2a76\"), or If-Match: * for whatever is there",
            ),
            Self::PreconditionRequired { creates: true } => Bilingual::new(
                "置き換えるときは、GETの応答のETagヘッダーの値を If-Match に付けてください（例 If-Match: \"5d41402abc4b2a76\"。今の状態を問わないときは *）。新しく作るときは If-None-Match: * を付けてください",
                "to replace, send If-Match with the value of the ETag header of GET (If-Match: \"5d41402abc4b2a76\", or * for whatever is there); \
                 to create, send If-None-Match: *",
            ),
            Self::NotAcceptable => Bilingual::new(
                "application/json（様式のページは text/html）で回答します",
                "answers are application/json, the page of a form text/html",
            ),
            Self::UnsupportedMediaType(takes) => Bilingual::new(
                format!("圧縮していない {takes} で送ってください"),
                format!("send {takes}, without a content encoding"),
            ),
            Self::TooLarge(limit) => Bilingual::new(
                format!("本文は{limit}バイトまでです"),
                format!("the body may have at most {limit} bytes"),
            ),
            Self::Timeout => Bilingual::new("本文が時間内に届きませんでした", "the body did not arrive in time"),
            Self::TooMany { seconds, whose } => {
                let ja = if *whose == "token" {
                    "このトークン"
                } else {
                    "この接続元のアドレス"
                };
                Bilingual::new(
                    format!("{ja}からの要求が多すぎます。{seconds}秒後にもう一度お試しください"),
                    format!("too many requests by this {whose}; try again in {seconds} s"),
                )
            }
            Self::NoRoom => Bilingual::new(
                "サーバーのディスクに空きがないか、書き込めないため、ファイルを作成できません。しばらくしてからもう一度お試しください",
                "the server's disk has no room for the file, or cannot be written; try again later",
            ),
            Self::Unavailable(_) | Self::Undone(_) => {
                Bilingual::new("少し待ってからもう一度お試しください", "try again in a moment")
            }
            Self::OutcomeUnknown(_) => Bilingual::new(
                "書き込みが行われたかどうか分かりません。同じ Idempotency-Key で送り直すか、対象を読み直して確かめてください",
                "the write may have been done or not; send it again under the same Idempotency-Key, or read what it was about",
            ),
            Self::Unsettled(until) => Bilingual::new(
                format!(
                    "この時点への書き込みがまだ終わっていません。{until} までは確定しています。少し待ってからもう一度お試しください"
                ),
                format!(
                    "a write to this moment is still under way; all is settled until {until}; try again in a moment"
                ),
            ),
            Self::Framework(status) => {
                let known = StatusCode::from_u16(*status).ok();
                let reason = known.and_then(|status| status.canonical_reason()).unwrap_or("refused");
                Bilingual::new(reason, reason)
            }
            Self::Internal(_) => Bilingual::new("記録を残しました", "the failure has been logged under the request id"),
        }
    }
}

/// The sentence for pages of an origin that may not write.
fn only_reads(origin: &str) -> Bilingual {
    Bilingual::new(
        format!(
            "{origin} のページには、公開データの読み取りだけが許可されています。書き込みを許可するには、サービスの設定 WARD_POLICY_CORS_ORIGINS に {origin} を加えてください"
        ),
        format!(
            "pages of {origin} may read what is public, and may not write; to allow it, add {origin} to the service's setting WARD_POLICY_CORS_ORIGINS"
        ),
    )
}

/// The sentence for so many broken rules, and for how many of them are not named.
fn how_many(broken: usize) -> Bilingual {
    let more = broken.saturating_sub(MOST_NAMED);
    match (more, broken < MOST_VIOLATIONS) {
        (0, _) => Bilingual::new(
            format!("{broken}件の誤りがあります"),
            format!("{broken} rules are broken"),
        ),
        (_, true) => Bilingual::new(
            format!("{broken}件の誤りがあります。はじめの{MOST_NAMED}件を示します（ほかに{more}件）"),
            format!("{broken} rules are broken: the first {MOST_NAMED} are named, and there are {more} more"),
        ),
        (_, false) => Bilingual::new(
            format!("{broken}件以上の誤りがあります。はじめの{MOST_NAMED}件を示します（ほかに{more}件以上）"),
            format!(
                "{broken} rules or more are broken: the first {MOST_NAMED} are named, and there are at least {more} more"
            ),
        ),
    }
}
