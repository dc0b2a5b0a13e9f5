//! Which nodes and edges belong to the graph around something.

use holotype::lineage::{Link, Noun, Walk};
use holotype::model::require;
use holotype::{ErrorKind, Record};

use super::{Lab, edges, labels};

/// Returns raw > align > bam > count > table > plot, with a second input of `count`.
fn pipeline(lab: &Lab) -> [Record; 5] {
    let raw = lab.artifact("raw.fastq", None);
    let align = lab.run("align", &[&raw]);
    let bam = lab.artifact("a.bam", Some(&align));
    let genes = lab.artifact("genes.gtf", None);
    let count = lab.run("count", &[&bam, &genes]);
    let table = lab.artifact("table.csv", Some(&count));
    let plot = lab.run("plot", &[&table]);
    let figure = lab.artifact("figure.png", Some(&plot));
    [raw, bam, genes, table, figure]
}

#[test]
fn both_ways_lead_to_the_origin_and_to_the_last_result() {
    let lab = Lab::new();
    let [_, bam, ..] = pipeline(&lab);
    let lineage = lab.instance().lineage(&bam, &Walk::default()).unwrap();
    assert_eq!(
        edges(&lineage),
        [
            "a.bam>count",
            "align>a.bam",
            "count>table.csv",
            "plot>figure.png",
            "raw.fastq>align",
            "table.csv>plot",
        ]
    );
    assert_eq!(lineage.nodes[0].uid, bam.uid());
    assert!(lineage.nodes[0].focus && !lineage.cut);
    assert_eq!(lineage.focus().count(), 1);
}

#[test]
fn one_way_knows_nothing_of_the_other() {
    let lab = Lab::new();
    let [_, _, _, table, _] = pipeline(&lab);
    let up = lab.instance().lineage(&table, &Walk::upstream()).unwrap();
    assert_eq!(labels(&up), ["a.bam", "align", "count", "genes.gtf", "raw.fastq", "table.csv"]);
    let down = lab.instance().lineage(&table, &Walk::downstream()).unwrap();
    assert_eq!(labels(&down), ["figure.png", "plot", "table.csv"]);
}

#[test]
fn depth_counts_generations_of_data() {
    let lab = Lab::new();
    let [raw, _, _, _, figure] = pipeline(&lab);
    let reached = |record: &Record, walk: Walk, depth| {
        let lineage = lab.instance().lineage(record, &Walk { depth: Some(depth), ..walk }).unwrap();
        labels(&lineage).join(" ")
    };
    assert_eq!(reached(&figure, Walk::upstream(), 0), "figure.png");
    assert_eq!(reached(&figure, Walk::upstream(), 1), "figure.png plot table.csv");
    assert_eq!(reached(&figure, Walk::upstream(), 2), "a.bam count figure.png genes.gtf plot table.csv");
    assert_eq!(reached(&raw, Walk::downstream(), 1), "a.bam align raw.fastq");
    let all = reached(&raw, Walk::downstream(), 100);
    assert_eq!(all, reached(&raw, Walk::downstream(), 100_000));
    assert_eq!(all.split(' ').count(), 7);
}

#[test]
fn a_loop_of_recreation_ends() {
    let lab = Lab::new();
    let first = lab.run("first", &[]);
    let a = lab.artifact("a", Some(&first));
    let second = lab.run("second", &[&a]);
    let b = lab.artifact("b", Some(&second));
    let third = lab.run("third", &[&b]);
    assert!(lab.instance().track_recreation(&a, third.id()).unwrap());
    for depth in [None, Some(50)] {
        let lineage = lab.instance().lineage(&a, &Walk { depth, ..Walk::default() }).unwrap();
        assert_eq!(edges(&lineage), ["a>second", "b>third", "first>a", "second>b", "third>a recreated"]);
        assert!(lineage.draw(&Default::default()).ends_with("</svg>"));
        assert!(lineage.to_text().contains("(recreated) ▶ third"), "{}", lineage.to_text());
    }
}

#[test]
fn collections_lead_to_their_artifacts_and_to_who_read_them() {
    let lab = Lab::new();
    let run = lab.run("make", &[]);
    let a = lab.artifact("a", Some(&run));
    let b = lab.artifact("b", None);
    let both = lab.collection("both", &[&a, &b], None);
    let reader = lab.run("train", &[&both]);
    let model = lab.artifact("model", Some(&reader));
    let wanted = ["a>both member", "b>both member", "both>train", "make>a", "train>model"];
    assert_eq!(edges(&lab.instance().lineage(&both, &Walk::default()).unwrap()), wanted);
    assert_eq!(edges(&lab.instance().lineage(&model, &Walk::upstream()).unwrap()), wanted);
}

