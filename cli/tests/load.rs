//! `load`.

use holotype::collection::NewCollection;
use holotype::{Record, model};

use crate::lab::{Lab, uid};

#[test]
fn says_where_the_content_is() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let first = uid(&lab.ok(&["save", "a.txt", "--key", "a.txt"]));
    lab.write("a.txt", "two");
    lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    let place = |version: &str| lab.work().join(format!("data/.lamindb/{}{version}.txt", &first[..16]));
    let told =
        format!("→ connected lamindb: anonymous/lab\n→ artifact is here: {}\n", place("0001").display());
    assert_eq!(lab.ok(&["load", "--key", "a.txt"]), told);
    assert_eq!(lab.ok(&["load", "artifact", "--uid", &first[..16]]), told);
    let loaded = lab.json(&["load", "--uid", &first]);
    assert_eq!(loaded["paths"][0], place("0000").to_str().unwrap());
}

#[test]
fn urls_name_instance_and_record() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let uid = uid(&lab.ok(&["save", "a.txt", "--key", "a.txt"]));
    let url = format!("https://example.org/anonymous/lab/artifact/{uid}");
    let elsewhere = lab.home();
    let ran = lab.run_in(&elsewhere, &["load", &url]);
    assert!(ran.code == 0 && ran.out.contains("artifact is here"), "{ran:?}");
    let ran = lab.run_in(&elsewhere, &["load", "https://example.org/anonymous/none/artifact/x"]);
    assert!(ran.code == 1 && ran.err.contains("'anonymous/none' not found"), "{ran:?}");
}

#[test]
fn what_is_missing_is_named() {
    let lab = Lab::new();
    assert_eq!(lab.fails(1, &["load", "--key", "K"]), "✗ Artifact with key=K does not exist.\n");
    assert_eq!(lab.fails(1, &["load", "--key", "K.py"]), "✗ Transform with key=K.py does not exist.\n");
    assert!(lab.fails(1, &["load", "--uid", "U"]).contains("with uid=U exists"));
    assert!(lab.fails(2, &["load", "artifact"]).contains("Pass --uid, --key or --name"));
    assert!(lab.fails(1, &["load", "ulabel", "--name", "x"]).contains("ULabel with name=x does not exist."));
}

#[test]
fn lost_content_is_an_error() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let saved = lab.json(&["save", "a.txt", "--key", "a.txt"]);
    std::fs::remove_file(saved["storage_path"].as_str().unwrap()).unwrap();
    lab.fails(1, &["load", "--key", "a.txt"]);
}

#[test]
fn a_collection_is_all_of_its_artifacts_in_order() {
    let lab = Lab::new();
    let instance = lab.instance();
    let registry = model::require("Artifact").unwrap();
    let mut artifacts = Vec::new();
    for name in ["b.txt", "a.txt"] {
        lab.write(name, name);
        let uid = uid(&lab.ok(&["save", name, "--key", name]));
        artifacts.insert(0, instance.get_uid(registry, &uid).unwrap());
    }
    let places: Vec<String> = artifacts
        .iter()
        .map(|artifact| instance.artifact_path(artifact).unwrap().display().to_string())
        .collect();
    let mut collection = instance.collection(NewCollection::new(artifacts, "both")).unwrap();
    instance.save_collection(&mut collection).unwrap();
    let out = lab.ok(&["load", "collection", "--key", "both"]);
    let told: Vec<&str> = out.lines().skip(1).collect();
    assert_eq!(told, places.iter().map(|place| format!("→ collection is here: {place}")).collect::<Vec<_>>());
}

/// Saves a transform with this source.
fn transform(lab: &Lab, key: &str, source: Option<&str>) {
    let mut record = Record::empty(model::require("Transform").unwrap());
    for (field, value) in [
        ("uid", Some("AbCdEfGhIjKl0000")),
        ("key", Some(key)),
        ("kind", Some("script")),
        ("source_code", source),
    ] {
        record.set(field, value).unwrap();
    }
    lab.instance().save(&mut record).unwrap();
}

#[test]
fn the_source_of_a_transform_is_written_into_the_bound_directory() {
    let lab = Lab::new();
    transform(&lab, "steps/clean.py", Some("print(1)\n"));
    let path = lab.work().join("steps/clean.py");
    let load = ["load", "--key", "steps/clean.py"];
    let told = format!("→ connected lamindb: anonymous/lab\n→ transform is here: {}\n", path.display());
    assert_eq!(lab.ok(&load), told);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "print(1)\n");
    assert_eq!(lab.ok(&load), told, "an equal file is no question");

    std::fs::write(&path, "mine").unwrap();
    let closed = lab.run(&load);
    assert!(closed.out.contains(&format!("! {} exists: replace? (y/n) ", path.display())), "{closed:?}");
    assert_eq!((closed.code, lab.answer(&load, "n\n").code), (1, 1));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(lab.answer(&load, "y\n").code, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "print(1)\n");
    assert!(
        lab.fails(1, &["load", "--key", "steps/clean.py", "--with-env"]).contains("kept its environment")
    );
}

#[test]
fn a_source_never_leaves_the_directory() {
    let lab = Lab::new();
    transform(&lab, "/etc/clean.py", Some("print(1)\n"));
    let err = lab.fails(1, &["load", "transform", "--key", "/etc/clean.py"]);
    assert!(err.contains("is no place inside the working directory"), "{err}");
    let lab = Lab::new();
    transform(&lab, "empty.py", None);
    assert!(lab.fails(1, &["load", "--key", "empty.py"]).contains("has no source code yet"));
}

#[test]
fn notebooks_come_back_as_notebooks() {
    let lab = Lab::new();
    let cells = r##"[{"cell_type": "markdown", "metadata": {}, "source": "# My title"},
        {"cell_type": "code", "metadata": {}, "source": "%time\nprint(1)", "execution_count": 1, "outputs": []}]"##;
    let path = lab.write(
        "n.ipynb",
        &format!(r#"{{"cells": {cells}, "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}"#),
    );
    lab.ok(&["save", "n.ipynb"]);
    let before = std::fs::read_to_string(&path).unwrap();
    lab.ok(&["load", "--key", "n.ipynb"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before, "an equal notebook is left alone");
    std::fs::remove_file(&path).unwrap();
    lab.ok(&["load", "--key", "n.ipynb"]);
    let notebook: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(notebook["cells"][0]["source"][0], "# My title");
    assert_eq!(notebook["cells"][1]["source"], serde_json::json!(["%time\n", "print(1)"]));
    assert!(lab.ok(&["save", "n.ipynb"]).contains("transform already saved"), "the source is the same");
}
