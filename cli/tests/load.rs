//! `load`.

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
