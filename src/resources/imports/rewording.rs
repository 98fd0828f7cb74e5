//! The indicators of a file that may be stored ones in other words: a person says whether they are.

use std::cmp::Reverse;

use super::{Rewording, report::ImportNote};
use crate::{
    domain::{
        form::Severity,
        likeness::{Traits, reworded},
    },
    resources::policy_trees::{PolicyTree, TreeIndicator},
    value::language::Bilingual,
};

/// What is stored of an indicator of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stored<'t> {
    /// It is stored under its name, but for widths and blanks.
    Named(&'t TreeIndicator),
    /// The file lacks this one, which may be the same in other words.
    Reworded(&'t TreeIndicator),
    /// Nothing.
    Nothing,
}

/// Finds the stored indicators of a goal that those of a file are. Each stored one is found once: of several that a new one may
/// be, the likest.
pub(super) fn find<'t>(said: &[Traits<'_>], stored: &'t [TreeIndicator]) -> Vec<Stored<'t>> {
    let stored: Vec<_> = stored.iter().map(|it| (it, traits(it))).collect();
    let mut found: Vec<_> = said
        .iter()
        .map(|it| {
            let named = stored.iter().find(|(_, other)| other.name() == it.name());
            named.map_or(Stored::Nothing, |(named, _)| Stored::Named(named))
        })
        .collect();
    let is_said = |other: &Traits<'_>| said.iter().any(|it| it.name() == other.name());
    let mut pairs = Vec::new();
    for (place, it) in said.iter().enumerate() {
        for (gone, other) in stored.iter().filter(|(_, other)| !is_said(other)) {
            if found.get(place) == Some(&Stored::Nothing)
                && let Some(likeness) = reworded(it, other)
            {
                pairs.push((likeness.score, place, *gone));
            }
        }
    }
    pairs.sort_by_key(|(score, place, _)| (Reverse(*score), *place));
    for (_, place, gone) in pairs {
        if !found.contains(&Stored::Reworded(gone))
            && let Some(nothing @ Stored::Nothing) = found.get_mut(place)
        {
            *nothing = Stored::Reworded(gone);
        }
    }
    found
}

/// The traits of an indicator that is compared.
fn traits(it: &TreeIndicator) -> Traits<'_> {
    let population = it.population.as_ref().map(|population| population.0.as_str());
    let unit = it.unit.as_ref().map(|unit| unit.0.as_str());
    Traits::of(&it.name.0, unit, population, it.kind, &it.target)
}

/// Gives indicators without an identifier the identifiers and series of the stored ones that they are in other words, if a
/// person said that they are. Gives a note for each while nobody has said anything.
pub(super) fn settle(said: &mut PolicyTree, stored: &PolicyTree, rewording: Rewording) -> Vec<ImportNote> {
    let mut notes = Vec::new();
    let identified: Vec<_> = said.goals.iter().flat_map(|goal| &goal.indicators).collect();
    let identified: Vec<_> = identified.iter().filter_map(|it| it.id).collect();
    for (g, goal) in said.goals.iter_mut().enumerate() {
        let Some(before) = stored.goals.iter().find(|before| before.code == goal.code) else {
            continue;
        };
        let unnamed = before.indicators.iter();
        let unnamed: Vec<_> = unnamed
            .filter(|it| it.id.is_none_or(|id| !identified.contains(&id)))
            .cloned()
            .collect();
        let said: Vec<_> = goal
            .indicators
            .iter()
            .filter(|it| it.id.is_none())
            .map(traits)
            .collect();
        let found = find(&said, &unnamed);
        drop(said);
        let places = goal.indicators.iter_mut().enumerate().filter(|(_, it)| it.id.is_none());
        for ((i, it), found) in places.zip(found) {
            let Stored::Reworded(gone) = found else { continue };
            match rewording {
                Rewording::Rename => {
                    it.id = gone.id;
                    it.series_id = it.series_id.or(gone.series_id);
                }
                Rewording::Add => {}
                Rewording::Refuse => notes.push(ImportNote {
                    pointer: Some(format!("/goals/{g}/indicators/{i}/name")),
                    ..undecided(&gone.name.0, &it.name.0)
                }),
            }
        }
    }
    notes
}

/// The note that a person has to say whether a new indicator is a stored one in other words.
pub(super) fn undecided(old: &str, new: &str) -> ImportNote {
    ImportNote {
        severity: Severity::Error,
        code: "rewording".to_owned(),
        sheet: None,
        line: None,
        column: None,
        pointer: None,
        detail: Bilingual::new(
            format!(
                "「{new}」は、ファイルにない登録済みの「{old}」の表現を変えたものかもしれません。同じ指標ならrewording=rename、新しい指標ならrewording=addを指定してください"
            ),
            format!(
                "'{new}' may be the stored '{old}', which the file lacks, in other words: say rewording=rename if it is, rewording=add if it is a new one"
            ),
        ),
    }
}
