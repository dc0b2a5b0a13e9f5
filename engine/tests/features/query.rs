//! Look-ups by features.

use holotype::testing::Scratch;
use holotype::{ErrorKind, Operand, Q, Record, Timestamp, Value};
use serde_json::json;

use crate::{add, another_run, artifact, feature, label, plain, run, saved};

struct Filled {
    scratch: Scratch,
    hosts: Vec<Record>,
    a: Record,
}

/// Returns three artifacts: one warm and ok, one hot with two labels, one without features.
fn filled() -> Filled {
    let scratch = Scratch::new().unwrap();
    for (name, dtype) in [
        ("temp", "float"),
        ("note", "str"),
        ("at", "datetime"),
        ("tags", "list[str]"),
        ("lab", "cat[ULabel]"),
        ("key", "int"),
    ] {
        feature(&scratch, name, dtype);
    }
    let a = saved(&scratch, "ULabel", &[("name", "A".into())]);
    let b = saved(&scratch, "ULabel", &[("name", "B".into())]);
    let hosts: Vec<Record> = ["warm", "hot", "bare"].map(|name| artifact(&scratch, name)).into();
    let at =
        ("at".to_owned(), holotype::feature::Given::Moment(Timestamp::parse("2024-01-01T03:00:00").unwrap()));
    let warm = [
        plain("temp", json!(3.2)),
        plain("note", json!("Hello")),
        plain("tags", json!(["p", "q"])),
        label("lab", &a),
        at,
    ];
    add(&scratch, &hosts[0], &warm).unwrap();
    let hot = [plain("temp", json!(4.0)), plain("note", json!("World")), label("lab", &a), label("lab", &b)];
    add(&scratch, &hosts[1], &hot).unwrap();
    add(&scratch, &hosts[1], &[plain("features", json!(1))]).unwrap_err();
    add(&scratch, &hosts[2], &[plain(&uid(&scratch, "key"), json!(5))]).unwrap();
    Filled { scratch, hosts, a }
}

fn uid(scratch: &Scratch, feature: &str) -> String {
    let found = scratch.instance().registry("Feature").unwrap().filter(Q::is("name", feature)).unwrap();
    found.one().unwrap().uid().to_owned()
}

impl Filled {
    fn keys(&self, q: Q) -> Vec<String> {
        let artifacts = self.scratch.instance().registry("Artifact").unwrap().filter(q).unwrap();
        let found = artifacts.order_by(["id"]).unwrap().all().unwrap();
        found.iter().map(|artifact| artifact.text("key").unwrap().to_owned()).collect()
    }
}

#[test]
fn records_are_found_by_values() {
    let filled = filled();
    let is = |path: &str, operand: Value| filled.keys(Q::is(path, operand));
    assert_eq!(is("temp", 3.2.into()), ["warm"]);
    assert_eq!(is("temp", 4i64.into()), ["hot"], "numbers compare as numbers");
    assert_eq!(is("temp__gt", 3.5.into()), ["hot"]);
    assert_eq!(is("temp__gte", 3.2.into()), ["warm", "hot"]);
    assert_eq!(filled.keys(Q::is("temp__in", vec![3.2, 9.0])), ["warm"]);
    assert_eq!(filled.keys(Q::is("temp__range", vec![3.0, 3.5])), ["warm"]);
    assert_eq!(is("temp__isnull", true.into()), ["bare"]);
    assert_eq!(is("temp__isnull", false.into()), ["warm", "hot"]);
    assert_eq!(is("note__icontains", "ELL".into()), ["warm"]);
    assert_eq!(is("note__startswith", "W".into()), ["hot"]);
    let noon = Timestamp::parse("2024-01-01 12:00:00").unwrap();
    assert_eq!(is("at__lt", noon.into()), ["warm"]);
    assert!(is("at__gt", noon.into()).is_empty());
    assert_eq!(is("at", Timestamp::parse("2024-01-01 03:00:00").unwrap().into()), ["warm"]);
    assert_eq!(filled.keys(Q::is("tags", vec!["p", "q"])), ["warm"]);
    assert_eq!(is("tags__contains", "q".into()), ["warm"]);
    // Fields and features together, negated, and with or.
    assert_eq!(filled.keys(Q::is("key", "hot").and(Q::is("temp__gt", 1.5))), ["hot"]);
    assert_eq!(filled.keys(Q::is("temp", 3.2).negate()), ["hot", "bare"]);
    assert_eq!(filled.keys(Q::is("temp", 3.2).or(Q::is("note", "World"))), ["warm", "hot"]);
    // A field comes before the feature of its name.
    assert_eq!(filled.keys(Q::is("features__key", 5i64)), ["bare"]);
    assert_eq!(filled.keys(Q::is(format!("features__{}__gt", uid(&filled.scratch, "temp")), 3.5)), ["hot"]);
}

