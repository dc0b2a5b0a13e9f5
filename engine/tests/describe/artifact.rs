//! Artifacts and collections.

use holotype::testing::Scratch;
use holotype::{NewArtifact, NewCollection, Record, RunChoice};

use super::{artifact, label, saved, text};

#[test]
fn an_artifact_shows_its_facts_two_by_two() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.file("df.parquet", "x".repeat(2048)).unwrap();
    let new = NewArtifact {
        description: Some("tab".into()),
        kind: Some("dataset".into()),
        otype: Some("DataFrame".into()),
        n_observations: Some(3),
        run: RunChoice::None,
        ..NewArtifact::new(path.to_str().unwrap())
    };
    let mut artifact = scratch.instance().artifact(new.key("t/df.parquet")).unwrap();
    scratch.instance().save_artifact(&mut artifact).unwrap();
    let record = artifact.record;
    let hash = record.text("hash").unwrap();
    let created = record.moment("created_at").unwrap().to_display();
    let expected = format!(
        "\
Artifact: t/df.parquet (0000)
|   description: tab
├── uid: {uid}  kind: dataset
│   otype: DataFrame           hash: {hash}
│   size: 2.0 KB               branch: main
│   space: all                 created_at: {created}
│   created_by: anonymous      n_observations: 3
└── storage/path: {root}/.lamindb/{uid}.parquet",
        uid = record.uid(),
        root = scratch.root().display(),
    );
    assert_eq!(scratch.instance().describe(&record).unwrap().to_text(), expected);
}

#[test]
fn the_run_and_its_transform_come_second() {
    let scratch = Scratch::new().unwrap();
    let transform =
        saved(&scratch, "Transform", &[("uid", "abcdefghijkl0000".into()), ("key", "a.py".into())]);
    let run = saved(&scratch, "Run", &[("transform", transform.id().into())]);
    let record = artifact(&scratch, "a.txt", "A", RunChoice::Id(run.id().unwrap()));
    let expected = format!(
        "\
Artifact: a.txt (0000)
├── uid: {uid}               run: {run} (a.py)
│   hash: f8VicOenD6gaWTW3Lqy-KQ          size: 1 B
│   branch: main                          space: all
│   created_at: {created}  created_by: anonymous
└── storage/path: {root}/.lamindb/{uid}.txt",
        uid = record.uid(),
        run = &run.uid()[..7],
        root = scratch.root().display(),
        created = record.moment("created_at").unwrap().to_display(),
    );
    let spaces = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let text = scratch.instance().describe(&record).unwrap().to_text();
    assert_eq!(spaces(&text), spaces(&expected));
    let columns: Vec<usize> = text
        .lines()
        .skip(1)
        .take(4)
        .map(|line| {
            let right = ["run:", "size:", "space:", "created_by:"]
                .iter()
                .find_map(|label| line.find(&format!(" {label}")));
            line[..right.unwrap()].chars().count()
        })
        .collect();
    assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "right facts stand below each other: {text}");
}

#[test]
fn labels_are_sorted_and_cut_to_ten() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let record = artifact(&scratch, "a.txt", "A", RunChoice::None);
    let [b, a] = ["B", "A"].map(|name| label(&scratch, name).id().unwrap());
    instance.link(&record, "ulabels", &[b, a]).unwrap();
    assert!(text(&scratch, &record).ends_with("\n└── Entities\n    └── .ulabels  ULabel   A, B"));
    let cell = saved(&scratch, "bionty.CellType", &[("name", "T cell".into())]);
    instance.link(&record, "cell_types", &[cell.id().unwrap()]).unwrap();
    let many: Vec<i64> = (0..12).map(|i| label(&scratch, &format!("lab{i:02}")).id().unwrap()).collect();
    instance.link(&record, "ulabels", &many).unwrap();
    let expected = "\
└── Entities
    └── .ulabels     ULabel            A, B, lab00, lab01, lab02, lab03, lab04, lab05, lab06, lab07, ...
        .cell_types  bionty.CellType   T cell";
    assert!(text(&scratch, &record).ends_with(expected), "{}", text(&scratch, &record));
    assert_eq!(instance.entities(&record).unwrap().unwrap().to_text().lines().next(), Some("Entities"));
}

