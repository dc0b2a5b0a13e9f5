//! The declarations against the facts of the format, both ways: nothing missing, nothing extra.

#![allow(clippy::expect_used, reason = "tests stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};

use holotype::model::{self, Column, Default, Kind, NullState, OnDelete, Registry, Via};
use serde_json::{Map, Value as Json, json};

fn format() -> Map<String, Json> {
    let text = include_str!("data/format.json");
    serde_json::from_str(text).expect("the fixture is JSON")
}

/// Compares two texts per registry and lists every difference.
fn same(what: &str, ours: impl Fn(&Registry) -> Json, theirs: impl Fn(&Json) -> Json) {
    let mut wrong = Vec::new();
    for (name, facts) in &format() {
        let registry = model::find(name).unwrap_or_else(|| panic!("{name} is not declared"));
        let (ours, theirs) = (ours(registry), theirs(facts));
        if ours != theirs {
            wrong.push(format!("{name}\n   ours: {ours}\n format: {theirs}"));
        }
    }
    assert!(wrong.is_empty(), "{what} differ:\n{}", wrong.join("\n"));
}

fn list<'a>(facts: &'a Json, name: &str) -> Vec<&'a Json> {
    facts[name].as_array().into_iter().flatten().collect()
}

fn sorted(mut items: Vec<Json>) -> Json {
    items.sort_by_key(Json::to_string);
    Json::Array(items)
}

#[test]
fn declares_every_registry_and_no_other() {
    let theirs: BTreeSet<String> = format().keys().cloned().collect();
    let ours: BTreeSet<String> = model::all().iter().map(|registry| registry.name.to_owned()).collect();
    assert_eq!(ours, theirs);
    assert_eq!(model::all().len(), 142);
}

#[test]
fn modules_tables_and_names_agree() {
    same(
        "Names",
        |registry| {
            json!([
                registry.module.name(),
                registry.table,
                registry.name_field,
                registry.ontology_id_field,
                registry.stem_len,
            ])
        },
        |facts| {
            let has = |name: &str| list(facts, "columns").into_iter().find(|column| column["name"] == name);
            let or_present = |field: &str, name: &str| match &facts[field] {
                Json::Null if has(name).is_some() => json!(name),
                given => given.clone(),
            };
            let uid_len = has("uid").map_or(0, |uid| {
                let digits =
                    uid["sqlite"].as_str().unwrap().trim_start_matches("varchar(").trim_end_matches(')');
                digits.parse::<u64>().unwrap()
            });
            json!([
                facts["module"],
                facts["table"],
                or_present("name_field", "name"),
                or_present("ontology_id_field", "ontology_id"),
                facts["stem_len"].as_u64().unwrap_or(uid_len),
            ])
        },
    );
}

#[test]
fn traits_agree() {
    same(
        "Traits",
        |registry| {
            let traits = registry.traits;
            let named = [
                (traits.auto_link, "auto_link"),
                (traits.branch_aware, "branch_aware"),
                (traits.can_curate, "can_curate"),
                (traits.has_parents, "has_parents"),
                (traits.has_type, "has_type"),
                (traits.link, "link"),
                (traits.top_level, "top_level"),
                (traits.tracks_run, "tracks_run"),
                (traits.tracks_updates, "tracks_updates"),
                (traits.versioned, "versioned"),
            ];
            named.iter().filter(|(set, _)| *set).map(|(_, name)| json!(name)).collect()
        },
        |facts| facts["traits"].clone(),
    );
}

