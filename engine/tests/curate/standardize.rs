//! `standardize`: synonyms, case, ambiguity, other return fields.

use holotype::curate::{Keep, Scope, Standard, Standardize};
use holotype::testing::Scratch;
use holotype::{Event, Value};

use super::{cell_type, label, registry, saved};

fn one(value: &str) -> Standard {
    Standard::One(value.to_owned())
}

fn ones(values: &[&str]) -> Vec<Standard> {
    values.iter().map(|value| one(value)).collect()
}

#[test]
fn synonyms_become_the_standard_and_unknown_values_stay() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    cell_type(&scratch, "T cell", "T-lymphocyte|T lymphocyte");
    let types = registry("bionty.CellType");
    let values = ["t-LYMPHOCYTE", "T cell", "foo", "t cell", "", "foo"];
    let result = instance.standardize(types, &values, &Standardize::default()).unwrap();
    assert_eq!(result.values, ones(&["T cell", "T cell", "foo", "T cell", "", "foo"]));
    assert_eq!(result.mapper, [("t-LYMPHOCYTE".into(), one("T cell")), ("t cell".into(), one("T cell"))]);
    assert_eq!(scratch.events(), [Event::Info("standardized 2/6 terms".into())]);
    let sensitive = Standardize { case_sensitive: true, ..Standardize::default() };
    let result = instance.standardize(types, &["t-LYMPHOCYTE", "T-lymphocyte"], &sensitive).unwrap();
    assert_eq!(result.values, ones(&["t-LYMPHOCYTE", "T cell"]));
}

#[test]
fn ambiguous_synonyms_follow_keep() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    cell_type(&scratch, "first", "shared|own");
    cell_type(&scratch, "second", "shared");
    let standard = |keep: Keep, value: &str| {
        let how = Standardize { keep, ..Standardize::default() };
        instance.standardize(registry("bionty.CellType"), &[value], &how).unwrap().values.remove(0)
    };
    assert_eq!(standard(Keep::First, "shared"), one("first"));
    assert_eq!(standard(Keep::Last, "shared"), one("second"));
    assert_eq!(standard(Keep::All, "shared"), Standard::Many(vec!["first".into(), "second".into()]));
    assert_eq!(standard(Keep::All, "own"), one("first"), "a list only where it is needed");
    assert_eq!(standard(Keep::All, "unknown"), one("unknown"));
}

#[test]
fn another_field_can_be_returned() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let fields: [(&str, Value); 3] = [
        ("name", "T cell".into()),
        ("ontology_id", "CL:0000084".into()),
        ("synonyms", "T-lymphocyte".into()),
    ];
    saved(&scratch, "bionty.CellType", &fields);
    cell_type(&scratch, "my own", "mine");
    let how = Standardize { return_field: Some("ontology_id"), ..Standardize::default() };
    let values = ["T cell", "T-lymphocyte", "foo", "mine", "my own"];
    let result = instance.standardize(registry("bionty.CellType"), &values, &how).unwrap();
    assert_eq!(
        result.values,
        ones(&["CL:0000084", "CL:0000084", "foo", "mine", "my own"]),
        "no id, no replacement"
    );
    assert_eq!(result.mapper, [("T-lymphocyte".into(), one("CL:0000084"))]);
    let unknown = Standardize { return_field: Some("nope"), ..Standardize::default() };
    assert!(instance.standardize(registry("bionty.CellType"), &["x"], &unknown).is_err());
}

#[test]
fn registries_without_synonyms_give_the_input_back() {
    let scratch = Scratch::new().unwrap();
    label(&scratch, "apple");
    let result =
        scratch.instance().standardize(registry("ULabel"), &["Apple", "x"], &Standardize::default()).unwrap();
    assert_eq!((result.values, result.mapper), (ones(&["Apple", "x"]), vec![]));
    assert_eq!(scratch.events(), []);
}

#[test]
fn trashed_records_and_other_scopes_do_not_count() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let mut record = cell_type(&scratch, "T cell", "T-lymphocyte");
    instance.trash(&mut record).unwrap();
    let how = Standardize { scope: Scope { mute: true, ..Scope::default() }, ..Standardize::default() };
    let result = instance.standardize(registry("bionty.CellType"), &["T-lymphocyte"], &how).unwrap();
    assert_eq!(result.values, ones(&["T-lymphocyte"]));
}
