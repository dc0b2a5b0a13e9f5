//! `describe` and `get`.

use crate::lab::Lab;

fn filled() -> Lab {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    lab.ok(&["save", "a.txt", "--key", "a.txt", "--description", "the first"]);
    lab
}

#[test]
fn single_fields_are_printed_bare() {
    let lab = filled();
    let value = |args: &[&str]| lab.ok(args).lines().last().unwrap().to_owned();
    assert_eq!(value(&["get", "--key", "a.txt", "--description"]), "the first");
    assert_eq!(value(&["get", "branch", "--status"]), "standalone");
    assert_eq!(value(&["get", "branch", "--name", "archive", "--description"]), "The archive.");
    assert_eq!(lab.json(&["get", "--key", "a.txt", "--description"])["description"], "the first");
    assert!(lab.fails(1, &["get", "--key", "a.txt", "--status"]).contains("Artifact has no status"));
    assert_eq!(lab.run(&["get", "--key", "a.txt", "--status", "--description"]).code, 2);
}

#[test]
fn the_tree_shows_facts_labels_and_place() {
    let lab = filled();
    lab.ok(&["create", "ulabel", "healthy"]);
    lab.ok(&["annotate", "--key", "a.txt", "--ulabel", "healthy"]);
    let out = lab.ok(&["describe", "--key", "a.txt"]);
    for text in [
        "→ connected lamindb: anonymous/lab\nArtifact: a.txt (0000)\n|   description: the first\n├── uid: ",
        "size: 3 B",
        "created_by: anonymous",
        &format!("storage/path: {}/data/.lamindb/", lab.work().display()),
        "healthy",
    ] {
        assert!(out.contains(text), "{text}\n{out}");
    }
    assert_eq!(lab.ok(&["get", "--key", "a.txt"]), out);
    assert!(lab.ok(&["describe", "branch"]).contains("Branch: main\n"));
    lab.ok(&["delete", "artifact", "--key", "a.txt"]);
    let out = lab.ok(&["describe", "--key", "a.txt"]);
    assert!(out.lines().any(|line| line.starts_with("! ") && line.contains("trash")), "{out}");
}

#[test]
fn the_record_as_json_has_every_public_field() {
    let lab = filled();
    let record = lab.json(&["describe", "--key", "a.txt"]);
    for (field, value) in
        [("key", "a.txt"), ("description", "the first"), ("suffix", ".txt"), ("version", "0000")]
    {
        assert_eq!(record[field], value);
    }
    assert_eq!(record["is_latest"], true);
    assert!(record.as_object().unwrap().keys().all(|key| !key.starts_with('_')));
    assert_eq!(lab.json(&["get", "--key", "a.txt"]), record);
}

#[test]
fn the_old_meaning_of_get_loads() {
    let lab = filled();
    let out = lab.ok(&["get", "artifact", "--key", "a.txt", "--with-env"]);
    assert!(out.contains("→ artifact is here: "), "{out}");
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    let lab = filled();
    assert_eq!(lab.fails(1, &["describe", "--key", "K"]), "✗ Artifact with key=K does not exist.\n");
    assert!(
        lab.fails(1, &["describe", "thing", "--key", "K"])
            .contains("Entity must be a URL of a record or one of: artifact, branch")
    );
    assert_eq!(lab.run(&["describe"]).code, 2);
    assert_eq!(lab.run(&["describe", "--key", "a", "--uid", "b"]).code, 2);
}
