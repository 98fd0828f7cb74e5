//! Whatever is done to policies, and whoever keeps answers: those given are the ones that would be without keeping any.

use std::collections::BTreeSet;

use serde_json::json;

use super::random_past::{LISTS, World};
use crate::{
    resources::evaluations::summary_counts::agree_by_group,
    support::{Api, CACHE},
};

/// Steps of one history.
const STEPS: usize = 20;

impl World {
    /// Gives an organization a name, perhaps one that another had.
    async fn rename(&mut self) -> Option<()> {
        let organization = self.some("organizations").await?;
        let slug = self.dice.one(&["kita", "minato", "taisho"])?;
        let path = format!("/v1/organizations/{}", organization["slug"].as_str()?);
        self.patch(path, json!({ "slug": slug })).await;
        Some(())
    }

    /// Where to look at what each organization has.
    async fn places(&self) -> Vec<String> {
        let mut places: Vec<String> = [
            "indicators",
            "evaluations/summary",
            "evaluations?sort=-gap",
            "series",
            "goals?q=課題",
        ]
        .map(|list| format!("/v1/{list}"))
        .to_vec();
        for organization in self.api.list("/v1/organizations").await {
            let slug = organization["slug"].as_str().unwrap();
            places.extend(LISTS.map(|list| format!("/v1/{list}?organization={slug}")));
        }
        for policy in self.api.list("/v1/policies").await {
            let key = format!("{}/{}", policy["organization"].as_str().unwrap(), policy["fiscal_year"]);
            places.extend(
                ["", "/tree", "/tree?with=evaluation", "/form", "/evaluation"]
                    .map(|rest| format!("/v1/policies/{key}{rest}")),
            );
        }
        for (list, rest) in [("goals", "/evaluation"), ("budgets", ""), ("indicators", "/evaluation")] {
            for item in self.api.list(format!("/v1/{list}?limit=5")).await {
                let path = format!("/v1/{list}/{}", item["id"].as_str().unwrap());
                places.extend(BTreeSet::from([format!("{path}{rest}"), path]));
            }
        }
        for result in self.api.list("/v1/results?limit=5").await {
            let indicator = result["indicator_id"].as_str().unwrap();
            places.push(format!("/v1/indicators/{indicator}/results/{}", result["fiscal_year"]));
        }
        places
    }
}

/// Fails where an answer is another than without keeping any.
async fn compare(keeping: &Api, plain: &Api, places: &BTreeSet<String>, after: &str) {
    for place in places {
        let (kept, fresh) = (keeping.public(place).await, plain.public(place).await);
        assert_eq!(kept.status, fresh.status, "{place} after {after}");
        if fresh.status == 200 {
            assert_eq!(
                String::from_utf8_lossy(&kept.bytes),
                String::from_utf8_lossy(&fresh.bytes),
                "{place} after {after}"
            );
        }
    }
}

async fn answers_are_those_that_would_be_given(seed: u64) {
    let mut world = World::new(seed).await;
    let (there, plain) = (world.api.beside(CACHE).await, world.api.beside(0).await);
    for _ in 0..4 {
        world.found().await;
    }
    for policy in world.api.list("/v1/policies").await {
        let key = format!("{}/{}", policy["organization"].as_str().unwrap(), policy["fiscal_year"]);
        world.api.publish(&key, "plan").await.must_be(201);
    }
    let (mut step, mut hits) = (0, 0.0);
    while step < STEPS {
        let mut places: BTreeSet<String> = world.places().await.into_iter().collect();
        for api in [&world.api, &there] {
            api.keeping().await;
            for place in &places {
                api.public(place).await;
            }
        }
        let done = match world.dice.below(4) {
            0 => world.rename().await,
            _ => world.step().await,
        };
        step += usize::from(done.is_some());
        places.extend(world.places().await);
        let after = format!("step {step}");
        let count = async || world.api.count("ward_policy_cache_hits_total").await;
        let before = count().await;
        // What organizations were called is known by hearing of changes, as what is kept is.
        plain.keeping().await;
        compare(&world.api, &plain, &places, &after).await;
        hits += count().await - before;
        there.keeping().await;
        compare(&there, &plain, &places, &after).await;
        if step.is_multiple_of(4) {
            agree_by_group(&plain, &after).await;
        }
    }
    assert!(hits > 50.0, "hardly any answer was kept through a change: {hits}");
}

#[actix_web::test]
async fn answers_in_one_history_are_those_that_would_be_given() {
    answers_are_those_that_would_be_given(2024).await;
}

#[actix_web::test]
async fn answers_in_another_history_are_those_that_would_be_given() {
    answers_are_those_that_would_be_given(271_063).await;
}
