//! Keys that lead elsewhere, and texts made to break out of where they stand.

use std::fs;
use std::os::unix::fs::symlink;

use holotype::db::Sql;
use holotype::query::Case;
use holotype::testing::Scratch;
use holotype::{Artifact, ErrorKind, NewArtifact, Q, Record, model};

use super::{refused, save};

#[test]
fn keys_that_do_not_fit() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.file("a.txt", "x").unwrap();
    let long = format!("{}.txt", "k".repeat(1021));
    for (key, kind, word) in [
        ("../b.txt", ErrorKind::Value, ".."),
        ("a/../b.txt", ErrorKind::Value, "a/../b.txt"),
        ("a/./b.txt", ErrorKind::Value, "a/./b.txt"),
        ("a\\b.txt", ErrorKind::Value, "a\\b.txt"),
        ("a\0b.txt", ErrorKind::Value, "a\\0b.txt"),
        ("x/.lamindb/b.txt", ErrorKind::Value, ".lamindb"),
        (&long, ErrorKind::FieldValidation, "1025"),
        ("k.csv", ErrorKind::InvalidArgument, ".csv"),
        ("k", ErrorKind::InvalidArgument, ".txt"),
    ] {
        refused(&scratch, kind, &[word], || save(&scratch, &path, key));
    }
    let most = format!("{}.txt", "k".repeat(1020));
    assert_eq!(save(&scratch, &path, &most).unwrap().text("key"), Some(most.as_str()));
}

#[test]
fn real_keys_that_leave_the_location() {
    let scratch = Scratch::new().unwrap();
    scratch.instance().with_creation(|creation| creation.use_virtual_keys = false).unwrap();
    let path = scratch.file("a.txt", "x").unwrap();
    for key in
        ["/etc/passwd.txt", "//etc/x.txt", "..//x.txt", "a/../../x.txt", ".lamindb/x.txt", "./", "./../x.txt"]
    {
        let before = super::state(scratch.instance(), &scratch.root());
        let error = save(&scratch, &path, key).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidArgument | ErrorKind::Value), "{key}: {error}");
        assert_eq!(super::state(scratch.instance(), &scratch.root()), before);
    }
    // A folder of the location that is a link to elsewhere.
    let outside = scratch.dir().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, scratch.root().join("link")).unwrap();
    refused(&scratch, ErrorKind::InvalidArgument, &["link", "outside"], || {
        save(&scratch, &path, "link/x.txt")
    });
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    // A file where a folder is needed, and a folder where a file is to be.
    save(&scratch, &path, "file.txt").unwrap();
    let other = scratch.file("b.txt", "y").unwrap();
    refused(&scratch, ErrorKind::InvalidArgument, &["file.txt"], || save(&scratch, &other, "file.txt/x.txt"));
    fs::create_dir_all(scratch.root().join("folder.txt")).unwrap();
    fs::write(scratch.root().join("folder.txt/precious"), "p").unwrap();
    let before = super::state(scratch.instance(), &scratch.root());
    assert!(save(&scratch, &other, "folder.txt").is_err());
    assert_eq!(super::state(scratch.instance(), &scratch.root()), before);
}

#[test]
fn a_real_key_never_takes_the_place_of_a_file_that_nobody_registered() {
    let scratch = Scratch::new().unwrap();
    scratch.instance().with_creation(|creation| creation.use_virtual_keys = false).unwrap();
    fs::write(scratch.root().join("mine.txt"), "precious").unwrap();
    let path = scratch.file("a.txt", "x").unwrap();
    refused(&scratch, ErrorKind::FileExists, &["mine.txt", "register it in place"], || {
        save(&scratch, &path, "mine.txt")
    });
    // Nor by changing a key, nor by new content with another suffix.
    let mut moved = Artifact::from_record(save(&scratch, &path, "a.txt").unwrap());
    moved.record.set("key", "mine.txt").unwrap();
    refused(&scratch, ErrorKind::FileExists, &["mine.txt"], || scratch.instance().save_artifact(&mut moved));
    fs::write(scratch.root().join("a.csv"), "precious").unwrap();
    let mut old = Artifact::from_record(super::proof::latest(scratch.instance(), "a.txt").unwrap());
    let source = scratch.file("new.csv", "new").unwrap();
    let choice = holotype::RunChoice::None;
    scratch.instance().replace_content(&mut old, source.to_str().unwrap(), false, choice).unwrap();
    refused(&scratch, ErrorKind::FileExists, &["a.csv"], || scratch.instance().save_artifact(&mut old));
}

