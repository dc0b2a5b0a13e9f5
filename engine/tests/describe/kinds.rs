//! Runs, transforms, records, branches, notes, and everything else.

#[path = "../common/mod.rs"]
mod common;

use holotype::testing::Scratch;
use holotype::{Record, RunChoice, Timestamp, Value};
use serde_json::json;

use super::{artifact, label, saved, text};

fn transform(scratch: &Scratch, key: &str, fields: &[(&str, Value)]) -> Record {
    let mut all = vec![("uid", Value::from("abcdefghijkl0000")), ("key", key.into())];
    all.extend_from_slice(fields);
    saved(scratch, "Transform", &all)
}

#[test]
fn a_run_shows_its_course_and_parameters() {
    let scratch = Scratch::new().unwrap();
    let source = transform(&scratch, "a.py", &[]);
    let log: Vec<String> = (1..=6).map(|i| format!("line {i}")).chain(["x".repeat(100)]).collect();
    let report = artifact(&scratch, "log.txt", &log.join("\n"), RunChoice::None);
    let environment = artifact(&scratch, "requirements.txt", "a==1\nb==2", RunChoice::None);
    let started = Timestamp::parse("2026-11-22 01:45:37").unwrap();
    let mut fields = vec![
        ("transform", Value::from(source.id())),
        ("started_at", started.into()),
        ("_status_code", Value::Int(-1)),
        ("params", Value::from(json!({"lr": 0.1, "name": "x", "a": {"b": [1, "c"]}}))),
        ("report", report.id().into()),
        ("environment", environment.id().into()),
    ];
    let run = saved(&scratch, "Run", &fields);
    let created = run.moment("created_at").unwrap().to_display();
    let expected = format!(
        "\
Run: {short} (a.py)
├── uid: {uid}                transform: a.py (0000)
│   started_at: 2026-11-22 01:45:37 UTC  finished_at:
│   status: started
│   branch: main                         space: all
│   created_at: {created}  created_by: anonymous
├── report: {report}
│   │ line 1
│   │ line 2
│   │ line 3
│   │ line 4
│   │ …
├── environment: {environment}
│   │ a==1
│   │ b==2
└── Params
    ├── lr: 0.1
    ├── name: x
    └── a: {{'b': [1, 'c']}}",
        short = &run.uid()[..7],
        uid = run.uid(),
        report = &report.uid()[..7],
        environment = &environment.uid()[..7],
    );
    assert_eq!(scratch.instance().describe(&run).unwrap().to_text(), expected);
    fields.extend([("name", "mine".into()), ("reference", "https://x".into())]);
    let named = saved(&scratch, "Run", &fields);
    let shown = text(&scratch, &named);
    assert!(shown.starts_with("Run: mine (a.py)\n"), "{shown}");
    assert!(shown.contains("status: started                      reference: https://x"), "{shown}");
    std::fs::remove_file(scratch.instance().artifact_path(&report).unwrap()).unwrap();
    let shown = text(&scratch, &run);
    assert!(
        shown.contains(&format!("├── report: {}\n├── environment", &report.uid()[..7])),
        "a lost log harms nobody: {shown}"
    );
}

#[test]
fn a_transform_shows_the_head_of_its_source() {
    let scratch = Scratch::new().unwrap();
    let lines: Vec<String> =
        std::iter::once("é".repeat(81)).chain((1..40).map(|i| format!("line {i}"))).collect();
    let source = transform(
        &scratch,
        "a.py",
        &[
            ("kind", "script".into()),
            ("hash", "ojcKcb-HZOrOdcQxH5NqLQ".into()),
            ("source_code", lines.join("\n").into()),
            ("description", "what it does".into()),
            ("reference", "https://x".into()),
        ],
    );
    let shown = text(&scratch, &source);
    let head = "\
Transform: a.py (0000)
|   description: what it does
├── uid: <uid>                reference: https://x
│   hash: ojcKcb-HZOrOdcQxH5NqLQ         type: script
│   branch: main                         space: all
│   created_at: <created_at>  created_by: anonymous
└── source_code:
";
    assert!(shown.starts_with(head), "{shown}");
    let source: Vec<&str> = shown.lines().skip(7).collect();
    assert_eq!(source.len(), 31);
    assert_eq!(source[0], format!("    │ {} …", "é".repeat(80)));
    assert_eq!((source[29], source[30]), ("    │ line 29", "    │ …"));
    let bare = saved(
        &scratch,
        "Transform",
        &[("uid", "bbcdefghijkl0000".into()), ("key", "pipe".into()), ("version_tag", "1.0".into())],
    );
    let shown = text(&scratch, &bare);
    assert!(shown.starts_with("Transform: pipe (1.0)\n└── uid: <uid>\n    hash: None"), "{shown}");
}

