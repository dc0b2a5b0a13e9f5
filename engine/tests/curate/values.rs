//! `from_values`: existing records, synonyms, new records in bulk.

use holotype::curate::{FromValues, Scope};
use holotype::testing::Scratch;
use holotype::write::Conflict;
use holotype::{ErrorKind, Event};

use super::{cell_type, label, names, registry, saved};

fn create() -> FromValues<'static> {
    FromValues { create: true, ..FromValues::default() }
}

#[test]
fn existing_records_are_found_once_and_the_rest_is_named() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    label(&scratch, "pear");
    label(&scratch, "apple");
    let found = instance
        .from_values(registry("ULabel"), &["apple", "kiwi", "apple", "", "pear"], &FromValues::default())
        .unwrap();
    assert_eq!(names(&found), ["pear", "apple"], "by id");
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let (ulabel, name) = ("ULabel", "name".to_owned());
    let loaded = Event::Loaded { registry: ulabel, field: name.clone(), values: texts(&["apple", "pear"]) };
    let missing = Event::NotCreated { registry: ulabel, field: name, values: texts(&["kiwi"]) };
    assert_eq!(scratch.events(), [loaded, missing]);
    instance.from_values(registry("ULabel"), &["apple", "pear"], &FromValues::default()).unwrap();
    assert_eq!(scratch.events(), [], "nothing is told where all are found");
    let mute = FromValues { scope: Scope { mute: true, ..Scope::default() }, ..FromValues::default() };
    assert!(instance.from_values(registry("ULabel"), &["kiwi"], &mute).unwrap().is_empty());
    assert_eq!(scratch.events(), []);
}

#[test]
fn all_records_of_a_name_are_found_but_none_in_the_trash() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    label(&scratch, "apple");
    let mut second = label(&scratch, "apple");
    let how = FromValues::default();
    assert_eq!(instance.from_values(registry("ULabel"), &["apple"], &how).unwrap().len(), 2);
    instance.trash(&mut second).unwrap();
    assert_eq!(instance.from_values(registry("ULabel"), &["apple"], &how).unwrap().len(), 1);
}

#[test]
fn synonyms_and_other_spellings_are_found_too() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    cell_type(&scratch, "T cell", "T-lymphocyte|T lymphocyte");
    cell_type(&scratch, "B cell", "");
    let types = registry("bionty.CellType");
    let found =
        instance.from_values(types, &["t-LYMPHOCYTE", "b cell", "X"], &FromValues::default()).unwrap();
    assert_eq!(names(&found), ["T cell", "B cell"]);
    let events = scratch.events();
    let [Event::Loaded { field, values: mapped, .. }, Event::NotCreated { values, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(
        (field.as_str(), &mapped[..], &values[..]),
        ("synonyms", &["t-LYMPHOCYTE".to_owned(), "b cell".to_owned()][..], &["X".to_owned()][..])
    );
    let exact = FromValues { standardize: false, ..FromValues::default() };
    assert!(instance.from_values(types, &["T-lymphocyte"], &exact).unwrap().is_empty());
    let by_id = FromValues { field: Some("ontology_id"), ..FromValues::default() };
    saved(&scratch, "bionty.CellType", &[("name", "neuron".into()), ("ontology_id", "CL:0000540".into())]);
    assert_eq!(names(&instance.from_values(types, &["CL:0000540"], &by_id).unwrap()), ["neuron"]);
}

#[test]
fn create_makes_one_record_per_value_in_order() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let apple = label(&scratch, "apple");
    let mut records = instance
        .from_values(registry("ULabel"), &["kiwi", "apple", "", "kiwi", "apples"], &create())
        .unwrap();
    assert_eq!(names(&records), ["kiwi", "apple", "kiwi", "apples"]);
    assert_eq!(records[1].id(), apple.id());
    assert_eq!(
        scratch.events(),
        [
            Event::TipPassType { registry: "ULabel" },
            Event::SimilarNames {
                registry: "ULabel",
                field: "name".into(),
                name: "apples".into(),
                similar: vec!["apple".into()],
            },
            Event::ReturnedSameName { registry: "ULabel", field: "name".into(), name: "apple".into() },
        ]
    );
    assert_eq!(instance.registry("ULabel").unwrap().count().unwrap(), 1, "nothing is saved yet");
    instance.save_many(&mut records, Conflict::Fail).unwrap();
    assert!(records.iter().all(|record| record.id().is_some() && !record.uid().is_empty()));
    assert_eq!(instance.registry("ULabel").unwrap().count().unwrap(), 4);
}

