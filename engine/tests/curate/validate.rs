//! `validate` and `inspect`, with their messages.

use holotype::curate::Scope;
use holotype::testing::Scratch;
use holotype::{Event, Value};

use super::{cell_type, label, registry, saved};

#[test]
fn validation_is_exact_and_aligned_with_the_input() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    label(&scratch, "apple");
    let values = ["apple", "Kiwi", "foo", "foo", "", "Apple"];
    let mask = instance.validate(registry("ULabel"), &values, None, &Scope::default()).unwrap();
    assert_eq!(mask, [true, false, false, false, false, false]);
    assert_eq!(
        scratch.events(),
        [
            Event::TermsReceived { unique: 4, ignored: 2 },
            Event::TermsValidated { valid: 1, unique: 4, field: "name".into() },
            Event::TermsNotValidated {
                terms: vec!["Kiwi".into(), "foo".into(), "Apple".into()],
                unique: 4,
                field: "name".into(),
            },
        ]
    );
    let mute = Scope { mute: true, ..Scope::default() };
    instance.validate(registry("ULabel"), &values, None, &mute).unwrap();
    assert_eq!(scratch.events(), []);
}

#[test]
fn only_what_applies_is_said() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    label(&scratch, "apple");
    let check =
        |values: &[&str]| instance.validate(registry("ULabel"), values, None, &Scope::default()).unwrap();
    check(&["apple"]);
    assert_eq!(scratch.events(), [Event::TermsValidated { valid: 1, unique: 1, field: "name".into() }]);
    check(&["x"]);
    assert!(matches!(scratch.events()[..], [Event::TermsNotValidated { .. }]));
    assert_eq!(check(&[]), [false; 0]);
    assert_eq!(scratch.events(), [Event::Warning("input has zero length".into())]);
}

#[test]
fn an_inspection_tells_synonyms_from_unknown_values() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    cell_type(&scratch, "T cell", "T-lymphocyte|T lymphocyte");
    let values = ["T cell", "T-lymphocyte", "foo", "foo", "t CELL", ""];
    let result = instance.inspect(registry("bionty.CellType"), &values, None, &Scope::default()).unwrap();
    assert_eq!(result.field, "name");
    assert_eq!(result.mask, [true, false, false, false, false, false]);
    assert_eq!(result.validated, ["T cell"]);
    assert_eq!(result.non_validated, ["T-lymphocyte", "foo", "t CELL"]);
    let pair = |synonym: &str| (synonym.to_owned(), "T cell".to_owned());
    assert_eq!(result.synonyms, [pair("T-lymphocyte"), pair("t CELL")]);
    assert_eq!((result.n_unique, result.n_empty, result.frac_validated), (4, 2, 25.0));
    let events = scratch.events();
    assert_eq!(events.len(), 4);
    assert_eq!(
        events[3],
        Event::TermsInspected {
            registry: "CellType",
            synonyms: vec!["T-lymphocyte".into(), "t CELL".into()],
            unknown: vec!["foo".into()],
        }
    );
}

#[test]
fn shares_are_percentages_to_one_decimal() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    label(&scratch, "apple");
    let share = |values: &[&str]| {
        instance.inspect(registry("ULabel"), values, None, &Scope::default()).unwrap().frac_validated
    };
    assert_eq!(share(&["apple", "x", "y"]), 33.3);
    assert_eq!(share(&["apple"]), 100.0);
    assert_eq!(share(&["x"]), 0.0);
    assert_eq!(share(&[]), 0.0);
    let all_valid = scratch.events();
    let inspected = all_valid.iter().filter(|event| matches!(event, Event::TermsInspected { .. })).count();
    assert_eq!(inspected, 2, "nothing to add where everything is valid or there is nothing");
}

#[test]
fn a_scope_restricts_what_counts() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    let instance = scratch.instance();
    let [human, mouse] =
        ["human", "mouse"].map(|name| saved(&scratch, "bionty.Organism", &[("name", name.into())]));
    let sources = instance.registry("bionty.Source").unwrap().all().unwrap();
    let (one, other) = (sources[0].id(), sources[1].id());
    let fields: [(&str, Value); 3] =
        [("symbol", "TP53".into()), ("organism", human.id().into()), ("source", one.into())];
    saved(&scratch, "bionty.Gene", &fields);
    let valid =
        |scope: Scope| instance.validate(registry("bionty.Gene"), &["TP53"], None, &scope).unwrap()[0];
    assert!(valid(Scope::default()));
    assert!(valid(Scope { organism: human.id(), ..Scope::default() }));
    assert!(!valid(Scope { organism: mouse.id(), ..Scope::default() }));
    assert!(valid(Scope { source: other, ..Scope::default() }), "a source restricts only when it is strict");
    assert!(!valid(Scope { source: other, strict_source: true, ..Scope::default() }));
    assert!(valid(Scope { source: one, strict_source: true, ..Scope::default() }));
}
