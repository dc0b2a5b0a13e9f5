//! `holotype log`: what happened, newest first.

use crate::lab::Lab;

fn filled() -> Lab {
    let lab = Lab::new();
    lab.write("a.txt", "a");
    lab.write("b.txt", "b");
    lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    lab.ok(&["create", "ulabel", "--name", "healthy"]);
    lab.ok(&["save", "b.txt", "--key", "b.txt"]);
    lab
}

#[test]
fn the_newest_comes_first() {
    let lab = filled();
    let log = lab.json(&["log", "artifact", "ulabel"]);
    let told: Vec<String> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["what"].as_str().unwrap(), entry["name"].as_str().unwrap()))
        .collect();
    assert_eq!(told, ["created b.txt", "created healthy", "created a.txt"]);
    assert_eq!(log[0]["by"], "anonymous");
    let out = lab.ok(&["log"]);
    assert!(out.contains("created artifact") && out.contains("created ulabel"), "{out}");
}

#[test]
fn filters_narrow_it_down() {
    let lab = filled();
    let count = |args: &[&str]| lab.json(&[&["log"], args].concat()).as_array().unwrap().len();
    assert_eq!(count(&["artifact"]), 2);
    assert_eq!(count(&["artifact", "-n", "1"]), 1);
    assert_eq!(count(&["--name", "healthy"]), 1);
    assert_eq!(count(&["--by", "somebody"]), 0);
    assert_eq!(count(&["artifact", "--by", "anonymous", "--since", "2020-01-01"]), 2);
    assert_eq!(count(&["--until", "2020-01-01"]), 0);
}

#[test]
fn what_is_no_date_or_registry_is_refused() {
    let lab = filled();
    assert!(lab.fails(2, &["log", "--since", "yesterday"]).contains("'yesterday' is no date"));
    assert!(lab.fails(1, &["log", "artefact"]).contains("Did you mean artifact?"));
}
