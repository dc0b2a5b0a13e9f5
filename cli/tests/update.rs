//! `update`.

use crate::lab::Lab;

#[test]
fn descriptions_and_statuses_change() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    let out = lab.ok(&["update", "artifact", "--key", "a.txt", "--description", "new"]);
    assert_eq!(out, "→ connected lamindb: anonymous/lab\n→ updated artifact: description\n");
    assert_eq!(lab.json(&["get", "--key", "a.txt"])["description"], "new");
    lab.ok(&["create", "branch", "b1"]);
    let out = lab.ok(&["update", "branch", "--name", "b1", "--status", "review"]);
    assert!(out.ends_with("→ updated branch: status='review'\n"), "{out}");
    assert_eq!(lab.json(&["get", "branch", "--name", "b1", "--status"])["status"], "review");
    assert_eq!(lab.json(&["list", "branch", "--filter", "status=review"])[0]["name"], "b1");
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    let lab = Lab::new();
    assert_eq!(lab.run(&["update", "branch", "--name", "main"]).code, 2);
    let err = lab.fails(2, &["update", "branch", "--name", "main", "--status", "bad"]);
    assert!(err.contains("'bad' is none of closed, merged, standalone, draft, review"), "{err}");
    assert!(
        lab.fails(2, &["update", "artifact", "--key", "a", "--status", "draft"])
            .contains("Artifact has no status")
    );
    assert_eq!(lab.run(&["update", "artifact", "--key", "none", "--description", "x"]).code, 1);
}