#[test]
fn versions_follow_one_another() {
    let lab = Lab::new();
    let run = lab.run("make", &[]);
    let first = lab.artifact("a", Some(&run));
    lab.scratch.file("in/a", "more").unwrap();
    let path = lab.scratch.file("in/a", "more").unwrap();
    let new = holotype::NewArtifact {
        run: holotype::RunChoice::Id(run.id().unwrap()),
        ..holotype::NewArtifact::new(path.to_str().unwrap())
    };
    let mut second = lab.instance().artifact(new.key("a")).unwrap();
    lab.instance().save_artifact(&mut second).unwrap();
    let around = lab.instance().lineage(&run, &Walk::default()).unwrap();
    assert_eq!(edges(&around), ["a>a version", "make>a", "make>a"]);
    let version = around.edges.iter().find(|edge| edge.link == Link::Version).unwrap();
    assert_eq!(around.nodes[version.from].uid, first.uid());
    assert_eq!(around.nodes[version.to].uid, second.record.uid());
}

#[test]
fn a_run_leads_to_the_runs_it_started() {
    let lab = Lab::new();
    let input = lab.artifact("in", None);
    let flow = lab.run("flow", &[&input]);
    let mut step = lab.run("step", &[]);
    step.set("initiated_by_run_id", flow.id()).unwrap();
    lab.instance().save(&mut step).unwrap();
    let output = lab.artifact("out", Some(&step));
    let lineage = lab.instance().lineage(&output, &Walk::upstream()).unwrap();
    assert_eq!(edges(&lineage), ["flow>step started", "in>flow", "step>out"]);
}

#[test]
fn around_a_transform_its_runs_are_one_node() {
    let lab = Lab::new();
    let raw = lab.artifact("raw", None);
    for i in 0..3 {
        let run = lab.run("align", &[&raw]);
        let bam = lab.artifact(&format!("{i}.bam"), Some(&run));
        let next = lab.run("count", &[&bam]);
        lab.artifact(&format!("{i}.csv"), Some(&next));
    }
    let align = lab.instance().registry("Transform").unwrap().first().unwrap().unwrap();
    let count = lab.instance().registry("Transform").unwrap().last().unwrap().unwrap();
    lab.instance().link(&count, "predecessors", &[align.id().unwrap()]).unwrap();
    let lineage = lab.instance().lineage(&align, &Walk::default()).unwrap();
    assert_eq!(lineage.nodes.iter().filter(|node| node.noun == Noun::Transform).count(), 2);
    assert!(lineage.nodes.iter().all(|node| node.noun != Noun::Run));
    let found = edges(&lineage);
    assert_eq!(found.iter().filter(|edge| edge.starts_with("align>") && edge.ends_with(".bam")).count(), 3);
    assert!(found.contains(&"align>count successor".to_owned()), "{found:?}");
    assert_eq!(lineage.focus().map(|at| lineage.nodes[at].label.as_str()).collect::<Vec<_>>(), ["align"]);
}

#[test]
fn what_lies_in_the_trash_is_shown_as_such() {
    let lab = Lab::new();
    let [_, mut bam, .., figure] = pipeline(&lab);
    lab.instance().trash(&mut bam).unwrap();
    let lineage = lab.instance().lineage(&figure, &Walk::upstream()).unwrap();
    let node = lineage.nodes.iter().find(|node| node.label == "a.bam").unwrap();
    assert!(node.trashed);
    assert!(lineage.to_text().contains("in the trash"));
    assert!(labels(&lineage).contains(&"raw.fastq"), "the walk goes on behind it");
}

#[test]
fn what_has_no_lineage_or_is_not_saved_is_refused() {
    let lab = Lab::new();
    let mut label =
        lab.instance().construct(require("ULabel").unwrap(), &[("name", "x".into())]).unwrap().record;
    lab.instance().save(&mut label).unwrap();
    let error = lab.instance().lineage(&label, &Walk::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    let new = Record::empty(require("Run").unwrap());
    assert_eq!(lab.instance().lineage(&new, &Walk::default()).unwrap_err().kind(), ErrorKind::Value);
}

#[test]
fn the_nearest_nodes_are_kept_when_there_are_too_many() {
    let lab = Lab::new();
    let [raw, ..] = pipeline(&lab);
    let lineage = lab.instance().lineage(&raw, &Walk { limit: 3, ..Walk::downstream() }).unwrap();
    assert_eq!(labels(&lineage), ["a.bam", "align", "raw.fastq"]);
    assert!(lineage.cut && lineage.to_text().contains("larger than this"));
}
