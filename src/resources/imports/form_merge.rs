//! Merges a form into the stored policy, and remembers the source line of everything the form says.

use diesel::prelude::*;
use serde_json::Value;

use super::{
    About, Rewording, Unmentioned, merge_over,
    report::{ImportField, ImportNote},
    source_map::FieldRef,
};
use crate::{
    db::{
        Tx,
        schema::{organization_name, organizations},
    },
    domain::form::{Confidence, Form, Note, Severity},
    error::{Result, Violation},
    http::validation::{self, Rules as _},
    resources::policy_trees::{PolicyTree, store::Rows},
    value::{FiscalYear, OrganizationKey, Slug, language::Bilingual},
};
use builder::FormMerge;

mod builder;

/// A form, merged into a whole policy.
pub(super) struct MergedForm {
    /// The policy to store.
    pub(super) tree: PolicyTree,
    /// The stored policy, if there is one.
    pub(super) rows: Option<Rows>,
    /// Stored things that the form lacks.
    pub(super) left: Vec<Unmentioned>,
    /// Notes about the form.
    pub(super) notes: Vec<ImportNote>,
    places: Vec<(FieldRef, u32, Confidence)>,
}

/// The organization and the fiscal year of a form: each none if the form does not say it, the organization also if none has
/// its name.
pub(super) fn policy_of(tx: &mut Tx<'_>, form: &Form) -> Result<About> {
    let year = form.fiscal_year.as_ref().map(|year| year.value);
    let Some(organization) = &form.organization else {
        return Ok((None, year));
    };
    let slugs: Vec<Slug> = organizations::table
        .filter(organization_name(organizations::name).eq(organization_name(&organization.value)))
        .select(organizations::slug)
        .limit(2)
        .load(tx.conn)?;
    Ok(match <[Slug; 1]>::try_from(slugs) {
        Ok([slug]) => (Some(slug), year),
        Err(_) => (None, year),
    })
}

/// The notes of a form; if none is an error, also that its organization is unknown.
pub(super) fn notes_of(form: &Form) -> Vec<ImportNote> {
    let mut notes: Vec<ImportNote> = form.notes.iter().map(ImportNote::from).collect();
    if let Some(organization) = form.organization.as_ref().filter(|_| !has_errors(&notes)) {
        let name = &organization.value;
        notes.push(ImportNote {
            severity: Severity::Error,
            code: "organization_unknown".to_owned(),
            sheet: None,
            line: Some(organization.line),
            column: None,
            pointer: Some("/organization".to_owned()),
            detail: Bilingual::new(
                format!("「{name}」という所属は登録されていません"),
                format!("there is no organization named {name}"),
            ),
        });
    }
    notes
}

fn has_errors(notes: &[ImportNote]) -> bool {
    notes.iter().any(|note| note.severity == Severity::Error)
}

impl MergedForm {
    /// Merges a form into the stored policy, or says why the result cannot be stored.
    pub(super) fn over(
        form: &Form,
        (organization, fiscal_year): (OrganizationKey, FiscalYear),
        stored: Option<(PolicyTree, Rows)>,
        rewording: Rewording,
    ) -> std::result::Result<Self, Vec<ImportNote>> {
        let (stored, rows) = stored.unzip();
        let mut merge = FormMerge {
            year: fiscal_year,
            rewording,
            stored: stored.as_ref(),
            places: Vec::new(),
            notes: form.notes.iter().map(ImportNote::from).collect(),
        };
        let mut tree = merge.policy(form, organization);
        let left = stored
            .clone()
            .map(|stored| merge_over(&mut tree, stored))
            .unwrap_or_default();
        let (places, notes) = (merge.places, merge.notes);
        let mut laid = Self {
            tree,
            rows,
            left,
            notes,
            places,
        };
        let fields = laid.fields(&laid.tree);
        let broken = broken(&laid.tree);
        laid.notes
            .extend(broken.iter().map(|violation| ImportNote::of(violation, &fields)));
        if has_errors(&laid.notes) {
            Err(laid.notes)
        } else {
            Ok(laid)
        }
    }

    /// The fields that the form says, by their places in a document of the policy.
    pub(super) fn fields(&self, tree: &PolicyTree) -> Vec<ImportField> {
        let places = self.places.iter();
        places
            .filter_map(|(spot, line, confidence)| {
                Some(ImportField {
                    pointer: spot.pointer(tree)?,
                    line: *line,
                    confidence: *confidence,
                })
            })
            .collect()
    }
}

/// The rules that a policy breaks: those of the contract, else its own.
fn broken(tree: &PolicyTree) -> Vec<Violation> {
    let document = serde_json::to_value(tree).unwrap_or(Value::Null);
    let broken = validation::violations::<PolicyTree>(&document);
    if broken.is_empty() { tree.broken() } else { broken }
}

impl From<&Note> for ImportNote {
    fn from(note: &Note) -> Self {
        Self {
            severity: note.severity,
            code: note.code.to_owned(),
            sheet: None,
            line: Some(note.line),
            column: Some(note.column),
            pointer: None,
            detail: note.detail.clone(),
        }
    }
}

impl ImportNote {
    /// The note as a broken rule of the body.
    pub(super) fn into_violation(self) -> Violation {
        let at = match (self.line, self.column) {
            (Some(line), Some(column)) => Bilingual::new(
                format!("{line}行{column}字目: "),
                format!("line {line}, column {column}: "),
            ),
            (Some(line), None) => Bilingual::new(format!("{line}行目: "), format!("line {line}: ")),
            _ => Bilingual::new("", ""),
        };
        let detail = Bilingual::new(at.ja + &self.detail.ja, at.en + &self.detail.en);
        Violation::at(self.pointer.unwrap_or_default(), "import", detail)
    }
}
