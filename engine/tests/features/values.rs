//! Values that artifacts, runs and records hold.

use std::thread;

use holotype::feature::{Given, How};
use holotype::testing::Scratch;
use holotype::{ErrorKind, Event, Timestamp};
use serde_json::json;

use crate::{add, another_run, artifact, feature, held, label, message, plain, run, saved};

/// Returns a scratch instance with one feature of many types, called like its type.
fn scratch() -> Scratch {
    let scratch = Scratch::new().unwrap();
    for (name, dtype) in [
        ("temp", "float"),
        ("cnt", "int"),
        ("num", "num"),
        ("ok", "bool"),
        ("note", "str"),
        ("cfg", "dict"),
        ("day", "date"),
        ("at", "datetime"),
        ("tags", "list[str]"),
        ("lab", "cat[ULabel]"),
        ("labs", "list[cat[ULabel]]"),
        ("rec", "cat[Record]"),
        ("art", "cat[Artifact]"),
        ("ct", "cat[bionty.CellType.ontology_id]"),
    ] {
        feature(&scratch, name, dtype);
    }
    scratch
}

fn moment(name: &str, iso: &str) -> (String, Given) {
    (name.to_owned(), Given::Moment(Timestamp::parse(iso).unwrap()))
}

fn warnings(scratch: &Scratch) -> Vec<String> {
    let text = |event| if let Event::Warning(text) = event { Some(text) } else { None };
    scratch.events().into_iter().filter_map(text).collect()
}

#[test]
fn values_come_back_as_they_were_given() {
    let scratch = scratch();
    let (run, artifact) = (run(&scratch), artifact(&scratch, "a.txt"));
    let day = Given::Day("2024-01-02".parse().unwrap());
    let values = [
        plain("temp", json!(3.2)),
        plain("cnt", json!(3)),
        plain("num", json!(2)),
        plain("ok", json!(true)),
        plain("note", json!("hi")),
        plain("cfg", json!({"b": 1, "a": [1, 2]})),
        ("day".to_owned(), day),
        moment("at", "2024-01-01T03:04:05"),
        plain("tags", json!(["p", "q"])),
        plain("lab", json!(null)),
        plain("labs", json!([])),
    ];
    for host in [&run, &artifact] {
        add(&scratch, host, &values).unwrap();
        let expected = json!({"at": ["2024-01-01T03:04:05"], "cfg": [{"b": 1, "a": [1, 2]}], "cnt": [3],
            "day": ["2024-01-02"], "note": ["hi"], "num": [2], "ok": [true], "tags": [["p", "q"]], "temp": [3.2]});
        assert_eq!(held(&scratch, host), expected);
    }
    // Both hosts share one row per value, which is found by the hash of the format.
    let rows = scratch.instance().registry("JsonValue").unwrap().order_by(["id"]).unwrap().all().unwrap();
    assert_eq!(rows.len(), 9);
    let hashes: Vec<_> = rows.iter().map(|row| row.text("hash").unwrap()).collect();
    let known = ["rP9GsWGjt9btAbp5oDKsyQ", "7MvIfktc4v4oMI_Z8qe68w", "yB5yjZ1ML2NvBn-JzBSGLA"];
    assert_eq!(hashes[..3], known);
    assert_eq!(hashes[3..5], ["-CfPRi9ihI3zfF4elKTadA", "SfaKXIST7CwL9ImCHCH8Ow"]);
    assert_eq!(hashes[5], "vSrkP8i5TjQWigabbCBgtw");
    assert_eq!(hashes[8], "7qoGkGFK2g9K68lCStsWWQ");
}

