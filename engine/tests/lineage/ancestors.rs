//! Graphs of records with parents.

use holotype::lineage::{Noun, Walk};
use holotype::model::require;
use holotype::{ErrorKind, Record};

use super::{Lab, edges, labels};

fn record(lab: &Lab, name: &str, parents: &[&Record]) -> Record {
    let fields = [("name", name.into()), ("description", format!("the {name}").into())];
    let mut made = lab.instance().construct(require("Record").unwrap(), &fields).unwrap().record;
    lab.instance().save(&mut made).unwrap();
    let ids: Vec<i64> = parents.iter().map(|parent| parent.id().unwrap()).collect();
    lab.instance().link(&made, "parents", &ids).unwrap();
    made
}

#[test]
fn parents_and_children_are_drawn_from_above_to_below() {
    let lab = Lab::new();
    let cell = record(&lab, "cell", &[]);
    let blood = record(&lab, "blood cell", &[&cell]);
    let immune = record(&lab, "immune cell", &[&cell]);
    let t = record(&lab, "T cell", &[&blood, &immune]);
    record(&lab, "CD8", &[&t]);
    let tree = |record: &Record, walk| lab.instance().family_tree(record, None, &walk).unwrap();
    assert_eq!(
        edges(&tree(&t, Walk::upstream())),
        [
            "blood cell>T cell parent",
            "cell>blood cell parent",
            "cell>immune cell parent",
            "immune cell>T cell parent",
        ]
    );
    assert_eq!(labels(&tree(&t, Walk::downstream())), ["CD8", "T cell"]);
    assert_eq!(labels(&tree(&t, Walk { depth: Some(1), ..Walk::upstream() })).len(), 3);
    let lineage = tree(&t, Walk::default());
    assert!(lineage.nodes.iter().all(|node| node.noun == Noun::Record));
    assert_eq!(lineage.nodes.iter().filter(|node| node.focus).count(), 1);
    assert!(lineage.draw(&Default::default()).contains("immune cell"));
}

#[test]
fn another_field_may_be_the_label() {
    let lab = Lab::new();
    let cell = record(&lab, "cell", &[]);
    let found = lab.instance().family_tree(&cell, Some("description"), &Walk::default()).unwrap();
    assert_eq!(labels(&found), ["the cell"]);
    let error = lab.instance().family_tree(&cell, Some("colour"), &Walk::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Field);
    let artifact = lab.artifact("a", None);
    let error = lab.instance().family_tree(&artifact, None, &Walk::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
}