#[test]
fn terms_with_derived_uids_are_made_once() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let mut records =
        instance.from_values(registry("bionty.CellType"), &["my own", "my own"], &create()).unwrap();
    instance.save_many(&mut records, Conflict::Fail).unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].uid(), "23d7RTCu9U9nrb");
}

#[test]
fn a_scope_decides_what_new_records_belong_to() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let fruit = saved(&scratch, "ULabel", &[("name", "Fruit".into()), ("is_type", true.into())]);
    let outside = label(&scratch, "apple");
    let scope = Scope { within: fruit.id(), ..Scope::default() };
    let how = FromValues { scope, ..create() };
    let records = instance.from_values(registry("ULabel"), &["apple"], &how).unwrap();
    assert_eq!(records[0].id(), None, "{} is of no type", outside.repr());
    assert_eq!(records[0].int("type_id"), fruit.id());
    assert!(!scratch.events().contains(&Event::TipPassType { registry: "ULabel" }));

    let scope = Scope { within: outside.id(), ..Scope::default() };
    let error =
        instance.from_values(registry("ULabel"), &["x"], &FromValues { scope, ..create() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.message().starts_with("You can only assign a ulabel with `is_type=True`"), "{error}");

    let error = instance.from_values(registry("bionty.Gene"), &["TP53"], &create()).unwrap_err();
    assert_eq!(error.message(), "['organism'] are required.");
    let human = saved(&scratch, "bionty.Organism", &[("name", "human".into())]);
    let scope = Scope { organism: human.id(), ..Scope::default() };
    let genes =
        instance.from_values(registry("bionty.Gene"), &["TP53"], &FromValues { scope, ..create() }).unwrap();
    assert_eq!((genes[0].text("symbol"), genes[0].int("organism_id")), (Some("TP53"), human.id()));
}

#[test]
fn without_the_name_lookup_every_value_is_new() {
    let scratch = Scratch::new().unwrap();
    label(&scratch, "apple");
    let instance = scratch.instance();
    instance.with_creation(|creation| creation.search_names = false).unwrap();
    let records = instance.from_values(registry("ULabel"), &["apple"], &create()).unwrap();
    assert_eq!(records[0].id(), None);
    assert_eq!(scratch.events(), []);
}

#[test]
fn a_thousand_labels_are_made_and_found_again() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let values: Vec<String> = (0..1000).map(|i| format!("label {i}")).collect();
    let mut records = instance.from_values(registry("ULabel"), &values, &create()).unwrap();
    assert_eq!(scratch.events(), [Event::TipPassType { registry: "ULabel" }], "no hint for so many");
    instance.save_many(&mut records, Conflict::Fail).unwrap();
    let again = instance.from_values(registry("ULabel"), &values, &create()).unwrap();
    let ids = |records: &[holotype::Record]| records.iter().map(holotype::Record::id).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&records));
    assert_eq!(scratch.events().len(), 1001);
    assert_eq!(
        instance.from_values(registry("ULabel"), &values, &FromValues::default()).unwrap().len(),
        1000
    );
}

#[test]
fn fields_that_hold_no_text_are_refused() {
    let scratch = Scratch::new().unwrap();
    let refused = |field: &'static str| {
        let how = FromValues { field: Some(field), ..FromValues::default() };
        scratch.instance().from_values(registry("ULabel"), &["x"], &how).unwrap_err()
    };
    assert_eq!(refused("nope").kind(), ErrorKind::Field);
    assert!(refused("nope").message().starts_with("Unknown field 'nope'"), "{}", refused("nope"));
    assert_eq!(refused("created_at").kind(), ErrorKind::Field);
}