#[test]
fn labels_are_found_by_name_or_given() {
    let scratch = scratch();
    let (a, b) = (
        saved(&scratch, "ULabel", &[("name", "A".into())]),
        saved(&scratch, "ULabel", &[("name", "B".into())]),
    );
    let other = artifact(&scratch, "b.txt");
    let host = artifact(&scratch, "a.txt");
    saved(&scratch, "bionty.CellType", &[("name", "T cell".into()), ("ontology_id", "CL:9".into())]);
    add(&scratch, &host, &[label("lab", &a), plain("labs", json!(["A", "B"])), plain("ct", json!("CL:9"))])
        .unwrap();
    add(&scratch, &host, &[label("art", &other), label("lab", &a), label("lab", &b)]).unwrap();
    scratch.instance().remove_features(&host, Some(&[plain("labs", json!("B"))])).unwrap();
    assert_eq!(
        held(&scratch, &host),
        json!({"art": ["b.txt"], "ct": ["T cell"], "lab": ["A", "B"], "labs": ["A"]})
    );
    // A label of a feature is no bare label, and the other way round.
    scratch.instance().link(&host, "ulabels", &[a.id().unwrap()]).unwrap();
    assert_eq!(held(&scratch, &host)["lab"], json!(["A", "B"]));
    let missing = message(add(&scratch, &host, &[plain("lab", json!("ZZZ"))]));
    assert_eq!(
        missing,
        format!(
            "Failed to add features on Artifact (uid={}): 'lab' (cat[ULabel])='ZZZ'. 1 term not validated in feature \
             'lab': 'ZZZ'\n    → fix typos, remove non-existent values, or create objects via:\n\n  objects = \
             ULabel.from_values(['ZZZ'], field='name', create=True).save()",
            host.uid()
        )
    );
    assert_eq!(warnings(&scratch).last().unwrap(), "no values were validated for lab!");
    let record = saved(&scratch, "Record", &[("name", "s1".into())]);
    let wrong = message(add(&scratch, &host, &[label("lab", &record)]));
    assert!(wrong.ends_with("Expected a ULabel for feature 'lab', but received the Record 's1'."), "{wrong}");
    // The format links runs with records and artifacts only.
    let run = run(&scratch);
    let error = add(&scratch, &run, &[label("lab", &a)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("A Run cannot hold values of 'lab' (cat[ULabel])"), "{error}");
    add(&scratch, &run, &[label("rec", &record), label("art", &host)]).unwrap();
    assert_eq!(held(&scratch, &run), json!({"art": ["a.txt"], "rec": ["s1"]}));
}

#[test]
fn labels_of_a_type_are_those_below_it() {
    let scratch = scratch();
    let kind = saved(&scratch, "Record", &[("name", "Sample".into()), ("is_type", true.into())]);
    let sub = [("name", "Sub".into()), ("is_type", true.into()), ("type", kind.id().into())];
    let sub = saved(&scratch, "Record", &sub);
    let below = saved(&scratch, "Record", &[("name", "s1".into()), ("type", sub.id().into())]);
    let beside = saved(&scratch, "Record", &[("name", "s2".into())]);
    feature(&scratch, "samp", &format!("cat[Record[{}]]", kind.uid()));
    let host = run(&scratch);
    add(&scratch, &host, &[label("samp", &below)]).unwrap();
    add(&scratch, &host, &[plain("samp", json!("s1"))]).unwrap();
    assert_eq!(held(&scratch, &host), json!({"samp": ["s1"]}));
    let wrong = message(add(&scratch, &host, &[label("samp", &beside)]));
    let end = "Expected a record of type 'Sample' for feature 'samp', but received 's2' of type 'None'.";
    assert!(wrong.ends_with(end), "{wrong}");
    let wrong = message(add(&scratch, &host, &[plain("samp", json!("s2"))]));
    assert!(
        wrong.ends_with("→ a valid label for subtype 'Sample' has to be one of ['Sub', 's1']"),
        "{wrong}"
    );
}

#[test]
fn values_of_another_type_are_refused_and_nothing_is_written() {
    let scratch = scratch();
    let run = run(&scratch);
    let refused = |name: &str, json| {
        let text = message(add(&scratch, &run, &[plain("note", json!("fine")), plain(name, json)]));
        assert!(text.starts_with("Failed to add features on Run (uid="), "{text}");
        assert_eq!(held(&scratch, &run), json!({}), "nothing is written");
        text
    };
    let text = refused("temp", json!(3));
    let report = r#"{
    "SCHEMA": {
        "WRONG_DATATYPE": [
            {
                "schema": null,
                "column": "temp",
                "check": "dtype('float')",
                "error": "expected series 'temp' to have type float, got int64"
            }
        ]
    }
}   ▶ Hint: Consider setting `feature.coerce = True`"#;
    assert!(text.contains(&format!("'temp' (float)=3. {report}")), "{text}");
    for (name, json, got) in [
        ("temp", json!("x"), "to have type float, got object"),
        ("cnt", json!(3.5), "to have type int, got float64"),
        ("cnt", json!(true), "to have type int, got bool"),
        ("num", json!("1"), "Column 'num' failed dtype check for 'num': got object"),
        ("ok", json!(1), "Column 'ok' failed dtype check for 'bool': got int64"),
        ("note", json!(3), "Column 'note' failed dtype check for 'str': got int64"),
        ("cfg", json!("x"), "Non-null values must be dicts or strings representing dicts"),
        ("day", json!("2024-05-06"), "to have type date:failure cases:"),
        ("at", json!("2024-05-06"), "to have type datetime64[ns], got object"),
        ("tags", json!("p"), "Column 'tags' failed dtype check for 'list[str]': got object"),
        ("tags", json!([1]), "Column 'tags' failed dtype check for 'list[str]': got object"),
        ("labs", json!("A"), "Column 'labs' failed dtype check for 'list[cat[ULabel]]'"),
        ("lab", json!(3), "to have type category, got int64"),
    ] {
        let text = refused(name, json);
        assert!(text.contains(got), "{text}");
    }
    let unknown =
        add(&scratch, &run, &[plain("n1", json!(1)), plain("n2", json!("s")), plain("n3", json!(["a"]))]);
    assert_eq!(
        message(unknown),
        "These keys could not be validated: ['n1', 'n2', 'n3']\nHere is how to create a feature:\n\n  \
         ln.Feature(name='n1', dtype='int').save()\n  ln.Feature(name='n2', dtype='cat ? str').save()\n  \
         ln.Feature(name='n3', dtype='list[cat ? str]').save()"
    );
    let new = holotype::Record::empty(run.registry());
    assert!(message(add(&scratch, &new, &[plain("temp", json!(1.5))])).contains("not saved yet"));
}