#[test]
fn a_record_shows_its_type_and_feature_values() {
    let scratch = Scratch::new().unwrap();
    let kind = saved(&scratch, "Record", &[("name", "Sample".into()), ("is_type", true.into())]);
    let record = saved(
        &scratch,
        "Record",
        &[("name", "s2".into()), ("type", kind.id().into()), ("reference", "ref".into())],
    );
    let expected = "\
Record: s2
└── uid: <uid>  type: Sample
    is_type: False         schema:
    reference: ref         branch: main
    space: all             created_at: <created_at>
    created_by: anonymous";
    assert_eq!(text(&scratch, &record), expected);
    let feature = |name: &str, dtype: &str| {
        saved(&scratch, "Feature", &[("name", name.into()), ("_dtype_str", dtype.into())])
    };
    let (temp, lab) = (feature("temp", "float"), feature("lab", "cat[ULabel]"));
    let value =
        [("record", record.id().into()), ("feature", temp.id().into()), ("value", Value::from(json!(4.0)))];
    saved(&scratch, "RecordJson", &value);
    let link = [
        ("record", record.id().into()),
        ("feature", lab.id().into()),
        ("value", label(&scratch, "A").id().into()),
    ];
    saved(&scratch, "RecordULabel", &link);
    let shown = text(&scratch, &record);
    assert!(shown.ends_with("└── Features\n    └── lab   ULabel   A\n        temp  float    4.0"), "{shown}");
}

#[test]
fn a_branch_shows_its_status() {
    let scratch = Scratch::new().unwrap();
    let branch = saved(&scratch, "Branch", &[("name", "feat".into()), ("_status_code", Value::Int(2))]);
    let expected = "\
Branch: feat
└── status: review                        space: all
    created_at: <created_at>  created_by: anonymous";
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&text(&scratch, &branch)), squeeze(expected));
}

#[test]
fn other_records_are_one_line() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let one =
        |registry: &str, id: i64| instance.by_id(holotype::model::require(registry).unwrap(), id).unwrap();
    assert_eq!(text(&scratch, &label(&scratch, "pear")), "ULabel: pear");
    assert_eq!(text(&scratch, &one("User", 1)), "User: anonymous");
    assert_eq!(text(&scratch, &one("Space", 1)), "Space: all");
    assert_eq!(text(&scratch, &one("Storage", 1)), "Storage: <dir>/store");
    assert!(text(&scratch, &one("bionty.Source", 1)).starts_with("Source: "));
}

#[test]
fn the_readme_and_comments_come_last() {
    let scratch = Scratch::new().unwrap();
    let record = artifact(&scratch, "a.txt", "A", RunChoice::None);
    let block = |kind: &str, content: &str, latest: bool| {
        saved(
            &scratch,
            "ArtifactBlock",
            &[
                ("artifact", record.id().into()),
                ("kind", kind.into()),
                ("content", content.into()),
                ("is_latest", latest.into()),
            ],
        )
    };
    block("readme", "# Title\n\nsome *text*", true);
    block("readme", "superseded", false);
    let comment = block("comment", "good data", true);
    let at = comment.moment("created_at").unwrap().to_display();
    let shown = text(&scratch, &record);
    let expected = format!(
        "├── Notes:\n│   │ # Title\n│   │\n│   │ some *text*\n└── comment by anonymous at {at}:\n    │ good data"
    );
    assert!(shown.ends_with(&expected), "{shown}");
}

#[test]
fn everything_that_the_reference_made_can_be_described() {
    let fixture = common::Fixture::open("2.12.1");
    let instance = &fixture.instance;
    let mut n = 0;
    for registry in holotype::model::all()
        .iter()
        .filter(|registry| !registry.traits.link && registry.column("uid").is_some())
    {
        for record in instance.query(registry).all().unwrap() {
            let shown = instance.describe(&record).unwrap().to_text();
            assert!(shown.starts_with(&format!("{}: ", registry.name)), "{shown}");
            n += 1;
        }
    }
    assert!(n > 20, "{n}");
}
