//! Markers of storage locations and the layouts that came before them.

use std::fs;

use holotype::instance::marker::{self, Legacy, Marker, Marking};
use holotype::{ErrorKind, Event};
use proptest::prelude::*;

use super::*;

const ID: &str = "aed0c84a717b58739b63c21a8406e168";
const TEXT: &str = "7bojCBLPru8O\ncreation info:\ninstance_slug=anonymous/key-eval\n\
                    instance_id=aed0c84a717b58739b63c21a8406e168\ninstance_uid=2hvJDMF9MRQN";

fn sample() -> Marker {
    Marker::new("7bojCBLPru8O", &slug("key-eval"), ID)
}

#[test]
fn a_marker_is_written_as_the_format_has_it() {
    let world = World::new();
    let root = world.path("Work/storage");
    assert_eq!(marker::read(&root).unwrap(), None);
    assert_eq!(marker::write(&world.env, &root, &sample()).unwrap(), Marking::Written);
    assert_eq!(text(root.join(".lamindb/storage_uid.txt")), TEXT);
    assert_eq!(names(root.join(".lamindb")), ["storage_uid.txt"]);
    assert_eq!(marker::read(&root).unwrap(), Some(sample()));
    assert_eq!(marker::write(&world.env, &root, &sample()).unwrap(), Marking::Same(sample()));
    let other = Marker::new("AAAAAAAAAAAA", &slug("else"), ID);
    assert_eq!(marker::write(&world.env, &root, &other).unwrap(), Marking::Other(sample()));
    assert_eq!(text(root.join(".lamindb/storage_uid.txt")), TEXT);
    assert!(marker::remove(&root).unwrap());
    assert!(!marker::remove(&root).unwrap());
}

#[test]
fn only_the_first_line_has_to_be_good() {
    let bare = Marker {
        storage_uid: "7bojCBLPru8O".into(),
        instance_slug: None,
        instance_id: None,
        instance_uid: None,
    };
    assert_eq!(Marker::parse("7bojCBLPru8O"), Some(bare.clone()));
    assert_eq!(Marker::parse("7bojCBLPru8O\r\nnoise\ninstance_id=no-uuid\ninstance_uid=\n"), Some(bare));
    let dashed = TEXT.replace(ID, "aed0c84a-717b-5873-9b63-c21a8406e168") + "\n";
    assert_eq!(Marker::parse(&dashed), Some(sample()));
    let without_uid = TEXT.replace("\ninstance_uid=2hvJDMF9MRQN", "");
    assert_eq!(Marker::parse(&without_uid).unwrap().instance_uid.as_deref(), Some("2hvJDMF9MRQN"));
    for empty in ["", "\n", "  \n7bojCBLPru8O"] {
        assert_eq!(Marker::parse(empty), None);
    }
}

#[test]
fn an_empty_marker_is_filled() {
    let world = World::new();
    for content in ["", "\n", "\ncreation info:"] {
        put(world.path("Work/.lamindb/storage_uid.txt"), content);
        assert_eq!(marker::write(&world.env, &world.env.cwd, &sample()).unwrap(), Marking::Written);
        assert_eq!(text(world.path("Work/.lamindb/storage_uid.txt")), TEXT);
    }
}

#[test]
fn of_many_writers_one_marks() {
    let world = World::new();
    let uids: Vec<String> = (0..16).map(|n| format!("{n:012}")).collect();
    let outcomes: Vec<Marking> = std::thread::scope(|scope| {
        let mark = |uid: &String| {
            let wanted = Marker::new(uid, &slug("key-eval"), ID);
            let (env, root) = (world.env.clone(), world.env.cwd.clone());
            scope.spawn(move || marker::write(&env, &root, &wanted).unwrap())
        };
        let threads: Vec<_> = uids.iter().map(mark).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let winner = marker::read(&world.env.cwd).unwrap().unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Marking::Written).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Marking::Other(winner.clone())).count(), 15);
    assert_eq!(names(world.path("Work/.lamindb")), ["storage_uid.txt"]);
}