#[test]
fn values_are_turned_into_the_type_on_request() {
    let scratch = Scratch::new().unwrap();
    for (name, dtype) in [("i", "int"), ("f", "float"), ("d", "date"), ("t", "datetime")] {
        let mut feature = feature(&scratch, name, dtype);
        feature.set("coerce", true).unwrap();
        scratch.instance().save(&mut feature).unwrap();
    }
    let run = run(&scratch);
    let values = [
        plain("i", json!("3")),
        plain("f", json!(3)),
        moment("d", "2024-01-01T03:00:00"),
        plain("t", json!("2024-01-01")),
    ];
    add(&scratch, &run, &values).unwrap();
    let expected = json!({"d": ["2024-01-01"], "f": [3.0], "i": [3], "t": ["2024-01-01T00:00:00"]});
    assert_eq!(held(&scratch, &run), expected);
    assert!(message(add(&scratch, &run, &[plain("i", json!(3.7))])).contains("got float64"));
}

#[test]
fn values_are_set_changed_and_taken_away() {
    let scratch = scratch();
    let instance = scratch.instance();
    let label_a = saved(&scratch, "ULabel", &[("name", "A".into())]);
    let host = artifact(&scratch, "a.txt");
    add(&scratch, &host, &[plain("temp", json!(1.5)), plain("temp", json!(2.5)), label("lab", &label_a)])
        .unwrap();
    assert_eq!(held(&scratch, &host), json!({"lab": ["A"], "temp": [1.5, 2.5]}));
    let remove = |wanted: &[(String, Given)]| {
        instance.remove_features(&host, Some(wanted)).unwrap();
    };
    remove(&[plain("temp", json!(1.5)), plain("lab", json!("A"))]);
    assert_eq!(held(&scratch, &host), json!({"temp": [2.5]}));
    scratch.events();
    remove(&[plain("temp", json!(9.5)), plain("note", json!(null))]);
    let expected = [
        format!("no feature 'temp' with value 9.5 found on artifact '{}'!", host.uid()),
        format!("no feature 'note' found on artifact '{}'!", host.uid()),
    ];
    assert_eq!(warnings(&scratch), expected);
    instance.annotate(&host, &[plain("note", json!("x")), plain("temp", json!(null))], How::Update).unwrap();
    assert_eq!(held(&scratch, &host), json!({"note": ["x"]}));
    instance.annotate(&host, &[plain("cnt", json!(7))], How::Set).unwrap();
    assert_eq!(held(&scratch, &host), json!({"cnt": [7]}));
    // What cannot be written takes nothing away.
    assert!(instance.annotate(&host, &[plain("cnt", json!("x"))], How::Set).is_err());
    assert_eq!(held(&scratch, &host), json!({"cnt": [7]}));
    instance.remove_features(&host, None).unwrap();
    assert_eq!(held(&scratch, &host), json!({}));
}

