//! Look-ups that mean nothing, patterns that never end, lists that are long.

use holotype::query::Case;
use holotype::testing::Scratch;
use holotype::{ErrorKind, Operand, Q, Record, Value, model};

use super::refused;

fn with_labels() -> Scratch {
    let scratch = Scratch::new().unwrap();
    let registry = model::require("ULabel").unwrap();
    let mut labels: Vec<Record> = (0..50)
        .map(|i| {
            let mut label = Record::empty(registry);
            label.set("name", format!("label {i}")).unwrap();
            label
        })
        .collect();
    scratch.instance().save_many(&mut labels, holotype::write::Conflict::Fail).unwrap();
    scratch
}

#[test]
fn unknown_names_are_told_with_the_valid_ones() {
    let scratch = with_labels();
    let labels = scratch.instance().registry("ULabel").unwrap();
    for (path, words) in [
        ("nme", vec!["nme", "name"]),
        ("name__icontain", vec!["icontain"]),
        ("created_by__handel", vec!["handel", "handle"]),
        ("artifacts__kye", vec!["kye", "key"]),
        ("", vec![]),
        ("__", vec![]),
        ("name__", vec![]),
        ("name__exact__exact", vec![]),
        ("'; DROP TABLE lamindb_ulabel; --", vec!["DROP TABLE"]),
        ("name\0", vec![]),
    ] {
        refused(&scratch, ErrorKind::Field, &words, || labels.filter(Q::is(path, "x")));
        refused(&scratch, ErrorKind::Field, &words, || labels.order_by([path]));
    }
    refused(&scratch, ErrorKind::Field, &["ULable", "ULabel"], || scratch.instance().registry("ULable"));
    let mut label = Record::empty(labels.registry());
    assert!(label.set("nme", "x").unwrap_err().message().contains("name"));
    refused(&scratch, ErrorKind::Field, &["nme"], || {
        scratch.instance().update(&labels, &[("nme", Value::from("x"))])
    });
}

#[test]
fn values_of_the_wrong_kind_are_told() {
    let scratch = with_labels();
    let artifacts = scratch.instance().registry("Artifact").unwrap();
    for (path, operand) in [
        ("size", Operand::from("big")),
        ("created_at__gt", "yesterday".into()),
        ("is_latest", "perhaps".into()),
        ("size__in", 3i64.into()),
        ("size__range", vec![1i64].into()),
        ("size__isnull", "x".into()),
        ("size__gt", Value::Null.into()),
        ("key", vec!["a", "b"].into()),
        ("created_at__year", "x".into()),
    ] {
        let Err(error) = artifacts.filter(Q::Is(path.to_owned(), operand)) else {
            panic!("{path} was taken")
        };
        assert!(matches!(error.kind(), ErrorKind::Value | ErrorKind::Type), "{path}: {error}");
        let field = path.split("__").next().unwrap();
        assert!(error.message().contains(field), "{error}");
    }
}

#[test]
fn patterns_are_refused_or_come_to_an_end() {
    let scratch = with_labels();
    let labels = scratch.instance().registry("ULabel").unwrap();
    for pattern in ["(", "[z-a]", "*", "(?<x", "\\", "a{99999}{99999}", "(?P<n>a)(?P<n>b)"] {
        refused(&scratch, ErrorKind::Value, &[pattern], || labels.filter(Q::is("name__regex", pattern)));
        refused(&scratch, ErrorKind::Value, &[], || labels.filter(Q::is("name__iregex", pattern)));
    }
    let mut endless = Record::empty(labels.registry());
    endless.set("name", "a".repeat(140)).unwrap();
    scratch.instance().save(&mut endless).unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(labels.filter(Q::is("name__regex", "^(a+)+$x")).unwrap().count().unwrap(), 0);
    assert_eq!(labels.filter(Q::is("name__regex", "^(a|aa)+b?$")).unwrap().count().unwrap(), 1);
    assert!(begun.elapsed().as_secs() < 5);
    for text in ["", " ", "%", "\0", &"x".repeat(10_000)] {
        labels.search(text, &[], Some(5), Case::Ignored).unwrap().all().unwrap();
    }
    refused(&scratch, ErrorKind::Value, &["xxx", "too long"], || {
        labels.search(&"x".repeat(100_000), &[], Some(5), Case::Ignored)
    });
}

#[test]
fn long_lists() {
    let scratch = with_labels();
    let labels = scratch.instance().registry("ULabel").unwrap();
    let ids: Vec<i64> = (0..100_000).collect();
    let names: Vec<String> = ids.iter().map(|i| format!("label {i}")).collect();
    let count = |q: Q| labels.filter(q).unwrap().count().unwrap();
    assert_eq!(count(Q::is("id__in", ids.clone())), 50);
    assert_eq!(count(Q::is("name__in", names.clone())), 50);
    assert_eq!(count(Q::is("name__in", names.clone()).negate()), 0);
    assert_eq!(count(Q::is("artifacts__id__in", ids.clone()).negate()), 50);
    assert_eq!(count(Q::is("id__in", Vec::<i64>::new())), 0);
    assert_eq!(labels.filter(Q::is("id__in", ids)).unwrap().all().unwrap().len(), 50);
    let labels = scratch
        .instance()
        .update(&labels.filter(Q::is("name__in", names)).unwrap(), &[("description", Value::from("many"))]);
    assert_eq!(labels.unwrap(), 50);
    // Conditions that the database could not nest that deep.
    let artifacts = scratch.instance().registry("Artifact").unwrap();
    let moments: Vec<Value> = (0..1000).map(|i| Value::DateTime(holotype::Timestamp(i))).collect();
    let many = Q::Is("created_at__in".to_owned(), Operand::Many(moments));
    assert_eq!(artifacts.filter(many).unwrap().count().unwrap(), 0);
    let words: Vec<Value> = (0..20_000).map(|i| Value::from(format!("w{i}"))).collect();
    let inside = Q::Is("extra_data__word__in".to_owned(), Operand::Many(words));
    assert_eq!(artifacts.filter(inside).unwrap().count().unwrap(), 0);
    let wide = Q::Or((0..5000i64).map(|i| Q::is("size", i)).collect());
    assert_eq!(artifacts.filter(wide).unwrap().count().unwrap(), 0);
    let wide = Q::And((0..5000i64).map(|i| Q::is("size", i).negate()).collect());
    assert_eq!(artifacts.filter(wide).unwrap().count().unwrap(), 0);
}

#[test]
fn conditions_nested_without_end() {
    let scratch = with_labels();
    let labels = scratch.instance().registry("ULabel").unwrap();
    let mut q = Q::is("name", "label 1");
    for _ in 0..200 {
        q = q.negate();
    }
    assert_eq!(labels.filter(q.clone()).unwrap().count().unwrap(), 1);
    for _ in 0..100 {
        q = q.negate();
    }
    refused(&scratch, ErrorKind::Value, &["nests"], || labels.filter(q.clone()));
    for _ in 0..3000 {
        q = Q::And(vec![q, Q::is("name", "x")]);
    }
    refused(&scratch, ErrorKind::Value, &["nests"], || labels.filter(q));
    let mut many = labels.clone();
    for i in 0..600 {
        many = many.exclude(Q::is("name", format!("label {i}"))).unwrap();
    }
    assert_eq!(many.count().unwrap(), 0);
}
