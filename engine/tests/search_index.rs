//! The index behind the search: whoever writes the rows, and however, the search finds what reading all rows finds.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "children report to their parent")]

mod proof;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use holotype::query::Case;
use holotype::testing::{Scratch, connect};
use holotype::{Instance, Record, faults};
use proof::{Dice, child, plan};
use rusqlite::Connection;

/// Rows from which these tests have an index.
const FEW: i64 = 8;

/// Characters that search, the index and SQLite may see differently.
const ALPHABET: [&str; 32] = [
    "a",
    "A",
    "b",
    "B",
    "c",
    "k",
    "K",
    "\u{212a}",
    "ß",
    "ẞ",
    "İ",
    "ı",
    "i",
    "Σ",
    "σ",
    "ς",
    "é",
    "e\u{301}",
    "|",
    " ",
    ".",
    ",",
    "\"",
    "'",
    "*",
    "%",
    "_",
    "\\",
    "日",
    "\u{10ffff}",
    "\u{fffe}",
    "\0",
];

fn text(dice: &mut Dice, most: u64) -> String {
    let length = dice.roll() % (most + 1);
    // Few of them at a time, so that texts have parts in common.
    let from = dice.roll() % 8 * 4;
    (0..length).map(|_| ALPHABET[((from + dice.roll() % 8) % 32) as usize]).collect()
}

/// Lets registries with more rows than this have an index.
fn index_from(rows: i64) {
    faults::set_limit("search.index", rows as u64);
}

/// Returns the ids that a search finds, in its order.
fn search(instance: &Instance, wanted: &str, fields: &[&str], case: Case) -> Vec<i64> {
    let found = instance.registry("ULabel").unwrap().search(wanted, fields, None, case).unwrap();
    found.all_ids().unwrap()
}

/// Returns what the search finds with an index, having made sure that reading all rows finds the same.
fn both(instance: &Instance, wanted: &str, fields: &[&str], case: Case) -> Vec<i64> {
    // The tests share the threshold.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    index_from(FEW);
    let indexed = search(instance, wanted, fields, case);
    index_from(i64::MAX);
    let read = search(instance, wanted, fields, case);
    assert_eq!(indexed, read, "searching {wanted:?} in {fields:?}, {case:?}");
    indexed
}

