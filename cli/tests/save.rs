//! `save`.

use crate::lab::{Lab, uid};

#[test]
fn content_is_stored_and_its_place_told() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let out = lab.ok(&["save", "a.txt", "--key", "raw/a.txt", "--description", "the first"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "→ connected lamindb: anonymous/lab");
    assert!(lines[1].starts_with("→ saved: Artifact(uid='"), "{out}");
    assert!(lines[1].contains("key='raw/a.txt', description='the first', suffix='.txt'"), "{out}");
    let place = lab.work().join(format!("data/.lamindb/{}.txt", uid(&out)));
    assert_eq!(lines[2], format!("→ storage path: {}", place.display()));
    assert_eq!(lines.len(), 3);
    assert_eq!(std::fs::read_to_string(place).unwrap(), "one");
}

#[test]
fn equal_content_is_returned_and_changed_content_is_a_version() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let first = uid(&lab.ok(&["save", "a.txt", "--key", "a.txt"]));
    let again = lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    assert!(again.contains("→ returning artifact with same hash: Artifact(uid='"), "{again}");
    assert_eq!(uid(&again), first);
    lab.write("a.txt", "two");
    let second = lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    let told = format!(
        "→ creating new artifact version for key 'a.txt' in storage '{}'",
        lab.work().join("data").display()
    );
    assert!(second.contains(&told), "{second}");
    let second = uid(second.split("saved").nth(1).unwrap());
    assert_eq!((&second[..16], &second[16..]), (&first[..16], "0001"));
}

#[test]
fn a_stem_uid_names_what_is_revised() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let first = uid(&lab.ok(&["save", "a.txt", "--key", "a.txt"]));
    lab.write("b.txt", "two");
    let saved = lab.json(&["save", "b.txt", "--key", "a.txt", "--stem-uid", &first[..16]]);
    assert_eq!(saved["saved"]["uid"], format!("{}0001", &first[..16]));
    assert!(lab.fails(1, &["save", "b.txt", "--key", "c.txt", "--stem-uid", "nothing"]).contains("nothing"));
}

#[test]
fn folders_are_artifacts_too() {
    let lab = Lab::new();
    lab.write("plate/a.txt", "A");
    lab.write("plate/b.txt", "BB");
    let saved = lab.json(&["save", "plate", "--key", "plate"]);
    assert_eq!(saved["saved"]["n_files"], 2);
    let place = std::path::PathBuf::from(saved["storage_path"].as_str().unwrap());
    assert_eq!(std::fs::read_to_string(place.join("b.txt")).unwrap(), "BB");
}

#[test]
fn a_key_or_description_is_needed() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    assert_eq!(
        lab.fails(1, &["save", "a.txt"]),
        "✗ Please pass a key or description via --key or --description\n"
    );
    lab.ok(&["save", "a.txt", "--description", "only words"]);
}

#[test]
fn a_missing_path_is_a_usage_error() {
    let lab = Lab::new();
    let err = lab.fails(2, &["save", "nofile", "--key", "k"]);
    assert!(err.starts_with("error: Invalid value for path: Path nofile does not exist\n"), "{err}");
    assert!(err.contains("Usage: holotype save [OPTIONS] <PATH>"), "{err}");
}

#[test]
fn plans_of_agents_get_kind_and_key() {
    let lab = Lab::new();
    lab.write("big.plan.md", "# Plan");
    let saved = &lab.json(&["save", "big.plan.md"])["saved"];
    assert_eq!((saved["kind"].as_str(), saved["key"].as_str()), (Some("plan"), Some(".plans/big.plan.md")));
    lab.write(".claude/plans/x.md", "# Other plan");
    assert_eq!(lab.json(&["save", ".claude/plans/x.md"])["saved"]["key"], ".plans/x.md");
}

#[test]
fn project_and_branch_are_looked_up_before_anything_is_stored() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let err = lab.fails(1, &["save", "a.txt", "--key", "a.txt", "--project", "none"]);
    assert!(
        err.contains("Project 'none' not found, either create it with `ln.Project(name='...').save()`"),
        "{err}"
    );
    lab.fails(1, &["save", "a.txt", "--key", "a.txt", "--branch", "none"]);
    assert_eq!(lab.json(&["list", "artifact"]).as_array().unwrap().len(), 0);
    lab.ok(&["create", "project", "atlas"]);
    lab.ok(&["create", "branch", "review"]);
    let saved = lab.json(&["save", "a.txt", "--key", "a.txt", "--project", "atlas", "--branch", "review"]);
    assert_ne!(saved["saved"]["branch_id"], 1);
    let linked = lab.json(&["list", "artifact", "--all", "--filter", "projects__name=atlas"]);
    assert_eq!(linked[0]["uid"], saved["saved"]["uid"]);
}

#[test]
fn engine_errors_end_with_code_1_and_change_nothing() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    for key in ["../a.txt", "a.csv", "b\\c.txt"] {
        let err = lab.fails(1, &["save", "a.txt", "--key", key]);
        assert!(err.starts_with("✗ "), "{err}");
    }
    assert_eq!(lab.json(&["list", "artifact"]).as_array().unwrap().len(), 0);
}

#[test]
fn scripts_and_notebooks_become_transforms() {
    let lab = Lab::new();
    lab.write("steps/sc.py", "import lamindb as ln\nprint(1)\n");
    let first = lab.ok(&["save", "steps/sc.py"]);
    assert!(first.contains("→ created Transform('") && first.ends_with("', key='steps/sc.py')\n"), "{first}");
    let again = lab.ok(&["save", "steps/sc.py"]);
    assert!(again.contains("→ transform already saved: Transform(uid='"), "{again}");
    lab.write("steps/sc.py", "print(2)\n");
    let saved = lab.json(&["save", "steps/sc.py"]);
    assert_eq!((saved["saved"]["version"].as_str(), saved["created"].as_bool()), (Some("0001"), Some(true)));
    assert!(saved["saved"]["uid"].as_str().unwrap().starts_with(&uid(&again)[..12]));
    assert_eq!(saved["saved"]["source_code"], "print(2)\n");
    assert_eq!(lab.json(&["list", "artifact", "--all"]).as_array().unwrap().len(), 0);
    assert_eq!(lab.run(&["save", "steps/sc.py", "--kind", "model"]).code, 2);
}

#[test]
fn the_uid_of_a_script_is_that_of_its_own_call() {
    let lab = Lab::new();
    lab.write("sc.py", "ln.track(\"AbCdEfGhIjKl0000\")\n");
    let out = lab.ok(&["save", "sc.py"]);
    assert!(out.contains("created Transform('AbCdEfGhIjKl0000', key='sc.py')"), "{out}");
}

#[test]
fn the_registry_can_be_chosen() {
    let lab = Lab::new();
    lab.write("model.py", "weights = 1\n");
    let saved = lab.json(&["save", "model.py", "--registry", "artifact", "--key", "models/model.py"]);
    assert_eq!(saved["saved"]["suffix"], ".py");
    lab.write("folder.py/a.txt", "a folder is no script");
    assert_eq!(lab.json(&["save", "folder.py", "--key", "folder.py"])["saved"]["n_files"], 1);
    assert_eq!(lab.run(&["save", "model.py", "--registry", "branch"]).code, 2);
}
