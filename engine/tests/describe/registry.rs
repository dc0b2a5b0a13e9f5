//! The field lists of registries.

use holotype::model::require;
use holotype::testing::Scratch;

#[test]
fn own_fields_come_before_shared_ones_and_relations_after_both() {
    let scratch = Scratch::new().unwrap();
    let expected = "\
User
  Simple fields
    .uid: CharField
    .handle: CharField
    .name: CharField
    .created_at: DateTimeField
    .updated_at: DateTimeField
  Relational fields
    .linked_in_records: Record
    .artifacts: Artifact
    .created_runs: Run
    .created_transforms: Transform
    .created_artifacts: Artifact
    .projects: Project";
    let text = scratch.instance().registry_text(require("User").unwrap());
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().skip(8).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let head = |text: &str| text.lines().take(8).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(head(&text), head(expected));
    for line in sorted(expected) {
        assert!(sorted(&text).contains(&line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("links_") && !text.contains("._"), "{text}");
}

#[test]
fn a_versioned_registry_lists_its_fields_in_the_order_of_tables() {
    let scratch = Scratch::new().unwrap();
    let text = scratch.instance().registry_text(require("Collection").unwrap());
    let simple: Vec<&str> = text
        .lines()
        .skip(2)
        .take_while(|line| *line != "  Relational fields")
        .map(|line| line.trim().split(':').next().unwrap())
        .collect();
    assert_eq!(
        simple,
        [
            ".uid",
            ".key",
            ".description",
            ".hash",
            ".reference",
            ".reference_type",
            ".version_tag",
            ".is_latest",
            ".is_locked",
            ".created_at",
            ".updated_at",
        ]
    );
    assert!(
        text.contains("\n    .meta_artifact: Artifact\n") && text.contains("\n    .artifacts: Artifact\n"),
        "{text}"
    );
}

#[test]
fn fields_of_a_module_show_where_the_instance_has_it() {
    let (core, bionty) = (Scratch::new().unwrap(), Scratch::with_modules(&["bionty"]).unwrap());
    let artifact = require("Artifact").unwrap();
    assert!(!core.instance().registry_text(artifact).contains("ionty"));
    let text = bionty.instance().registry_text(artifact);
    let (core_part, bionty_part) = text.split_once("  Bionty fields\n").unwrap();
    assert!(core_part.contains("    .ulabels: ULabel\n"), "{text}");
    assert!(bionty_part.contains("    .cell_types: bionty.CellType"), "{text}");
}