#[test]
fn a_folder_shows_its_files_and_unknown_sizes_are_none() {
    let scratch = Scratch::new().unwrap();
    scratch.file("folder/1", "1").unwrap();
    scratch.file("folder/2", "22").unwrap();
    let folder = scratch.dir().join("work/folder");
    let new = NewArtifact { run: RunChoice::None, ..NewArtifact::new(folder.to_str().unwrap()) };
    let mut artifact = scratch.instance().artifact(new.key("folder")).unwrap();
    scratch.instance().save_artifact(&mut artifact).unwrap();
    let shown = text(&scratch, &artifact.record);
    assert!(shown.contains("n_files: 2") && shown.contains("size: 3 B"), "{shown}");
    assert!(shown.ends_with(&format!("/store/.lamindb/{}", artifact.record.stem_uid())), "{shown}");
    let mut unknown = artifact.record.clone();
    unknown.set("size", holotype::Value::Null).unwrap();
    assert!(text(&scratch, &unknown).contains("size: None"));
}

#[test]
fn an_artifact_that_is_not_saved_can_be_described() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.file("a.txt", "A").unwrap();
    let new = NewArtifact { run: RunChoice::None, ..NewArtifact::new(path.to_str().unwrap()) };
    let artifact = scratch.instance().artifact(new.key("a.txt")).unwrap();
    let shown = text(&scratch, &artifact.record);
    assert!(shown.starts_with("Artifact: a.txt (0000)\n├── uid: <uid>"), "{shown}");
    assert!(shown.contains("branch: main") && shown.contains("created_by: anonymous"), "{shown}");
    assert!(!shown.contains("created_at"), "{shown}");
}

#[test]
fn a_collection_shows_its_facts_and_labels_but_not_its_artifacts() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let artifacts: Vec<Record> =
        ["A", "BB"].iter().map(|text| artifact(&scratch, text, text, RunChoice::None)).collect();
    let new = NewCollection {
        description: Some("d".into()),
        run: RunChoice::None,
        ..NewCollection::new(artifacts, "my/coll")
    };
    let mut collection = instance.collection(new).unwrap();
    instance.save_collection(&mut collection).unwrap();
    let expected = "\
Collection: my/coll (0000)
|   description: d
└── uid: <uid>  branch: main
    space: all                 created_at: <created_at>
    created_by: anonymous";
    let record = &collection.record;
    assert_eq!(text(&scratch, record), expected);
    instance.link(record, "ulabels", &[label(&scratch, "A").id().unwrap()]).unwrap();
    assert!(text(&scratch, record).ends_with("└── Entities\n    └── .ulabels  ULabel   A"));
}

#[test]
fn what_is_old_archived_or_trashed_is_said_first() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let old = artifact(&scratch, "a.txt", "A", RunChoice::None);
    let mut new = artifact(&scratch, "a.txt", "BB", RunChoice::None);
    let old = instance.by_id(old.registry(), old.id().unwrap()).unwrap();
    let warnings = |record: &Record| instance.describe(record).unwrap().warnings;
    assert_eq!(warnings(&old), ["This is not the latest version of the Artifact."]);
    assert!(warnings(&new).is_empty());
    new.set("branch", 0i64).unwrap();
    assert_eq!(warnings(&new), ["This artifact is archived."]);
    new.set("branch", -1i64).unwrap();
    assert_eq!(warnings(&new), ["This artifact is in the trash."]);
    assert!(text(&scratch, &new).contains("branch: trash"));
    assert!(!text(&scratch, &new).contains("This artifact"), "faces say it");
}
