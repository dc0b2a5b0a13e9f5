//! `holotype lineage`: what a dataset was made from, in every form.

use holotype::track::HashLookup;
use holotype::{NewArtifact, Record, RunChoice};

use crate::lab::Lab;

/// Returns raw.txt > clean > table.csv, and the records of the artifacts.
fn made(lab: &Lab) -> (Record, Record) {
    let instance = lab.instance();
    let artifact = |key: &str, run: RunChoice| {
        let path = lab.write(key, key);
        let new = NewArtifact { run, ..NewArtifact::new(path.to_str().unwrap()) };
        let mut artifact = instance.artifact(new.key(key)).unwrap();
        instance.save_artifact(&mut artifact).unwrap();
        artifact.record
    };
    let raw = artifact("raw.txt", RunChoice::None);
    let mut transform =
        instance.transform(&[("key", "clean".into())], None, HashLookup::Look).unwrap().record;
    instance.save(&mut transform).unwrap();
    let mut run = instance.run(Some(&transform), &[]).unwrap();
    instance.save(&mut run).unwrap();
    instance.track_input(&raw, run.id()).unwrap();
    let table = artifact("table.csv", RunChoice::Id(run.id().unwrap()));
    (raw, table)
}

#[test]
fn the_tree_leads_to_the_origin() {
    let lab = Lab::new();
    let (raw, table) = made(&lab);
    for args in [vec!["lineage", "--key", "table.csv"], vec!["lineage", &table.uid()[..12]]] {
        let out = lab.ok(&args);
        let lines: Vec<&str> = out.lines().skip_while(|line| !line.starts_with("table.csv")).collect();
        assert_eq!(lines.len(), 4, "{out}");
        assert!(
            lines[1] == "└── upstream" && lines[2].contains("▶ clean") && lines[3].contains("raw.txt"),
            "{out}"
        );
    }
    let out = lab.ok(&["lineage", "--key", "raw.txt", "--upstream"]);
    assert!(out.contains("nothing is known"), "{out}");
    let out = lab.ok(&["lineage", "artifact", raw.uid(), "--downstream", "--depth", "1"]);
    assert!(out.contains("table.csv"), "{out}");
    let out = lab.ok(&["lineage", "transform", "--key", "clean"]);
    assert!(out.contains("▶ clean") && out.contains("raw.txt") && out.contains("table.csv"), "{out}");
}

#[test]
fn every_form_is_written_to_a_file_by_its_ending() {
    let lab = Lab::new();
    made(&lab);
    for (file, start) in [
        ("a.svg", "<svg "),
        ("a.html", "<!DOCTYPE html>"),
        ("a.mmd", "flowchart LR"),
        ("a.dot", "digraph artifact_"),
        ("a.json", "{"),
        ("a.txt", "table.csv"),
    ] {
        let out = lab.ok(&["lineage", "--key", "table.csv", "-o", file]);
        assert!(out.contains("drew 3 nodes to "), "{out}");
        let text = std::fs::read_to_string(lab.work().join(file)).unwrap();
        assert!(text.starts_with(start), "{file}: {text}");
    }
    let ran = lab.run(&["lineage", "--key", "table.csv", "-o", "no/such/folder.svg"]);
    assert!(ran.code == 1 && ran.err.contains("could not be written"), "{ran:?}");
}

#[test]
fn json_is_for_programs() {
    let lab = Lab::new();
    let (_, table) = made(&lab);
    let data = lab.json(&["lineage", "--key", "table.csv"]);
    assert_eq!(data["nodes"][0]["uid"], table.uid());
    assert_eq!(data["edges"].as_array().unwrap().len(), 2);
    // Messages stay out of what is drawn.
    for (format, start, end) in
        [("mermaid", "flowchart LR\n", ":::focus"), ("svg", "<svg ", "</svg>"), ("dot", "digraph ", "}")]
    {
        let ran = lab.run(&["lineage", "--key", "table.csv", "--format", format]);
        assert!(ran.out.starts_with(start) && ran.out.contains(end), "{}", ran.out);
        assert_eq!(ran.err, "→ connected lamindb: anonymous/lab\n");
    }
}

#[test]
fn what_is_missing_is_said() {
    let lab = Lab::new();
    assert!(lab.fails(1, &["lineage", "nosuchuid"]).contains("has a uid that starts with nosuchuid"));
    assert_eq!(lab.run(&["lineage"]).code, 2);
    assert_eq!(lab.run(&["lineage", "x", "--upstream", "--downstream"]).code, 2);
    assert_eq!(lab.run(&["lineage", "artifact", "x", "--key", "y"]).code, 2);
}