#[test]
fn records_are_found_by_labels() {
    let filled = filled();
    assert_eq!(filled.keys(Q::is("lab", "A")), ["warm", "hot"]);
    assert_eq!(filled.keys(Q::is("lab", "B")), ["hot"]);
    assert_eq!(filled.keys(Q::is("lab", filled.a.id().unwrap())), ["warm", "hot"]);
    assert_eq!(filled.keys(Q::is("lab__in", vec!["B", "nothing"])), ["hot"]);
    assert_eq!(filled.keys(Q::is("lab__name__startswith", "B")), ["hot"]);
    assert_eq!(filled.keys(Q::is("lab__isnull", true)), ["bare"]);
    let query = filled.scratch.instance().registry("Artifact").unwrap();
    let missing = query.filter(Q::is("lab", "zzz")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::DoesNotExist);
    assert_eq!(missing.message(), "Did not find a ULabel matching `name=zzz`");
    let of_query = filled.scratch.instance().registry("ULabel").unwrap().filter(Q::is("name", "B")).unwrap();
    let operand = Operand::Query(Box::new(of_query), None);
    assert_eq!(filled.keys(Q::Is("lab__in".to_owned(), operand)), ["hot"]);
    // A bare label is no value of the feature.
    filled.scratch.instance().link(&filled.hosts[2], "ulabels", &[filled.a.id().unwrap()]).unwrap();
    assert_eq!(filled.keys(Q::is("lab", "A")), ["warm", "hot"]);
}

#[test]
fn runs_and_records_are_found_too() {
    let scratch = Scratch::new().unwrap();
    feature(&scratch, "temp", "float");
    feature(&scratch, "rec", "cat[Record]");
    let record = saved(&scratch, "Record", &[("name", "s1".into())]);
    let warm = run(&scratch);
    let transform = scratch.instance().registry("Transform").unwrap().one().unwrap();
    let other = another_run(&scratch, &transform);
    add(&scratch, &warm, &[plain("temp", json!(3.2)), label("rec", &record)]).unwrap();
    let ids = |registry: &str, q: Q| {
        scratch.instance().registry(registry).unwrap().filter(q).unwrap().all_ids().unwrap()
    };
    assert_eq!(ids("Run", Q::is("temp__gt", 3.0)), [warm.id().unwrap()]);
    assert_eq!(ids("Run", Q::is("rec", "s1")), [warm.id().unwrap()]);
    assert_eq!(ids("Run", Q::is("temp__isnull", true)), [other.id().unwrap()]);
    let values = [plain("temp", json!(9.5))];
    scratch.instance().annotate(&record, &values, holotype::feature::How::Set).unwrap();
    assert_eq!(ids("Record", Q::is("temp", 9.5)), [record.id().unwrap()]);
}

#[test]
fn what_is_neither_field_nor_feature_is_refused() {
    let filled = filled();
    let query = |registry: &str, q: Q| filled.scratch.instance().registry(registry).unwrap().filter(q);
    let error = query("Artifact", Q::is("nope", 1i64)).unwrap_err();
    assert!(error.message().starts_with("Unknown field 'nope'. Available fields:"), "{error}");
    let error = query("ULabel", Q::is("temp", 1i64)).unwrap_err();
    assert!(error.message().starts_with("Unknown field 'temp'."), "{error}");
}
