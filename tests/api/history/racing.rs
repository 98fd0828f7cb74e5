//! Whoever races whom: what was stored is a chain, of which every link was seen by who made the next, and readers go along it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::Duration,
};

use actix_web::rt::time::sleep;
use futures_util::future::{join, join_all};
use serde_json::json;

use super::random_past::Dice;
use crate::support::{Api, Call, factories::Nishi};

/// Who writes at a time, and how often each tries.
const WRITERS: u64 = 5;
const TRIES: usize = 10;

/// A write that was answered with success: which state it was made on, and which it made.
struct Link {
    path: String,
    before: String,
    after: String,
    title: String,
}

/// Reads one of the things, thinks about it, and changes what it read, if it is still that.
async fn write(api: &Api, paths: &[String], writer: u64, seed: u64, links: &RefCell<Vec<Link>>) {
    let mut dice = Dice(seed * WRITERS + writer);
    for n in 0..TRIES {
        let path = &paths[dice.below(paths.len())];
        let before = api.get(path).await.must_be(200).etag();
        sleep(Duration::from_millis(u64::try_from(dice.below(8)).unwrap())).await;
        let title = format!("課題{writer}の{n}");
        let change = Call::new("PATCH", path)
            .header("if-match", before.as_str())
            .because("競争")
            .json(&json!({ "title": title }));
        let answer = api.send(change).await;
        match answer.status {
            200 => links.borrow_mut().push(Link {
                path: path.clone(),
                before,
                after: answer.etag(),
                title,
            }),
            status => assert_eq!(status, 412, "{}", answer.body),
        }
    }
}

/// The titles a reader sees one after the other, of each of the things, until the writers are done.
async fn read(api: &Api, paths: &[String], done: &Cell<bool>) -> Vec<Vec<String>> {
    let mut seen = vec![Vec::new(); paths.len()];
    while !done.get() {
        for (path, seen) in paths.iter().zip(&mut seen) {
            seen.push(api.get(path).await.must_be(200).text("title"));
        }
    }
    seen
}

async fn race_by(seed: u64) {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let other = api.goal(&nishi.policy.id(), "1-2").await;
    let paths = [&nishi.goal, &other].map(|goal| format!("/v1/goals/{}", goal.id()));
    let mut states = HashMap::new();
    for path in &paths {
        let answer = api.get(path).await;
        states.insert(path.clone(), (answer.etag(), vec![answer.text("title")]));
    }
    let (links, done) = (RefCell::default(), Cell::new(false));
    let writers = async {
        join_all((0..WRITERS).map(|writer| write(&api, &paths, writer, seed, &links))).await;
        done.set(true);
    };
    let (told, ()) = join(read(&api, &paths, &done), writers).await;

    // From the first state, each link leads on from the one before, and none is left over.
    let mut links = links.into_inner();
    let stored = links.len();
    assert!(stored > 0);
    while !links.is_empty() {
        let next = links.iter().position(|link| states[&link.path].0 == link.before);
        let link = links.swap_remove(next.unwrap_or_else(|| panic!("seed {seed}: a write on a state that never was")));
        let state = states.get_mut(&link.path).unwrap();
        state.0 = link.after;
        state.1.push(link.title);
    }
    for (path, seen) in paths.iter().zip(told) {
        let (etag, titles) = &states[path];
        let last = api.get(path).await;
        assert_eq!(
            (&last.etag(), &last.text("title")),
            (etag, titles.last().unwrap()),
            "seed {seed}"
        );
        // A reader goes along, and never back.
        let places: Vec<_> = seen
            .iter()
            .map(|title| {
                titles
                    .iter()
                    .position(|known| known == title)
                    .unwrap_or_else(|| panic!("{title} was never stored"))
            })
            .collect();
        assert!(places.is_sorted(), "seed {seed}: {seen:?} of {titles:?}");
        // The history has each once.
        let id = path.rsplit('/').next().unwrap();
        let told = api.list(format!("/v1/audit?type=goal&id={id}")).await;
        assert_eq!(told.len(), titles.len(), "seed {seed}");
    }
}

#[actix_web::test]
async fn of_those_who_race_none_overwrites_what_it_has_not_seen() {
    for seed in 1..=4 {
        race_by(seed).await;
    }
}
