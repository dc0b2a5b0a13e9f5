//! Synonyms and abbreviations of one record.

use holotype::testing::Scratch;
use holotype::{ErrorKind, Event, Record, model};

use super::{cell_type, label};

fn stored(scratch: &Scratch, record: &Record) -> Option<String> {
    let row = scratch.instance().by_id(record.registry(), record.id().unwrap()).unwrap();
    row.text("synonyms").map(str::to_owned)
}

#[test]
fn synonyms_are_added_and_saved_at_once() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let mut record = cell_type(&scratch, "T cell", "");
    instance.add_synonym(&mut record, &["Tc"], false, None).unwrap();
    assert_eq!(stored(&scratch, &record).as_deref(), Some("Tc"));
    instance.add_synonym(&mut record, &["T-lymphocyte", "Tc", ""], false, None).unwrap();
    assert_eq!(stored(&scratch, &record).as_deref(), Some("Tc|T-lymphocyte"));
    instance.add_synonym(&mut record, &["later"], false, Some(false)).unwrap();
    assert_eq!(stored(&scratch, &record).as_deref(), Some("Tc|T-lymphocyte"));
    assert_eq!(record.text("synonyms"), Some("Tc|T-lymphocyte|later"));
    instance.add_synonym::<&str>(&mut record, &[], false, Some(true)).unwrap();
    assert_eq!(stored(&scratch, &record).as_deref(), Some("Tc|T-lymphocyte|later"));

    let mut unsaved = Record::empty(model::require("bionty.CellType").unwrap());
    unsaved.set("name", "new").unwrap();
    instance.add_synonym(&mut unsaved, &["n"], false, None).unwrap();
    assert_eq!((unsaved.id(), unsaved.text("synonyms")), (None, Some("n")));
}

#[test]
fn synonyms_are_removed_and_nothing_is_null() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let mut record = cell_type(&scratch, "T cell", "a|b|c");
    instance.remove_synonym(&mut record, &["b", "unknown"]).unwrap();
    assert_eq!(stored(&scratch, &record).as_deref(), Some("a|c"));
    instance.remove_synonym(&mut record, &["a", "c"]).unwrap();
    assert_eq!(stored(&scratch, &record), None);
}

#[test]
fn a_bar_cannot_be_part_of_a_synonym() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let mut record = cell_type(&scratch, "T cell", "");
    let error = scratch.instance().add_synonym(&mut record, &["fine", "a|b"], true, None).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Validation, "a synonym can't contain '|'!"));
    assert_eq!(stored(&scratch, &record), None);
}

#[test]
fn a_synonym_of_another_record_is_refused_unless_forced() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    cell_type(&scratch, "T cell", "Tc|Tcell");
    let mut other = cell_type(&scratch, "B cell", "");
    let error = instance.add_synonym(&mut other, &["Tc", "new"], false, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert_eq!(
        error.message(),
        format!(
            "you are trying to assign a synonym to record: {}\n    → consider removing the synonym from existing records or \
         using a different synonym.",
            other.repr()
        )
    );
    assert_eq!(
        scratch.events(),
        [Event::Warning(
            "input synonyms ['Tc'] already associated with the following records:\n  T cell: Tc|Tcell".into()
        )]
    );
    assert_eq!(stored(&scratch, &other), None);
    instance.add_synonym(&mut other, &["T", "T cell"], false, None).unwrap();
    assert_eq!(
        stored(&scratch, &other).as_deref(),
        Some("T|T cell"),
        "parts and names of others are no obstacle"
    );
    instance.add_synonym(&mut other, &["Tc"], true, None).unwrap();
    assert_eq!(stored(&scratch, &other).as_deref(), Some("T|T cell|Tc"));
}

#[test]
fn an_abbreviation_is_a_synonym_too() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let mut record = cell_type(&scratch, "T cell", "T-lymphocyte");
    instance.set_abbr(&mut record, "TC").unwrap();
    let row = instance.by_id(record.registry(), record.id().unwrap()).unwrap();
    assert_eq!((row.text("abbr"), row.text("synonyms")), (Some("TC"), Some("T-lymphocyte|TC")));
    let mut other = cell_type(&scratch, "B cell", "");
    assert_eq!(instance.set_abbr(&mut other, "TC").unwrap_err().kind(), ErrorKind::Validation);
    let row = instance.by_id(other.registry(), other.id().unwrap()).unwrap();
    assert_eq!((row.text("abbr"), row.text("synonyms")), (None, None));
}

#[test]
fn registries_without_these_fields_say_so() {
    let scratch = Scratch::new().unwrap();
    let mut record = label(&scratch, "apple");
    let error = scratch.instance().add_synonym(&mut record, &["x"], false, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("ULabel") && error.message().contains("synonyms"), "{error}");
    let error = scratch.instance().set_abbr(&mut record, "x").unwrap_err();
    assert!(error.message().contains("'abbr'"), "{error}");
}
