//! Importing by command, where the program runs.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    Outcome,
    http::{get, get_by},
    process::{Place, eventually},
};

const TREE: &str = "/v1/policies/nishi/2024/tree";

#[test]
fn files_are_imported_by_command_tried_first_and_for_a_reason() -> Outcome {
    let place = Place::new("import")?;
    let service = place.serve(&[])?;
    let published = get(service.address, TREE)?.body;
    fs::create_dir_all(place.data())?;
    let file = place.data().join("nishi-2024.json");
    let path = file.to_str().ok_or("no path")?;

    fs::write(&file, published.to_string())?;
    let same = place.run(&["import", path], &[])?;
    assert!(same.status.success(), "{}", same.said);
    let nothing = "nishi/2024: 0 things were created, 0 changed; 0 that the file lacks stay";
    assert_eq!(same.printed, format!("{path}: {nothing}\n"));

    let mut changed = published.clone();
    changed["head_title"] = json!("区長");
    fs::write(&file, changed.to_string())?;
    for arguments in [&["import", path][..], &["import", "--dry-run", path]] {
        place.run(arguments, &[])?.is_one_line_about(&[path, "reason"]);
    }
    let reason = ["--reason", "職名の追記", "--json", path];
    let tried = place.run(&[&["import", "--dry-run"][..], &reason].concat(), &[])?;
    assert!(tried.status.success(), "{}", tried.said);
    assert_eq!(get(service.address, TREE)?.body, published);
    let stored = place.run(&[&["import"][..], &reason].concat(), &[])?;
    let report = |printed: &str| -> Outcome<Value> {
        let mut report: Value = serde_json::from_str(printed)?;
        report["dry_run"].take();
        report["stored"].take();
        Ok(report)
    };
    assert_eq!(report(&tried.printed)?, report(&stored.printed)?);
    // Another process wrote it: the service hears of that.
    eventually(|| Ok((get(service.address, TREE)?.body["head_title"] == "区長").then_some(())))?;
    let audit = get_by(service.address, &place.token()?, "/v1/audit?limit=1")?.body;
    assert_eq!(audit["items"][0]["reason"], "職名の追記");

    let form = place.data().join("nishi-2024.txt");
    fs::write(&form, include_str!("../../src/cli/sample/nishi-2024.txt"))?;
    let form = place.run(&["import", form.to_str().ok_or("no path")?], &[])?;
    assert!(form.status.success(), "{}", form.said);
    assert!(
        form.printed.contains("0 things were created, 0 changed") && form.printed.contains("(slip_corrected)"),
        "{}",
        form.printed
    );

    fs::write(&file, "{")?;
    place.run(&["import", path], &[])?.is_one_line_about(&[path, "JSON"]);
    let small = [("WARD_POLICY_IMPORT_BYTES", "1024")];
    fs::write(&file, published.to_string())?;
    place.run(&["import", path], &small)?.is_one_line_about(&[path, "1024"]);
    place
        .run(&["import", "nowhere.json"], &[])?
        .is_one_line_about(&["nowhere.json"]);
    assert!(service.stop(Signal::SIGTERM)?.success());
    Ok(())
}
