//! The tables of both databases: snapshots of what is written, and on SQLite a comparison of what comes of it.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};

use holotype::db::Dialect;
use holotype::db::ddl::{create_all, create_own};
use rusqlite::Connection;
use serde_json::{Value as Json, json};

fn fresh() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    for statement in create_all(Dialect::Sqlite) {
        db.execute_batch(&statement).unwrap_or_else(|error| panic!("{error}\n{statement}"));
    }
    db
}

fn rows(db: &Connection, sql: &str) -> Vec<Vec<Json>> {
    use rusqlite::types::ValueRef;
    let mut statement = db.prepare(sql).unwrap();
    let width = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let cell = |i| match row.get_ref(i).unwrap() {
            ValueRef::Integer(int) => json!(int),
            ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
            _ => Json::Null,
        };
        all.push((0..width).map(cell).collect());
    }
    all
}

/// Returns what the format says about every table: columns, keys, uniqueness and checks.
fn observed() -> BTreeMap<String, Json> {
    serde_json::from_str(include_str!("data/format-sqlite-2.12.1.json")).unwrap()
}

fn each(facts: &Json, name: &str) -> BTreeSet<String> {
    facts[name].as_array().unwrap().iter().map(Json::to_string).collect()
}

/// Returns the sets of columns that must be unique, with their conditions, however the database keeps them.
fn unique_sets(facts: &Json) -> BTreeSet<String> {
    let plain = facts["unique"].as_array().unwrap().iter().map(|columns| json!([columns, null]));
    let indexes = facts["indexes"].as_array().unwrap().iter();
    let indexes = indexes.filter(|index| index[1] == true).map(|index| json!([index[2], index[3]]));
    plain.chain(indexes).map(|set| set.to_string().to_lowercase().replace(['(', ')'], "")).collect()
}

fn made(db: &Connection, table: &str) -> Json {
    let (mut unique, mut indexes) = (Vec::new(), Vec::new());
    for index in rows(db, &format!("PRAGMA index_list(\"{table}\")")) {
        let name = index[1].as_str().unwrap();
        let columns: Vec<Json> = rows(db, &format!("PRAGMA index_info(\"{name}\")"))
            .into_iter()
            .map(|row| row[2].clone())
            .collect();
        if index[3] != "c" {
            unique.push(json!(columns));
            continue;
        }
        let sql = rows(db, &format!("SELECT sql FROM sqlite_master WHERE name = '{name}'"))[0][0].clone();
        let (made_by, condition) = match sql.as_str().unwrap().split_once(" WHERE ") {
            Some((made_by, condition)) => (made_by.to_owned(), json!(condition)),
            None => (sql.as_str().unwrap().to_owned(), Json::Null),
        };
        let columns = match columns.contains(&Json::Null) {
            true => {
                let (_, expression) = made_by.split_once(" (").unwrap();
                vec![json!(expression)]
            }
            false => columns,
        };
        indexes.push(json!([name, index[2] == 1, columns, condition]));
    }
    let columns: Vec<Json> = rows(db, &format!("PRAGMA table_info(\"{table}\")"))
        .into_iter()
        .map(|row| json!([row[1], row[2], row[3] == 1, row[4], row[5]]))
        .collect();
    let keys: Vec<Json> = rows(db, &format!("PRAGMA foreign_key_list(\"{table}\")"))
        .into_iter()
        .map(|row| json!([row[3], row[2], row[4], row[6]]))
        .collect();
    json!({"columns": columns, "foreign_keys": keys, "unique": unique, "indexes": indexes})
}

#[test]
fn sqlite_tables_are_those_of_the_format() {
    let db = fresh();
    let tables =
        rows(&db, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
    let ours: BTreeMap<String, String> = tables
        .into_iter()
        .map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_str().unwrap().to_owned()))
        .collect();
    let theirs = observed();
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (table, facts) in &theirs {
        let made = made(&db, table);
        for what in ["columns", "foreign_keys"] {
            assert_eq!(each(&made, what), each(facts, what), "{what} of {table}");
        }
        assert_eq!(unique_sets(&made), unique_sets(facts), "uniqueness in {table}");
        let sql = &ours[table];
        assert_eq!(sql.contains("AUTOINCREMENT"), facts["autoincrement"] == true, "{table}");
        let checks = facts["checks"].as_array().unwrap();
        assert_eq!(sql.matches("CHECK (").count(), checks.len(), "checks of {table}");
        for check in checks {
            let bare = |text: &str| text.replace(['(', ')'], "");
            let check = bare(check.as_str().unwrap());
            assert!(bare(sql).contains(&check), "{table} lacks the check {check}");
        }
    }
}