const HOSTILE: [&str; 22] = [
    "'; DROP TABLE lamindb_ulabel; --",
    "\" OR \"\"=\"",
    "' OR '1'='1",
    "%",
    "_",
    "\\",
    "\\%",
    "a\\",
    "100%_\\'\"`",
    "[a-z]*",
    "$.name",
    "{}",
    "{\"so\": 1}",
    "NULL",
    "None",
    "true",
    "0",
    "-1",
    "\u{202e}drow",
    "tab\tnewline\ncarriage\r",
    "e\u{301}",
    "\u{1F9EC}\u{FFFF}",
];

fn label(name: &str) -> Record {
    let mut label = Record::empty(model::require("ULabel").unwrap());
    label.set("name", name).unwrap();
    label
}

#[test]
fn hostile_texts_are_values_and_nothing_else() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    for name in HOSTILE {
        instance.save(&mut label(name)).unwrap();
    }
    let labels = instance.registry("ULabel").unwrap();
    let names = |q: Q| -> Vec<String> {
        let found = labels.filter(q).unwrap().order_by(["id"]).unwrap().all().unwrap();
        found.iter().map(|label| label.text("name").unwrap().to_owned()).collect()
    };
    for name in HOSTILE {
        assert_eq!(names(Q::is("name", name)), [name]);
        assert_eq!(names(Q::is("name__in", vec![name])), [name]);
        assert_eq!(names(Q::is("name__regex", format!("^{}$", regex::escape(name)))), [name]);
        // SQLite ignores the case of ASCII letters here, as the format says.
        let fold = |text: &str| text.to_ascii_lowercase();
        let holding = |test: &dyn Fn(&str, &str) -> bool| -> Vec<&str> {
            HOSTILE.into_iter().filter(|other| test(&fold(other), &fold(name))).collect()
        };
        assert_eq!(
            names(Q::is("name__contains", name)),
            holding(&|other, name| other.contains(name)),
            "{name}"
        );
        assert_eq!(names(Q::is("name__startswith", name)), holding(&|other, name| other.starts_with(name)));
        assert_eq!(names(Q::is("name__endswith", name)), holding(&|other, name| other.ends_with(name)));
        let found = labels.search(name, &["name"], None, Case::Sensitive).unwrap().all().unwrap();
        assert_eq!(
            found.first().and_then(|label| label.text("name")),
            Some(name),
            "search finds {name} first"
        );
        if !name.chars().all(char::is_alphanumeric) {
            assert!(instance.get_uid(labels.registry(), name).is_err());
        }
        let mut renamed = labels.filter(Q::is("name", name)).unwrap().one().unwrap();
        renamed.set("description", name).unwrap();
        instance.save(&mut renamed).unwrap();
    }
    assert_eq!(labels.count().unwrap(), HOSTILE.len());
    refused(&scratch, ErrorKind::FieldValidation, &["name", "NUL"], || instance.save(&mut label("a\0b")));
    refused(&scratch, ErrorKind::FieldValidation, &["name", "at most"], || {
        instance.save(&mut label(&"n".repeat(2000)))
    });
}

#[test]
fn a_hostile_uid_in_a_row_leads_nowhere() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.file("a.txt", "x").unwrap();
    let record = save(&scratch, &path, "a.txt").unwrap();
    let uid = record.uid();
    let change = |set: Sql| {
        let mut sql = Sql::new("UPDATE lamindb_artifact SET ");
        sql.append(set).push(" WHERE uid = ").bind(uid);
        scratch.instance().db().write(|tx| tx.execute(&sql)).unwrap();
    };
    for (column, value) in
        [("_real_key", "../../etc/passwd"), ("_real_key", "/etc/passwd"), ("suffix", "/../../x")]
    {
        let mut set = Sql::new(format!("{column} = "));
        set.bind(value);
        change(set);
        let row = scratch.instance().by_id(record.registry(), record.id().unwrap()).unwrap();
        let error = scratch.instance().cache(&row).unwrap_err();
        assert!(error.message().contains("leads out of"), "{error}");
        assert!(scratch.instance().delete_artifact(&row, Some(true)).is_err());
        change(Sql::new("_real_key = NULL, suffix = '.txt'"));
    }
    let new = NewArtifact::new(path.to_str().unwrap()).key("a.txt");
    assert_eq!(super::proof::save(scratch.instance(), new).unwrap().uid(), record.uid());
}