fn describe(column: &Column) -> Json {
    let mut facts = Map::new();
    facts.insert("name".into(), json!(column.name));
    facts.insert("column".into(), json!(column.column));
    let (class, sqlite, postgres) = match (column.kind, column.name == "id") {
        (Kind::SmallInt, true) => ("SmallAutoField", "INTEGER".to_owned(), "smallint".to_owned()),
        (Kind::Int, true) => ("AutoField", "INTEGER".to_owned(), "integer".to_owned()),
        (Kind::BigInt, true) => ("BigAutoField", "INTEGER".to_owned(), "bigint".to_owned()),
        (kind, _) => {
            let (sqlite, postgres) = types(kind);
            (kind.field_class(), sqlite, postgres)
        }
    };
    let class = match column.to {
        Some(to) if to.one_to_one => "OneToOneField",
        Some(_) => "ForeignKey",
        None => class,
    };
    facts.insert("class".into(), json!(class));
    facts.insert("sqlite".into(), json!(sqlite));
    facts.insert("postgres".into(), json!(postgres));
    if column.null {
        facts.insert("null".into(), json!(true));
    }
    if column.unique {
        facts.insert("unique".into(), json!(true));
    }
    let default = match column.default {
        Default::None | Default::JsonNull | Default::Now => None,
        Default::Bool(flag) => Some(json!(flag)),
        Default::Int(int) => Some(json!(int)),
        Default::Text(text) => Some(json!(text)),
        Default::Uid(len) => Some(json!(format!("base62_{len}()"))),
        Default::OntologyUid if column.kind == Kind::Char(8) => Some(json!("source()")),
        Default::OntologyUid => Some(json!("ontology()")),
        Default::CurrentUser => Some(json!("current_user_id()")),
        Default::CurrentRun => Some(json!("current_run()")),
    };
    facts.extend(default.map(|default| ("default".to_owned(), default)));
    if column.db_default {
        let (sqlite, postgres) = defaults(column.default);
        facts.insert("sqlite_default".into(), json!(sqlite));
        facts.insert("postgres_default".into(), json!(postgres));
    }
    if let Some(to) = column.to {
        let mut end = Map::new();
        end.insert("target".into(), json!(to.target));
        end.insert(
            "on_delete".into(),
            json!(if to.on_delete == OnDelete::Cascade { "CASCADE" } else { "PROTECT" }),
        );
        if let Some(reverse) = to.reverse {
            end.insert("reverse".into(), json!(reverse));
        }
        if to.one_to_one {
            end.insert("one_to_one".into(), json!(true));
        }
        facts.insert("to".into(), Json::Object(end));
    }
    Json::Object(facts)
}

fn types(kind: Kind) -> (String, String) {
    let (sqlite, postgres) = match kind {
        Kind::Bool => ("bool", "boolean"),
        Kind::SmallInt => ("smallint", "smallint"),
        Kind::Int => ("INTEGER", "integer"),
        Kind::BigInt => ("bigint", "bigint"),
        Kind::Char(len) => return (format!("varchar({len})"), format!("character varying({len})")),
        Kind::Text => ("TEXT", "text"),
        Kind::Date => ("date", "date"),
        Kind::DateTime => ("datetime", "timestamp with time zone"),
        Kind::Json => ("TEXT", "jsonb"),
    };
    (sqlite.to_owned(), postgres.to_owned())
}

fn defaults(default: Default) -> (String, String) {
    match default {
        Default::Bool(flag) => (u8::from(flag).to_string(), flag.to_string()),
        Default::Int(int) if int < 0 => (int.to_string(), format!("'{int}'::integer")),
        Default::Int(int) => (int.to_string(), int.to_string()),
        Default::Text(text) => (format!("'{text}'"), format!("'{text}'::character varying")),
        Default::JsonNull => ("'null'".to_owned(), "'null'::jsonb".to_owned()),
        Default::Now => {
            ("STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')".to_owned(), "statement_timestamp()".to_owned())
        }
        other => panic!("{other:?} is no default of a database"),
    }
}

/// Order counts among plain fields and among foreign keys; where the primary key stands doesn't.
fn ordered(columns: Vec<Json>) -> Json {
    let rank = |column: &Json| (column["name"] != "id", column.get("to").is_some());
    let mut columns = columns;
    columns.sort_by_key(rank);
    Json::Array(columns)
}

#[test]
fn columns_agree() {
    for (name, facts) in &format() {
        let registry = model::find(name).unwrap();
        let ours = ordered(registry.columns.iter().map(describe).collect());
        let theirs = ordered(list(facts, "columns").into_iter().cloned().collect());
        assert_eq!(
            serde_json::to_string_pretty(&ours).unwrap(),
            serde_json::to_string_pretty(&theirs).unwrap(),
            "columns of {name}"
        );
    }
}