#[test]
fn sqlite_indexes_that_the_format_names_keep_their_names() {
    let db = fresh();
    let theirs = observed();
    let mut seen = 0;
    for (table, facts) in &theirs {
        let names: BTreeSet<String> = rows(&db, &format!("PRAGMA index_list(\"{table}\")"))
            .into_iter()
            .map(|row| row[1].as_str().unwrap().to_owned())
            .collect();
        for index in facts["indexes"].as_array().unwrap() {
            let name = index[0].as_str().unwrap();
            if name.starts_with("unique_") {
                assert!(names.contains(name), "{table} lacks {name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn sqlite_keeps_its_rules() {
    let db = fresh();
    db.execute_batch(
        "BEGIN;
         INSERT INTO lamindb_user (id, uid, handle) VALUES (1, '00000000', 'anonymous');
         INSERT INTO lamindb_space (id, name, uid) VALUES (1, 'all', 'aaaaaaaaaaaa');
         INSERT INTO lamindb_branch (id, name, uid, created_by_id) VALUES (1, 'main', 'mmmmmmmmmmmm', 1);
         INSERT INTO lamindb_storage (id, uid, root, type, created_by_id) VALUES (1, 'ssssssssssss', '/s', 'local', 1);
         COMMIT;",
    )
    .unwrap();
    let artifact = |uid: &str, key: &str, hash: &str| {
        db.execute_batch(&format!(
            "INSERT INTO lamindb_artifact
             (uid, key, hash, storage_id, suffix, is_latest, _key_is_virtual, _overwrite_versions, created_by_id)
             VALUES ('{uid}', {key}, {hash}, 1, '', 1, 1, 0, 1)"
        ))
    };
    artifact("a", "'k'", "'h'").unwrap();
    artifact("b", "'k'", "NULL").unwrap();
    artifact("c", "NULL", "'h'").unwrap();
    let refused = artifact("d", "'k'", "'h'").unwrap_err().to_string();
    assert!(refused.contains("lamindb_artifact.storage_id"), "{refused}");
    artifact("d", "NULL", "'h'").unwrap_err();
    artifact("a", "'other'", "'h'").unwrap_err();
    let row = &rows(&db, "SELECT branch_id, is_locked, _aux, length(created_at) FROM lamindb_artifact")[0];
    assert_eq!(row, &[json!(1), json!(0), json!("null"), json!(23)]);
    let feature = "INSERT INTO lamindb_feature
        (uid, name, is_type, _dtype_str, array_rank, array_size, created_by_id) VALUES";
    db.execute_batch(&format!("{feature} ('f', 'f', 0, NULL, 0, 0, 1)")).unwrap_err();
    db.execute_batch(&format!("{feature} ('f', 'f', 1, NULL, 0, 0, 1)")).unwrap();
    let branch = "INSERT INTO lamindb_branch (name, uid, created_by_id) VALUES";
    db.execute_batch(&format!("{branch} ('Main', 'x', 1)")).unwrap_err();
    db.execute_batch(&format!("{branch} ('lost', 'y', 99)")).unwrap_err();
    db.execute_batch("UPDATE lamindb_artifact SET _aux = 'no json'").unwrap_err();
}

#[test]
fn own_tables_join_any_instance_and_go_with_its_artifacts() {
    let db = fresh();
    for statement in create_own(Dialect::Sqlite).iter().chain(&create_own(Dialect::Sqlite)) {
        db.execute_batch(statement).unwrap();
    }
    db.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO lamindb_artifact
         (id, uid, storage_id, suffix, is_latest, _key_is_virtual, _overwrite_versions, created_by_id)
         VALUES (7, 'a', 1, '', 1, 1, 0, 1);
         INSERT INTO holotype_content (artifact_id, digest, size, computed_at)
         VALUES (7, '{}', 1, '2026-01-01 00:00:00.000000');
         PRAGMA foreign_keys = ON;
         DELETE FROM lamindb_artifact WHERE id = 7;",
        "0".repeat(64)
    ))
    .unwrap();
    assert!(rows(&db, "SELECT * FROM holotype_content").is_empty());
    db.execute_batch(
        "INSERT INTO holotype_content (artifact_id, digest, size, computed_at) VALUES (1, 'short', 1, 'x')",
    )
    .unwrap_err();
    db.execute_batch("INSERT INTO holotype_meta VALUES ('k', 'v')").unwrap();
    db.execute_batch("INSERT INTO holotype_meta VALUES ('k', 'w')").unwrap_err();
}

#[test]
fn look_ups_find_an_index() {
    let db = fresh();
    let plan = |sql: &str| {
        rows(&db, &format!("EXPLAIN QUERY PLAN {sql}"))
            .into_iter()
            .map(|row| row[3].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join("; ")
    };
    for sql in [
        "SELECT * FROM lamindb_artifact WHERE storage_id = 1 AND key = 'k' AND branch_id = 1",
        "SELECT * FROM lamindb_artifact WHERE hash = 'h'",
        "SELECT * FROM lamindb_artifact WHERE uid >= 'a' AND uid < 'b'",
        "SELECT * FROM lamindb_artifact WHERE run_id = 1",
        "SELECT * FROM lamindb_artifact ORDER BY id DESC LIMIT 20",
        "SELECT * FROM lamindb_collection WHERE key = 'k'",
        "SELECT * FROM lamindb_collection WHERE hash = 'h'",
        "SELECT * FROM lamindb_transform WHERE key = 'k'",
        "SELECT * FROM lamindb_transform WHERE hash = 'h'",
        "SELECT * FROM lamindb_run WHERE transform_id = 1",
        "SELECT * FROM lamindb_ulabel WHERE name = 'n'",
        "SELECT * FROM bionty_celltype WHERE name = 'n'",
        "SELECT * FROM bionty_celltype WHERE ontology_id = 'n'",
        "SELECT * FROM lamindb_jsonvalue WHERE feature_id = 1 AND hash = 'h'",
    ] {
        let plan = plan(sql);
        assert!(!plan.starts_with("SCAN") || sql.contains("ORDER BY"), "{sql}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
    // Both ends of every link, so that neither related records nor deletions read a whole table.
    for registry in holotype::model::all() {
        for relation in &registry.relations {
            if let holotype::model::Via::Link { registry: link, near, far } = relation.via {
                let table = holotype::model::require(link).unwrap().table;
                for column in [near, far] {
                    let sql = format!("SELECT * FROM {table} WHERE {column} = 1");
                    assert!(plan(&sql).starts_with("SEARCH"), "{sql}: {}", plan(&sql));
                }
            }
        }
    }
}

#[test]
fn names_fit_postgres_and_are_unique() {
    let mut seen = BTreeSet::new();
    for statement in create_all(Dialect::Postgres) {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let name = match words[..] {
            ["CREATE", "TABLE" | "INDEX" | "TRIGGER", name, ..] => name,
            ["CREATE", "UNIQUE", "INDEX", name, ..] => name,
            ["ALTER", "TABLE", _, "ADD", "CONSTRAINT", name, ..] => name,
            ["CREATE", "OR", "REPLACE", "FUNCTION", name, ..] => name,
            _ => panic!("unexpected statement {statement}"),
        };
        let name = name.split('(').next().unwrap().trim_matches('"').to_owned();
        assert!(name.len() <= 63, "{name} is longer than PostgreSQL keeps");
        let function = statement.starts_with("CREATE OR REPLACE FUNCTION");
        assert!(seen.insert((function, name)), "{statement}");
    }
}

/// New instances start from a packed database, which must be what the statements make.
///
/// `INSTA_UPDATE=always` writes it anew, as it does for the snapshots.
#[test]
#[allow(clippy::disallowed_methods, reason = "asks for an update like the snapshots do")]
fn the_packed_database_is_what_the_statements_make() {
    let packed = concat!(env!("CARGO_MANIFEST_DIR"), "/src/db/data/blank.db.zst");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blank.db");
    if std::env::var("INSTA_UPDATE").is_ok_and(|mode| mode == "always") {
        let db = Connection::open(&path).unwrap();
        let script = format!("BEGIN; {} COMMIT;", script(Dialect::Sqlite));
        db.execute_batch(&script).unwrap();
        db.close().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(packed, zstd::encode_all(bytes.as_slice(), 19).unwrap()).unwrap();
    }
    let bytes = zstd::decode_all(std::fs::File::open(packed).unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let made = fresh();
    for statement in create_own(Dialect::Sqlite) {
        made.execute_batch(&statement).unwrap();
    }
    let tables = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name";
    let found = rows(&Connection::open(&path).unwrap(), tables);
    let same = found == rows(&made, tables);
    assert!(same, "the tables have changed: write src/db/data/blank.db.zst anew with INSTA_UPDATE=always");
}

#[test]
fn sqlite_statements() {
    insta::assert_snapshot!(script(Dialect::Sqlite));
}

#[test]
fn postgres_statements() {
    insta::assert_snapshot!(script(Dialect::Postgres));
}

fn script(dialect: Dialect) -> String {
    let statements: Vec<String> = create_all(dialect).into_iter().chain(create_own(dialect)).collect();
    statements.join(";\n") + ";\n"
}