#[test]
fn a_record_holds_one_value_and_lists_grow() {
    let scratch = scratch();
    let instance = scratch.instance();
    let label_a = saved(&scratch, "ULabel", &[("name", "A".into())]);
    let record = saved(&scratch, "Record", &[("name", "s1".into())]);
    assert_eq!(
        message(add(&scratch, &record, &[plain("temp", json!(1.5))])),
        "Cannot use add_values() for to-one features on a Record: ['temp']. Use set_values() to replace all feature \
         annotations."
    );
    let values = [plain("temp", json!(1.5)), plain("tags", json!(["p"])), label("lab", &label_a)];
    instance.annotate(&record, &values, How::Set).unwrap();
    add(&scratch, &record, &[plain("tags", json!(["q"]))]).unwrap();
    assert_eq!(held(&scratch, &record), json!({"lab": ["A"], "tags": [["p", "q"]], "temp": [1.5]}));
    let wrong = message(instance.annotate(&record, &[plain("temp", json!("x"))], How::Set));
    assert!(
        wrong.starts_with(&format!("Failed to set features on Record 's1' (uid={}):", record.uid())),
        "{wrong}"
    );
    instance.remove_features(&record, Some(&[plain("temp", json!(1.5))])).unwrap();
    assert_eq!(held(&scratch, &record), json!({"lab": ["A"], "tags": [["p", "q"]]}));
}

#[test]
fn features_of_the_content_stay() {
    let scratch = scratch();
    let host = artifact(&scratch, "a.txt");
    let own = feature(&scratch, "column", "cat[ULabel]");
    let label_a = saved(&scratch, "ULabel", &[("name", "A".into())]);
    add(&scratch, &host, &[label("column", &label_a), plain("temp", json!(1.5))]).unwrap();
    let schema = saved(
        &scratch,
        "Schema",
        &[("uid", "0123456789abcdef".into()), ("name", "s".into()), ("itype", "Feature".into())],
    );
    saved(&scratch, "SchemaFeature", &[("schema", schema.id().into()), ("feature", own.id().into())]);
    let slot = [("artifact", host.id().into()), ("schema", schema.id().into()), ("slot", "columns".into())];
    saved(&scratch, "ArtifactSchema", &slot);
    scratch.instance().remove_features(&host, None).unwrap();
    assert_eq!(held(&scratch, &host), json!({"column": ["A"]}));
    let refused = message(scratch.instance().remove_features(&host, Some(&[plain("column", json!(null))])));
    assert_eq!(refused, "Cannot remove values for dataset features.");
}

#[test]
fn names_that_several_features_have_are_asked_for_by_uid() {
    let scratch = scratch();
    let kind = scratch.instance().feature(&[("name", "T".into()), ("is_type", true.into())], true);
    let mut kind = kind.unwrap();
    scratch.instance().save(&mut kind).unwrap();
    let other = [("name", "temp".into()), ("_dtype_str", "str".into()), ("type", kind.id().into())];
    let other = saved(&scratch, "Feature", &other);
    let run = run(&scratch);
    let refused = message(add(&scratch, &run, &[plain("temp", json!(1.5))]));
    assert!(refused.starts_with("Several features are called 'temp': pass the Feature"), "{refused}");
    add(&scratch, &run, &[plain(other.uid(), json!("x"))]).unwrap();
    assert_eq!(held(&scratch, &run), json!({"temp": ["x"]}));
}

#[test]
fn many_who_give_one_value_at_once_share_its_row() {
    let scratch = scratch();
    let first = run(&scratch);
    let transform = scratch
        .instance()
        .by_id(holotype::model::require("Transform").unwrap(), first.int("transform_id").unwrap());
    let transform = transform.unwrap();
    let runs: Vec<_> = (0..8).map(|_| another_run(&scratch, &transform)).collect();
    thread::scope(|scope| {
        for (i, run) in runs.iter().enumerate() {
            let (instance, _) = scratch.connect(100 + i as u64).unwrap();
            scope.spawn(move || {
                for n in 0..10 {
                    instance.annotate(run, &[plain("cnt", json!(n))], How::Add).unwrap();
                }
            });
        }
    });
    assert_eq!(scratch.instance().registry("JsonValue").unwrap().count().unwrap(), 10);
    let links = scratch.instance().registry("RunJsonValue").unwrap().count().unwrap();
    assert_eq!(links, 80);
}
