//! Features: in slots, from outside, of records and schemas.

use holotype::testing::Scratch;
use holotype::{Record, RunChoice, Value};
use serde_json::json;

use super::{artifact, label, saved, text};

fn feature(scratch: &Scratch, name: &str, dtype: &str) -> Record {
    saved(
        scratch,
        "Feature",
        &[("name", name.into()), ("_dtype_str", dtype.into()), ("nullable", true.into())],
    )
}

fn id(record: &Record) -> Value {
    record.id().into()
}

/// Gives an artifact a plain value for a feature.
fn value(scratch: &Scratch, artifact: &Record, feature: &Record, json: serde_json::Value) {
    let value = saved(scratch, "JsonValue", &[("feature", id(feature)), ("value", Value::from(json))]);
    saved(scratch, "ArtifactJsonValue", &[("artifact", id(artifact)), ("jsonvalue", id(&value))]);
}

/// Labels an artifact under a feature.
fn under(scratch: &Scratch, artifact: &Record, feature: &Record, label: &Record) {
    let fields = [("artifact", id(artifact)), ("feature", id(feature)), ("ulabel", id(label))];
    saved(scratch, "ArtifactULabel", &fields);
}

#[test]
fn features_of_the_content_come_by_slot_and_others_after_them() {
    let scratch = Scratch::new().unwrap();
    let record = artifact(&scratch, "a.parquet", "A", RunChoice::None);
    let [ul, cells] =
        [("ul", "cat[ULabel]"), ("n_cells", "int")].map(|(name, dtype)| feature(&scratch, name, dtype));
    let tags = feature(&scratch, "tags", "list[str]");
    let schema = saved(
        &scratch,
        "Schema",
        &[("uid", "0000000000000009".into()), ("itype", "Feature".into()), ("n_members", Value::Int(2))],
    );
    for member in [&ul, &cells] {
        saved(&scratch, "SchemaFeature", &[("schema", id(&schema)), ("feature", id(member))]);
    }
    let slot = [("artifact", id(&record)), ("schema", id(&schema)), ("slot", "columns".into())];
    saved(&scratch, "ArtifactSchema", &slot);
    for name in ["B", "A"] {
        under(&scratch, &record, &ul, &label(&scratch, name));
    }
    value(&scratch, &record, &tags, json!(["p", "q"]));
    let expected = "\
├── Dataset features
│   └── columns (2)
│       n_cells   int
│       ul        ULabel   A, B
├── External features
│   └── tags      list[str]   ['p', 'q']
└── Entities
    └── .ulabels  ULabel   A, B";
    let shown = text(&scratch, &record);
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn values_are_shown_as_python_shows_them() {
    let scratch = Scratch::new().unwrap();
    let record = artifact(&scratch, "a.txt", "A", RunChoice::None);
    let kind = saved(&scratch, "Record", &[("name", "Sample".into()), ("is_type", true.into())]);
    let sample = saved(&scratch, "Record", &[("name", "s1".into()), ("type", id(&kind))]);
    let of_kind = feature(&scratch, "sample", &format!("cat[Record[{}]]", kind.uid()));
    let fields = [("artifact", id(&record)), ("feature", id(&of_kind)), ("record", id(&sample))];
    saved(&scratch, "ArtifactRecord", &fields);
    let several = feature(&scratch, "labs", "list[cat[ULabel]]");
    under(&scratch, &record, &several, &label(&scratch, "A"));
    value(&scratch, &record, &feature(&scratch, "dd", "dict"), json!({"x": [1, "a"], "y": null, "z": true}));
    value(&scratch, &record, &feature(&scratch, "temp", "float"), json!(2.0));
    value(&scratch, &record, &feature(&scratch, "note", "str"), json!("hey"));
    let expected = "\
├── Features
│   └── labs      list[ULabel]     ['A']
│       sample    Record[Sample]   s1
│       dd        dict             {'x': [1, 'a'], 'y': None, 'z': True}
│       note      str              hey
│       temp      float            2.0
└── Entities
    └── .ulabels  ULabel   A
        .records  Record   s1";
    let shown = text(&scratch, &record);
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn a_slot_of_genes_lists_its_members() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let record = artifact(&scratch, "a.h5ad", "A", RunChoice::None);
    let human = saved(&scratch, "bionty.Organism", &[("name", "human".into())]);
    let schema = saved(
        &scratch,
        "Schema",
        &[
            ("uid", "0000000000000009".into()),
            ("itype", "bionty.Gene.ensembl_gene_id".into()),
            ("_dtype_str", "num".into()),
            ("n_members", Value::Int(2)),
        ],
    );
    for symbol in ["TP53", "BRCA2"] {
        let gene = saved(&scratch, "bionty.Gene", &[("symbol", symbol.into()), ("organism", id(&human))]);
        instance.link(&schema, "genes", &[gene.id().unwrap()]).unwrap();
    }
    let slot = [("artifact", id(&record)), ("schema", id(&schema)), ("slot", "var.T".into())];
    saved(&scratch, "ArtifactSchema", &slot);
    let expected = "\
└── Dataset features
    └── var.T (2 bionty.Gene.ensembl_gene_id)
        BRCA2  num
        TP53   num";
    let shown = text(&scratch, &record);
    assert!(shown.ends_with(expected), "{shown}");
    let shown = text(&scratch, &schema);
    assert!(shown.ends_with("└── bionty.Gene.ensembl_gene_id (2)\n    └── dtype: num"), "{shown}");
}

#[test]
fn a_schema_lists_its_features_in_their_order() {
    let scratch = Scratch::new().unwrap();
    let temp = feature(&scratch, "temp", "float");
    let mut n = feature(&scratch, "n", "int");
    n.set("nullable", false).unwrap();
    n.set("coerce", true).unwrap();
    n.set("default_value", Value::from(json!(0))).unwrap();
    scratch.instance().save(&mut n).unwrap();
    let lab = feature(&scratch, "lab", "cat[ULabel]");
    let schema = saved(
        &scratch,
        "Schema",
        &[
            ("uid", "OzUMNqsmHttcwDBd".into()),
            ("name", "my schema".into()),
            ("description", "sd".into()),
            ("itype", "Feature".into()),
            ("_aux", Value::from(json!({"af": {"1": [temp.uid()]}}))),
        ],
    );
    for member in [&temp, &n, &lab] {
        saved(&scratch, "SchemaFeature", &[("schema", id(&schema)), ("feature", id(member))]);
    }
    let expected = "\
Schema: my schema
|   description: sd
├── uid: <uid>  created_at: <created_at>
│   created_by: anonymous
└── Features (3)
    └── name  dtype   optional  nullable  coerce  default_value
        temp  float   ✓         ✓         ✗       unset
        n     int     ✗         ✗         ✓       0
        lab   ULabel  ✗         ✓         ✗       unset";
    assert_eq!(text(&scratch, &schema), expected);
    let composite =
        saved(&scratch, "Schema", &[("uid", "1zUMNqsmHttcwDBd".into()), ("otype", "AnnData".into())]);
    let slot = [("composite", id(&composite)), ("component", id(&schema)), ("slot", "obs".into())];
    saved(&scratch, "SchemaComponent", &slot);
    let shown = text(&scratch, &composite);
    assert!(
        shown.starts_with("Schema: unnamed\n├── uid: <uid> ") && shown.contains("  otype: AnnData\n"),
        "{shown}"
    );
    assert!(shown.ends_with("└── Slots (1)\n    └── obs: my schema"), "{shown}");
}