fn database(dir: &Path) -> Connection {
    let connection = Connection::open(dir.join("store/.lamindb/lamin.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    connection
}

fn insert(connection: &Connection, name: &str) {
    connection
        .execute(
            "INSERT INTO lamindb_ulabel (uid, name, is_type, branch_id, created_on_id, space_id, created_by_id, is_locked) \
             VALUES (lower(hex(randomblob(4))), ?1, 0, 1, 1, 1, 1, 0)",
            [name],
        )
        .unwrap();
}

fn fill(connection: &Connection, names: impl Iterator<Item = String>) {
    connection.execute_batch("BEGIN").unwrap();
    names.for_each(|name| insert(connection, &name));
    connection.execute_batch("COMMIT").unwrap();
}

fn names(connection: &Connection, kind: &str) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = ?1 AND name GLOB 'holotype_search*' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([kind], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

fn count(connection: &Connection, what: &str) -> i64 {
    connection.query_row(&format!("SELECT COUNT(*) FROM {what}"), [], |row| row.get(0)).unwrap()
}

/// Replaces the table by a new one, as migrations of LaminDB do.
fn rebuild(connection: &Connection) {
    let mut sql = String::from("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; BEGIN;");
    let mut statement = connection
        .prepare("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'lamindb_ulabel' AND sql IS NOT NULL AND type <> 'trigger' ORDER BY type DESC")
        .unwrap();
    let parts: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for (kind, part) in &parts {
        if kind == "table" {
            sql += &part.replacen("lamindb_ulabel", "new__lamindb_ulabel", 1);
            sql += "; INSERT INTO new__lamindb_ulabel SELECT * FROM lamindb_ulabel; DROP TABLE lamindb_ulabel; \
                    ALTER TABLE new__lamindb_ulabel RENAME TO lamindb_ulabel;";
        } else {
            sql += &format!("{part};");
        }
    }
    connection
        .execute_batch(&(sql + "COMMIT; PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON;"))
        .unwrap();
}

/// Does one random thing to the rows, or to the index.
fn act(dice: &mut Dice, instance: &Instance, other: &Connection) -> &'static str {
    let last = count(other, "lamindb_ulabel").max(1) as u64;
    let id = (dice.roll() % last + 1).to_string();
    let other_text = text(dice, 12);
    let run = |sql: &str, params: &[&str]| {
        other.execute(sql, rusqlite::params_from_iter(params)).unwrap();
    };
    match dice.roll() % 16 {
        0..3 => {
            fill(other, (0..dice.roll() % 9).map(|_| text(dice, 30)));
            "insert"
        }
        3 => {
            let mut label = Record::empty(holotype::model::require("ULabel").unwrap());
            label.set("name", "own ".to_owned() + &other_text.replace('\0', "")).unwrap();
            instance.save(&mut label).unwrap();
            "own insert"
        }
        4 => {
            // The engine itself saves no name with a NUL, but others may have.
            let first = instance.registry("ULabel").unwrap().first().unwrap();
            if let Some(mut label) =
                first.filter(|label| label.text("name").is_some_and(|name| !name.contains('\0')))
            {
                label.set("description", other_text.replace('\0', "")).unwrap();
                instance.save(&mut label).unwrap();
            }
            "own update"
        }
        5..7 => {
            run("UPDATE lamindb_ulabel SET name = ?2 WHERE id = ?1", &[&id, &other_text]);
            "update"
        }
        7 => {
            run("UPDATE lamindb_ulabel SET description = name || ?1, name = upper(name)", &[&other_text]);
            "update of all"
        }
        8 => {
            run(
                "UPDATE OR IGNORE lamindb_ulabel SET id = ?1 WHERE id = (SELECT max(id) FROM lamindb_ulabel)",
                &[&id],
            );
            "new id"
        }
        9 => {
            run("DELETE FROM lamindb_ulabel WHERE id = ?1", &[&id]);
            "delete"
        }
        10 => {
            let columns = "uid, is_type, branch_id, created_on_id, space_id, created_by_id, is_locked, created_at, updated_at";
            let sql = format!(
                "INSERT OR REPLACE INTO lamindb_ulabel (id, name, {columns}) SELECT ?1, ?2, {columns} FROM lamindb_ulabel WHERE id = ?1"
            );
            run(&sql, &[&id, &other_text]);
            "replace"
        }
        11 => {
            rebuild(other);
            run("UPDATE lamindb_ulabel SET name = ?2 WHERE id = ?1", &[&id, &other_text]);
            "rebuild"
        }
        12 => {
            run("DROP TABLE IF EXISTS holotype_search_ulabel", &[]);
            "index dropped"
        }
        13 => {
            for trigger in names(other, "trigger") {
                run(&format!("DROP TRIGGER {trigger}"), &[]);
            }
            run("UPDATE lamindb_ulabel SET name = ?2 WHERE id = ?1", &[&id, &other_text]);
            "triggers dropped"
        }
        14 => {
            if names(other, "table").iter().any(|name| name == "holotype_search") {
                run("DELETE FROM holotype_search", &[]);
            }
            run("UPDATE lamindb_ulabel SET name = ?2 WHERE id = ?1", &[&id, &other_text]);
            "watermark deleted"
        }
        _ => {
            run("DELETE FROM lamindb_ulabel WHERE id % 5 = 0", &[]);
            "bulk delete"
        }
    }
}

/// Returns a part of a text that is there, or any text.
fn needle(dice: &mut Dice, other: &Connection) -> String {
    let sql = "SELECT name FROM lamindb_ulabel ORDER BY random() LIMIT 1";
    let known: String = other.query_row(sql, [], |row| row.get(0)).unwrap_or_default();
    let characters: Vec<char> = known.chars().collect();
    if characters.is_empty() || dice.roll().is_multiple_of(4) {
        return text(dice, 5);
    }
    let from = dice.roll() as usize % characters.len();
    let length = 1 + dice.roll() as usize % 8;
    let part: String = characters[from..].iter().take(length).collect();
    match dice.roll() % 4 {
        0 => part.to_uppercase(),
        1 => part.to_lowercase(),
        _ => part,
    }
}

#[test]
fn whatever_happens_the_search_finds_what_reading_all_rows_finds() {
    let mut hits = 0;
    for seed in 0..12 {
        let scratch = Scratch::new().unwrap();
        let other = database(scratch.dir());
        let mut dice = Dice(seed);
        fill(&other, (0..60).map(|_| text(&mut dice, 30)));
        let mut done = Vec::new();
        for _ in 0..40 {
            done.push(act(&mut dice, scratch.instance(), &other));
            for _ in 0..3 {
                let wanted = needle(&mut dice, &other);
                let fields: &[&str] = [&[][..], &["name"], &["uid", "description"]][dice.roll() as usize % 3];
                let case = [Case::Ignored, Case::Sensitive][dice.roll() as usize % 2];
                hits += both(scratch.instance(), &wanted, fields, case).len();
            }
        }
        both(scratch.instance(), "long enough", &[], Case::Ignored);
        assert_eq!(names(&other, "trigger").len(), 2, "seed {seed} ends without an index after {done:?}");
    }
    assert!(hits > 5_000, "only {hits} hits: the test has lost its force");
}

/// Searches until the index holds all rows but a few.
fn grow(scratch: &Scratch, other: &Connection) {
    for _ in 0..200 {
        both(scratch.instance(), "label", &[], Case::Ignored);
        let upto: i64 = other
            .query_row("SELECT coalesce(max(upto), 0) FROM holotype_search", [], |row| row.get(0))
            .unwrap();
        if count(other, &format!("lamindb_ulabel WHERE id > {upto}")) <= FEW {
            return;
        }
    }
    panic!("the index never gets done");
}

fn filled() -> (Scratch, Connection) {
    let scratch = Scratch::new().unwrap();
    let other = database(scratch.dir());
    fill(&other, (0..200).map(|at| format!("label {at}")));
    (scratch, other)
}

#[test]
fn the_index_answers_and_is_not_there_before_it_pays() {
    let (scratch, other) = filled();
    assert_eq!(names(&other, "table"), Vec::<String>::new());
    grow(&scratch, &other);
    assert_eq!(
        names(&other, "trigger"),
        ["holotype_search_ulabel_inserted", "holotype_search_ulabel_updated"]
    );
    // An index that knows nothing finds nothing: it was asked.
    other
        .execute_batch("INSERT INTO holotype_search_ulabel(holotype_search_ulabel) VALUES ('delete-all')")
        .unwrap();
    let indexed = || {
        let query = scratch.instance().registry("ULabel").unwrap();
        query.search("label 17", &[], None, Case::Ignored).unwrap().count().unwrap()
    };
    // Nobody else sets the threshold to this value, so wait for the moment when it holds.
    let mut least = usize::MAX;
    for _ in 0..2_000 {
        index_from(FEW);
        least = least.min(indexed());
        if least == 0 {
            return;
        }
    }
    panic!("an emptied index still finds {least}");
}

#[test]
fn what_the_index_was_told_it_forgets_with_the_row() {
    let (scratch, other) = filled();
    grow(&scratch, &other);
    other.execute("UPDATE lamindb_ulabel SET name = 'renamed ' || id WHERE id <= 100", []).unwrap();
    other.execute("DELETE FROM lamindb_ulabel WHERE id > 150", []).unwrap();
    assert_eq!(count(&other, "holotype_search_dirty"), 100);
    while count(&other, "holotype_search_dirty") > FEW {
        assert_eq!(both(scratch.instance(), "renamed", &[], Case::Sensitive).len(), 100);
    }
    let old =
        "holotype_search_ulabel WHERE holotype_search_ulabel MATCH '\"lab\" AND \"abe\"' AND rowid <= 90";
    assert_eq!(count(&other, old), 0, "texts that are no longer there");
}

#[test]
fn dropped_tables_cost_no_more_than_time() {
    let (scratch, other) = filled();
    grow(&scratch, &other);
    for part in ["data", "idx", "docsize", "config"] {
        other.execute_batch(&format!("DROP TABLE holotype_search_ulabel_{part}")).unwrap();
        assert_eq!(both(scratch.instance(), "label 17", &[], Case::Ignored).len(), 11, "without {part}");
        insert(&other, "another");
        assert_eq!(both(scratch.instance(), "another", &[], Case::Ignored).len(), 1, "without {part}");
        other.execute_batch("DELETE FROM lamindb_ulabel WHERE name = 'another'").unwrap();
    }
    for table in ["holotype_search", "holotype_search_dirty"] {
        let (scratch, other) = filled();
        grow(&scratch, &other);
        other.execute_batch(&format!("DROP TABLE {table}")).unwrap();
        assert_eq!(both(scratch.instance(), "label 17", &[], Case::Ignored).len(), 11, "without {table}");
        grow(&scratch, &other);
        other.execute_batch(&format!("DROP TABLE {table}")).unwrap();
        // Connecting takes the triggers off that now lead nowhere.
        connect(scratch.dir(), 2).unwrap();
        assert_eq!(names(&other, "trigger"), Vec::<String>::new());
        insert(&other, "another");
        assert_eq!(both(scratch.instance(), "another", &[], Case::Ignored).len(), 1, "without {table}");
    }
}

#[test]
fn columns_and_tables_can_be_renamed_and_dropped_beside_the_triggers() {
    let (scratch, other) = filled();
    grow(&scratch, &other);
    for sql in [
        "CREATE TABLE beside (id integer)",
        "ALTER TABLE beside RENAME TO aside",
        "ALTER TABLE lamindb_ulabel ADD COLUMN color varchar(7)",
        "ALTER TABLE lamindb_ulabel RENAME COLUMN reference TO source",
        "UPDATE lamindb_ulabel SET source = 'elsewhere' WHERE id = 7",
        "ALTER TABLE lamindb_ulabel RENAME COLUMN source TO reference",
        "ALTER TABLE lamindb_ulabel DROP COLUMN description",
        "UPDATE lamindb_ulabel SET reference = 'here' WHERE id = 8",
        "ALTER TABLE lamindb_ulabel ADD COLUMN description text",
    ] {
        other.execute_batch(sql).unwrap();
    }
    assert_eq!(both(scratch.instance(), "elsewhere", &[], Case::Ignored), [7]);
    assert_eq!(both(scratch.instance(), "here", &[], Case::Ignored), [8, 7]);
}

#[test]
fn a_search_waits_for_no_writer() {
    let (scratch, other) = filled();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(both(scratch.instance(), "label 17", &[], Case::Ignored).len(), 11);
    assert!(begun.elapsed().as_secs() < 20, "writers are waited for up to 30 seconds");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(names(&other, "table"), Vec::<String>::new());
    let within =
        scratch.instance().db().write(|_| Ok(both(scratch.instance(), "label 17", &[], Case::Ignored).len()));
    assert_eq!(within.unwrap(), 11, "inside a transaction of one's own");
}

/// Not a test of its own: what the parent runs several times at once, or kills.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, seed, point, nth] = plan.try_into().unwrap();
    let (seed, nth): (u64, usize) = (seed.parse().unwrap(), nth.parse().unwrap());
    index_from(FEW);
    let hits = Mutex::new(0);
    faults::arm(move |name| {
        let mut hits = hits.lock().unwrap();
        *hits += usize::from(name == point);
        if *hits == nth {
            std::process::abort();
        }
    });
    let (instance, _) = connect(Path::new(&dir), seed).unwrap();
    let other = database(Path::new(&dir));
    for at in 0..60 {
        insert(&other, &format!("child {seed} {at}"));
        other.execute("UPDATE lamindb_ulabel SET description = 'seen' WHERE id % 7 = 0", []).unwrap();
        let found = search(&instance, &format!("child {seed} "), &["name"], Case::Sensitive);
        assert_eq!(found.len(), at + 1, "every process finds its own rows at once");
    }
}

#[test]
fn several_processes_grow_one_index() {
    let (scratch, other) = filled();
    let start = |seed: u64| {
        let plan = format!("{}\t{seed}\tnone\t1", scratch.dir().display());
        child("the_child", &plan).spawn().unwrap()
    };
    for child in (0..4).map(start).collect::<Vec<_>>() {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    for seed in 0..4 {
        let found = both(scratch.instance(), &format!("child {seed} "), &["name"], Case::Sensitive);
        assert_eq!(found.len(), 60);
    }
    grow(&scratch, &other);
}

#[test]
fn a_killed_search_leaves_the_index_right() {
    let (scratch, other) = filled();
    for (at, point) in ["index.grown", "db.commit", "db.committed"].repeat(4).into_iter().enumerate() {
        let plan = format!("{}\t{}\t{point}\t{}", scratch.dir().display(), 50 + at, at / 3 + 1);
        let output = child("the_child", &plan).output().unwrap();
        assert!(!output.status.success(), "the child survived {point}");
        for wanted in ["label 1", "child", "seen", &format!("child {}", 50 + at)] {
            both(scratch.instance(), wanted, &[], Case::Ignored);
        }
        if at % 4 == 3 {
            other.execute_batch("DROP TABLE holotype_search_ulabel").unwrap();
        }
    }
}