#[test]
fn relations_agree_in_both_directions() {
    let ours = |registry: &Registry| {
        let facts = registry.relations.iter().map(|relation| match relation.via {
            Via::Link { registry, near, far } => {
                json!([relation.name, relation.target, registry, near, far])
            }
            Via::Foreign { column } => json!([relation.name, relation.target, column]),
        });
        sorted(facts.collect())
    };
    let theirs = |facts: &Json| {
        let own = list(facts, "many");
        let own = own
            .iter()
            .map(|many| json!([many["name"], many["target"], many["through"], many["near"], many["far"]]));
        let reverse = list(facts, "reverse");
        let reverse = reverse.iter().map(|back| match &back["kind"] {
            Json::String(kind) if kind == "m2m" => {
                json!([back["name"], back["from"], back["through"], back["near"], back["far"]])
            }
            _ => json!([back["name"], back["from"], back["column"]]),
        });
        sorted(own.chain(reverse).collect())
    };
    same("Relations", ours, theirs);
}

#[test]
fn own_relations_come_first() {
    for (name, facts) in &format() {
        let registry = model::find(name).unwrap();
        let own: BTreeSet<&str> =
            list(facts, "many").into_iter().map(|many| many["name"].as_str().unwrap()).collect();
        let first: BTreeSet<&str> =
            registry.relations.iter().take(own.len()).map(|relation| relation.name).collect();
        assert_eq!(first, own, "first relations of {name}");
    }
}

#[test]
fn uniqueness_rules_agree() {
    same(
        "Uniqueness rules",
        |registry| {
            let rules = registry.uniques.iter().map(|unique| {
                let mut facts = Map::new();
                facts.extend(unique.name.map(|name| ("name".to_owned(), json!(name))));
                facts.insert("columns".into(), json!(unique.columns));
                if unique.lower {
                    facts.insert("lower".into(), json!(true));
                }
                if let Some((column, state)) = unique.when {
                    let state = if state == NullState::Null { "null" } else { "not null" };
                    facts.insert("when".into(), json!([column, state]));
                }
                Json::Object(facts)
            });
            sorted(rules.collect())
        },
        |facts| sorted(list(facts, "uniques").into_iter().cloned().collect()),
    );
}

#[test]
fn checks_agree() {
    same(
        "Checks",
        |registry| registry.checks.iter().map(|check| json!(check.name)).collect(),
        |facts| list(facts, "checks").into_iter().cloned().collect(),
    );
}

#[test]
fn available_fields_agree_with_those_that_the_format_lists() {
    let mut seen = 0;
    for (name, facts) in &format() {
        let Some(theirs) = facts["available"].as_array() else { continue };
        let ours = json!(model::find(name).unwrap().available_fields());
        assert_eq!(ours, Json::Array(theirs.clone()), "available fields of {name}");
        seen += 1;
    }
    assert_eq!(seen, 21);
}

/// Returns the columns that a table shows: uid and primary key first, foreign keys last.
fn shown(registry: &Registry) -> Vec<&'static str> {
    const LATE: [&str; 5] = ["version_tag", "is_latest", "is_locked", "is_type", "created_at"];
    let public = |column: &&Column| !column.private() || column.name == "_dtype_str";
    let plain: Vec<&'static str> = registry
        .columns
        .iter()
        .filter(|column| column.to.is_none() && !["uid", "id", "updated_at"].contains(&column.name))
        .filter(|column| public(column) && (registry.name == "Feature" || column.name != "_dtype_str"))
        .map(|column| column.name)
        .collect();
    let mut shown = vec!["uid", "id"];
    shown.extend(plain.iter().filter(|name| !LATE.contains(name)));
    shown.extend(LATE.iter().filter(|name| plain.contains(name)));
    shown.extend(registry.columns.iter().filter(|column| column.to.is_some()).map(|column| column.column));
    shown
}

