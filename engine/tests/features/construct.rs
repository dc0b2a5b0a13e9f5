//! New features.

use holotype::testing::Scratch;
use serde_json::json;

use crate::{feature, message, saved};

#[test]
fn a_type_is_needed_and_checked() {
    let scratch = Scratch::new().unwrap();
    let new = |dtype: Option<&str>| {
        scratch.instance().feature(&[("name", "x".into()), ("dtype", dtype.into())], true)
    };
    assert!(message(new(None)).starts_with("Please pass dtype, one of {'bool', 'date', "));
    assert!(message(new(Some("foo"))).starts_with("dtype is 'foo' but has to be one of {'bool', "));
    assert!(message(new(Some("cat[Nope]"))).starts_with("'Nope' is an invalid dtype"));
    assert!(message(new(Some("cat[Record[abc]]"))).starts_with("No record found with uid 'abc'."));
    let kind = saved(&scratch, "Record", &[("name", "Sample".into()), ("is_type", true.into())]);
    let dtype = format!("cat[Record[{}]]", kind.uid());
    let made = new(Some(&dtype)).unwrap();
    assert_eq!(made.text("_dtype_str"), Some(dtype.as_str()));
    assert!(made.flag("nullable"));
    let kind = scratch.instance().feature(&[("name", "T".into()), ("is_type", true.into())], true);
    assert_eq!(kind.unwrap().text("_dtype_str"), None);
}

#[test]
fn one_name_has_one_type() {
    let scratch = Scratch::new().unwrap();
    let first = feature(&scratch, "n_cells", "int");
    let again = |dtype: &str| {
        scratch.instance().feature(&[("name", "n_cells".into()), ("dtype", dtype.into())], true)
    };
    assert_eq!(again("int").unwrap().id(), first.id());
    assert_eq!(message(again("str")), "Feature n_cells already exists with dtype int, you passed str");
}

#[test]
fn filters_become_part_of_the_type() {
    let scratch = Scratch::new().unwrap();
    let given = [
        ("name", "disease".into()),
        ("dtype", "cat[bionty.Disease]".into()),
        ("cat_filters", json!({"source__uid": "6Oa6a7Pp", "is_locked": true}).into()),
    ];
    let made = scratch.instance().feature(&given, true).unwrap();
    let expected = "cat[bionty.Disease[source__uid=6Oa6a7Pp, is_locked=True]]";
    assert_eq!(made.text("_dtype_str"), Some(expected));
}
