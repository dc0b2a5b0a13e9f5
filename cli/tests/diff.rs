//! `holotype diff`: how two records differ.

use crate::lab::Lab;

/// Saves two contents under one key and returns the uids of both versions.
fn versions(lab: &Lab, key: &str, contents: [&str; 2]) -> [String; 2] {
    contents.map(|content| {
        lab.write(key, content);
        lab.ok(&["save", key, "--key", key]);
        lab.json(&["get", "--key", key])["uid"].as_str().unwrap().to_owned()
    })
}

#[test]
fn texts_are_compared_line_by_line() {
    let lab = Lab::new();
    let [a, b] = versions(&lab, "a.txt", ["one\ntwo\nthree\n", "one\n2\nthree\n"]);
    let out = lab.ok(&["diff", &a, &b]);
    assert!(out.contains("@@ -1,3 +1,3 @@\n one\n-two\n+2\n three"), "{out}");
    assert_eq!(out, lab.ok(&["diff", &b]), "alone, it is compared with the version before");
    assert!(lab.fails(1, &["diff", &a]).contains("has no version before it"));
}

#[test]
fn tables_are_compared_row_by_row() {
    let lab = Lab::new();
    let tables = ["gene,n\nTP53,1\nMYC,2\n", "gene,n\nTP53,1\nMYC,3\nEGFR,4\n"];
    let [a, b] = versions(&lab, "a.csv", tables);
    let out = lab.ok(&["diff", &a, &b]);
    assert!(out.contains("by gene: 1 changed, 1 added, 0 removed, 1 same"), "{out}");
    assert!(out.contains("~ MYC: n 2 → 3\n+ EGFR"), "{out}");
    let data = lab.json(&["diff", &a, &b]);
    assert_eq!(data["content"]["counts"]["changed"], 1);
    assert_eq!(data["same"], false);
    assert!(lab.fails(1, &["diff", &a, &b, "--by", "colour"]).contains("'colour' is not a column"));
}

#[test]
fn a_record_does_not_differ_from_itself() {
    let lab = Lab::new();
    let [a, _] = versions(&lab, "a.txt", ["one\n", "two\n"]);
    assert_eq!(lab.json(&["diff", &a, &a])["same"], true);
    assert!(lab.fails(1, &["diff", "nosuchuid", &a]).contains("starts with nosuchuid"));
}