#[test]
fn columns_yield_the_tables_that_the_format_shows() {
    let tables = include_str!("data/tables.txt");
    let mut seen = 0;
    for line in tables.lines() {
        let (name, columns) = line.split_once(": ").unwrap();
        assert_eq!(shown(model::find(name).unwrap()).join(", "), columns, "columns shown for {name}");
        seen += 1;
    }
    assert_eq!(seen, 15);
}

#[test]
fn every_registry_and_every_public_column_says_a_sentence() {
    for registry in model::all() {
        let sentence = |what: &str, doc: &str| {
            assert!(doc.len() > 7 && doc.ends_with('.'), "{}.{what}: {doc:?}", registry.name);
        };
        sentence("", registry.doc);
        registry.columns.iter().for_each(|column| sentence(column.name, column.doc));
        registry.relations.iter().for_each(|relation| sentence(relation.name, relation.doc));
    }
}

#[test]
fn names_are_found_with_and_without_their_module() {
    for name in ["Artifact", "lamindb.Artifact"] {
        assert_eq!(model::find(name).unwrap().table, "lamindb_artifact");
    }
    for name in ["CellType", "bionty.CellType"] {
        assert_eq!(model::find(name).unwrap().table, "bionty_celltype");
    }
    for name in ["artifact", "lamindb.CellType", "bionty.Artifact", "pertdb.Artifact", "", "."] {
        assert!(model::find(name).is_none(), "{name}");
    }
    assert_eq!(model::find("Migration").unwrap().table, "django_migrations");
}

#[test]
fn an_unknown_registry_is_met_with_the_nearest_name() {
    let error = model::require("Artefact").unwrap_err();
    assert_eq!(error.kind(), holotype::ErrorKind::Field);
    let start =
        "Registry 'Artefact' not found. Did you mean 'Artifact'? Valid names: Artifact, ArtifactBlock, ";
    assert!(error.message().starts_with(start), "{}", error.message());
    let error = model::require("bionty.Celltype").unwrap_err();
    assert!(error.message().contains("Did you mean 'CellType'?"), "{}", error.message());
    let error = model::require("Zeppelin").unwrap_err();
    assert!(
        error.message().starts_with("Registry 'Zeppelin' not found. Valid names: "),
        "{}",
        error.message()
    );
}

#[test]
fn steps_tell_relations_from_the_columns_behind_them() {
    use model::Step;
    let artifact = model::require("Artifact").unwrap();
    assert!(matches!(artifact.step("storage"), Some(Step::One(column, to))
        if column.column == "storage_id" && to.target == "Storage"));
    assert!(matches!(artifact.step("storage_id"), Some(Step::Column(column)) if column.name == "storage"));
    assert!(matches!(artifact.step("pk"), Some(Step::Column(column)) if column.name == "id"));
    assert!(matches!(artifact.step("ulabels"), Some(Step::Many(relation))
        if relation.via == Via::Link { registry: "ArtifactULabel", near: "artifact_id", far: "ulabel_id" }));
    assert!(artifact.step("nonsense").is_none());
}

#[test]
fn every_relation_leads_to_a_registry_that_has_its_columns() {
    for registry in model::all() {
        for relation in &registry.relations {
            let target = model::require(relation.target).unwrap();
            match relation.via {
                Via::Foreign { column } => assert!(target.column(column).is_some()),
                Via::Link { registry: link, near, far } => {
                    let link = model::require(link).unwrap();
                    let end = |column: &str| link.column(column).and_then(|column| column.to).unwrap().target;
                    assert_eq!((end(near), end(far)), (registry.name, relation.target));
                }
            }
        }
    }
}

#[test]
fn no_accessor_hides_another() {
    for registry in model::all() {
        let mut seen = BTreeMap::new();
        let names = registry.columns.iter().map(|column| column.name);
        for name in names.chain(registry.relations.iter().map(|relation| relation.name)) {
            *seen.entry(name).or_insert(0) += 1;
        }
        seen.retain(|_, count| *count > 1);
        assert!(seen.is_empty(), "{}: {seen:?}", registry.name);
    }
}
