//! `switch`.

use crate::lab::Lab;

#[test]
fn branches_are_created_and_switched() {
    let lab = Lab::new();
    let err = lab.fails(1, &["switch", "nob"]);
    assert_eq!(err, "✗ Branch 'nob' does not exist. To create and switch, run: holotype switch -c nob\n");
    let out = lab.ok(&["switch", "-c", "b2"]);
    assert_eq!(out, "→ connected lamindb: anonymous/lab\n→ created branch: b2\n→ switched to b2\n");
    let err = lab.fails(1, &["switch", "--create", "B2"]);
    assert_eq!(err, "✗ Branch 'b2' already exists. Omit -c/--create to switch to it.\n");
    assert_eq!(lab.ok(&["settings", "get", "branch"]), "b2\n");
    let choice = std::fs::read_to_string(lab.work().join(".lamin/current_branch")).unwrap();
    let lines: Vec<&str> = choice.lines().collect();
    assert_eq!((lines[0].len(), lines[1]), (12, "b2"));
    assert!(lab.ok(&["switch", "main"]).ends_with("→ switched to main\n"));
    assert_eq!(lab.ok(&["settings", "get", "branch"]), "main\n");
    assert!(!lab.work().join(".lamin/current_branch").exists());
}

#[test]
fn records_of_a_branch_are_seen_on_it_alone() {
    let lab = Lab::new();
    lab.ok(&["create", "ulabel", "everywhere"]);
    lab.ok(&["switch", "-c", "b1"]);
    lab.ok(&["create", "ulabel", "here"]);
    let names = || {
        let listed = lab.json(&["list", "ulabel"]);
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(), ["here", "everywhere"]);
    lab.ok(&["switch", "main"]);
    assert_eq!(names(), ["everywhere"]);
}

#[test]
fn spaces_are_switched_in_old_and_new_spelling() {
    let lab = Lab::new();
    lab.ok(&["create", "space", "lab"]);
    assert!(lab.ok(&["switch", "--space", "lab"]).ends_with("→ switched to lab\n"));
    assert_eq!(lab.ok(&["settings", "get", "space"]), "lab\n");
    lab.ok(&["create", "branch", "b1"]);
    let out = lab.ok(&["switch", "--branch", "b1", "--space", "all"]);
    assert!(out.ends_with("→ switched to b1\n→ switched to all\n"), "{out}");
    assert!(lab.fails(1, &["switch", "--space", "none"]).contains("Space 'none' does not exist."));
    assert_eq!(lab.run(&["switch"]).code, 2);
    assert_eq!(lab.run(&["switch", "a", "b"]).code, 2);
    assert_eq!(lab.run(&["switch", "--space", "-c", "x"]).code, 2);
}