#[test]
fn a_bad_uid_is_not_written() {
    let world = World::new();
    for uid in ["", "a b", "a\nb", "../x"] {
        let error = marker::write(&world.env, &world.env.cwd, &Marker::new(uid, &slug("x"), ID)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
    }
    assert!(names(&world.env.cwd).is_empty());
}

#[test]
fn an_older_layout_is_renamed_with_its_journals() {
    let world = World::new();
    let root = &world.env.cwd;
    put(root.join(format!("{ID}.lndb")), "database");
    put(root.join(format!("{ID}.lndb-wal")), "journal");
    put(root.join(".lamindb/_is_initialized"), "7bojCBLPru8O");
    let plan = marker::plan_renames(root, ID).unwrap();
    assert_eq!(
        plan.iter().map(|rename| rename.what).collect::<Vec<_>>(),
        [Legacy::Journal, Legacy::Database, Legacy::Marker]
    );
    assert!(root.join(format!("{ID}.lndb")).exists(), "a plan does nothing");
    plan.iter().for_each(|rename| rename.apply(&world.env).unwrap());
    assert_eq!(names(root), [".lamindb"]);
    assert_eq!(names(root.join(".lamindb")), ["lamin.db", "lamin.db-wal", "storage_uid.txt"]);
    assert_eq!(text(root.join(".lamindb/lamin.db-wal")), "journal");
    assert_eq!(marker::read(root).unwrap().unwrap().storage_uid, "7bojCBLPru8O");
    let told = world.events.lock().unwrap().clone();
    let path = |below: &str| root.join(below).display().to_string();
    let renamed = |what, from: &str, to: &str| Event::Renamed { what, from: path(from), to: path(to) };
    assert_eq!(
        told,
        [
            renamed("SQLite file", &format!("{ID}.lndb"), ".lamindb/lamin.db"),
            renamed("legacy marker file", ".lamindb/_is_initialized", ".lamindb/storage_uid.txt"),
        ]
    );
    assert!(marker::plan_renames(root, ID).unwrap().is_empty());
    plan.iter().for_each(|rename| rename.apply(&world.env).unwrap());
}

#[test]
fn what_was_broken_off_is_taken_up_again() {
    let world = World::new();
    let root = &world.env.cwd;
    put(root.join(format!("{ID}.lndb")), "database");
    put(root.join(format!("{ID}.lndb-journal")), "journal");
    marker::plan_renames(root, ID).unwrap()[0].apply(&world.env).unwrap();
    for rename in marker::plan_renames(root, ID).unwrap() {
        rename.apply(&world.env).unwrap();
    }
    assert_eq!(names(root.join(".lamindb")), ["lamin.db", "lamin.db-journal"]);
}

#[test]
fn todays_files_are_not_overwritten_by_older_ones() {
    let world = World::new();
    let root = &world.env.cwd;
    put(root.join(format!("{ID}.lndb")), "old");
    put(root.join(".lamindb/lamin.db"), "new");
    put(root.join(".lamindb/_is_initialized"), "old");
    put(root.join(".lamindb/storage_uid.txt"), TEXT);
    put(root.join("0123456789abcdef0123456789abcdef.lndb"), "of another instance");
    assert!(marker::plan_renames(root, ID).unwrap().is_empty());
    fs::remove_file(root.join(".lamindb/storage_uid.txt")).unwrap();
    assert_eq!(marker::plan_renames(root, ID).unwrap().len(), 1);
}

proptest! {
    #[test]
    fn any_marker_survives_its_text(
        storage_uid in "[0-9A-Za-z]{12}",
        owner in "[a-z0-9]{1,12}",
        name in "[A-Za-z0-9.=_-]{1,20}",
    ) {
        let slug = Slug::new(owner, name);
        let marker = Marker::new(&storage_uid, &slug, &slug.instance_id());
        prop_assert_eq!(Marker::parse(&marker.to_text()), Some(marker));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        if let Some(marker) = Marker::parse(&text) {
            prop_assert_eq!(marker.storage_uid, text.trim_start_matches('\u{feff}').lines().next().unwrap().trim());
        }
    }
}
