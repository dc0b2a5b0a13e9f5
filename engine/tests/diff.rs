//! Differences of records: fields, texts, folders, tables.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

use std::fs;

use holotype::diff::{Content, Diff, Options};
use holotype::model::require;
use holotype::testing::Scratch;
use holotype::{ErrorKind, NewArtifact, Record, RunChoice};

fn save(scratch: &Scratch, path: &str, key: &str) -> Record {
    let new = NewArtifact { run: RunChoice::None, ..NewArtifact::new(path) };
    let mut artifact = scratch.instance().artifact(new.key(key)).unwrap();
    scratch.instance().save_artifact(&mut artifact).unwrap();
    artifact.record
}

/// Returns the difference of two files saved under one key.
fn diff(scratch: &Scratch, name: &str, texts: [&[u8]; 2], options: &Options) -> holotype::Result<Diff> {
    let [a, b] = texts.map(|text| {
        let path = scratch.file(&format!("in/{name}"), "").unwrap();
        fs::write(&path, text).unwrap();
        save(scratch, path.to_str().unwrap(), name)
    });
    scratch.instance().diff(&a, &b, options)
}

#[test]
fn fields_that_differ_are_listed() {
    let scratch = Scratch::new().unwrap();
    let found = diff(&scratch, "a.txt", [b"one\n", b"two!\n"], &Options::default()).unwrap();
    let names: Vec<&str> = found.fields.iter().map(|[name, ..]| name.as_str()).collect();
    assert!(names.contains(&"uid") && names.contains(&"size") && names.contains(&"hash"), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with('_') || *name == "id"), "{names:?}");
    assert!(found.fields.iter().all(|[name, a, b]| name != "updated_at" && a != b), "{:?}", found.fields);
    let size = found.fields.iter().find(|[name, ..]| name == "size").unwrap();
    assert_eq!(size[1..], ["4", "5"]);
}

#[test]
fn folders_are_compared_file_by_file() {
    let scratch = Scratch::new().unwrap();
    let folder = |name: &str, files: &[(&str, &str)]| {
        for (file, text) in files {
            scratch.file(&format!("{name}/{file}"), text).unwrap();
        }
        save(
            &scratch,
            scratch.file(&format!("{name}/same"), "s").unwrap().parent().unwrap().to_str().unwrap(),
            name,
        )
    };
    let a = folder("a", &[("kept/x", "1"), ("changed", "22"), ("gone", "3"), ("old name", "moved")]);
    let b = folder("b", &[("kept/x", "1"), ("changed", "222"), ("new", "4"), ("new name", "moved")]);
    let found = scratch.instance().diff(&a, &b, &Options::default()).unwrap();
    let Content::Folder(folders) = &found.content else { panic!("{:?}", found.content) };
    assert_eq!(folders.added, ["new"]);
    assert_eq!(folders.removed, ["gone"]);
    assert_eq!(folders.changed, [("changed".to_owned(), 2, 3)]);
    assert_eq!(folders.renamed, [("old name".to_owned(), "new name".to_owned())]);
    assert_eq!((folders.same, folders.left_out), (2, 0));
    assert!(found.to_text().contains("~ changed (2 B → 3 B)"), "{}", found.to_text());
    let few = scratch.instance().diff(&a, &b, &Options { most: 0, ..Options::default() }).unwrap();
    assert!(few.to_text().contains("… 4 more files"), "{}", few.to_text());
    let file = save(&scratch, scratch.file("f.txt", "f").unwrap().to_str().unwrap(), "f.txt");
    let mixed = scratch.instance().diff(&a, &file, &Options::default()).unwrap();
    assert_eq!(mixed.content, Content::Differs("one is a folder, the other a file".to_owned()));
}

#[test]
fn the_first_column_that_tells_rows_apart_is_the_key() {
    let scratch = Scratch::new().unwrap();
    let a = b"batch,gene,n,old\n1,TP53,1.5,x\n1,MYC,2,x\n2,EGFR,3,x\n";
    let b = b"batch,gene,n,new\n1,MYC,2,y\n1,TP53,1.75,y\n2,KRAS,9,y\n2,WT1,,y\n";
    let found = diff(&scratch, "a.csv", [a, b], &Options::default()).unwrap();
    let Content::Table(table) = &found.content else { panic!("{:?}", found.content) };
    assert_eq!(table.key, ["gene"]);
    assert_eq!((table.rows, table.counts), ([3, 4], [2, 1, 1, 1]));
    assert_eq!(table.changed[0].key, "TP53");
    assert_eq!(table.changed[0].cells, [["n", "1.5", "1.75"].map(str::to_owned)]);
    assert_eq!(table.columns_added, [("new".to_owned(), "str".to_owned())]);
    assert_eq!(table.columns_removed, [("old".to_owned(), "str".to_owned())]);
    let text = found.to_text();
    for line in ["3 → 4 rows; by gene", "+ column new (str)", "~ TP53: n 1.5 → 1.75", "+ KRAS", "- EGFR"]
    {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_key_may_be_chosen_and_has_to_be_one() {
    let scratch = Scratch::new().unwrap();
    let a = b"s,g,n\na,x,1\na,y,2\nb,x,3\n";
    let b = b"s,g,n\na,x,1\na,y,5\nb,x,3\n";
    let by =
        |key: &[&str]| Options { key: key.iter().map(|k| (*k).to_owned()).collect(), ..Options::default() };
    let found = diff(&scratch, "a.csv", [a, b], &by(&["s", "g"])).unwrap();
    assert!(found.to_text().contains("~ a, y: n 2 → 5"), "{}", found.to_text());
    for wrong in [&["s"][..], &["nothing"]] {
        let error = diff(&scratch, "b.csv", [a, b], &by(wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value, "{error}");
    }
    let found = diff(&scratch, "c.csv", [b"a\n1\n1\n", b"a\n1\n2\n"], &Options::default()).unwrap();
    assert!(found.to_text().contains("by number: 1 changed"), "{}", found.to_text());
}

#[test]
fn bytes_and_ragged_tables_are_told_as_such() {
    let scratch = Scratch::new().unwrap();
    let found = diff(&scratch, "a.bin", [b"\x00\xff", b"\x00\xfe"], &Options::default()).unwrap();
    assert_eq!(found.content, Content::Differs("the bytes differ".to_owned()));
    let found = diff(&scratch, "a.csv", [b"a,b\n1\n", b"a,b\n2\n"], &Options::default()).unwrap();
    assert!(matches!(found.content, Content::Text(_)), "{:?}", found.content);
}

#[test]
fn records_of_two_registries_are_not_compared() {
    let scratch = Scratch::new().unwrap();
    let user = scratch.instance().by_id(require("User").unwrap(), 1).unwrap();
    let branch = scratch.instance().by_id(require("Branch").unwrap(), 1).unwrap();
    let error = scratch.instance().diff(&user, &branch, &Options::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    assert!(scratch.instance().diff(&user, &user, &Options::default()).unwrap().is_same());
}
