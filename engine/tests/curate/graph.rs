//! Parents, children, types and members, however far away.

use holotype::testing::Scratch;
use holotype::{ErrorKind, Record};

use super::{label, names, saved};

fn link(scratch: &Scratch, child: &Record, parent: &Record) {
    scratch.instance().link(child, "parents", &[parent.id().unwrap()]).unwrap();
}

#[test]
fn ancestors_and_descendants_come_nearest_first() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let [top, left, right, bottom] = ["top", "left", "right", "bottom"].map(|name| label(&scratch, name));
    link(&scratch, &bottom, &right);
    link(&scratch, &bottom, &left);
    link(&scratch, &left, &top);
    link(&scratch, &right, &top);
    link(&scratch, &bottom, &top);
    let parents = instance.query_parents(&bottom).unwrap();
    assert_eq!(
        names(&parents.all().unwrap()),
        ["top", "left", "right"],
        "each once, however many ways lead there"
    );
    assert_eq!(names(&instance.query_children(&top).unwrap().all().unwrap()), ["left", "right", "bottom"]);
    assert_eq!(instance.query_children(&bottom).unwrap().count().unwrap(), 0);
    let filtered = parents.filter(holotype::Q::is("name__startswith", "t")).unwrap();
    assert_eq!(names(&filtered.all().unwrap()), ["top"], "the result is a query");
}

#[test]
fn loops_end_where_they_begin() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let [a, b, c] = ["a", "b", "c"].map(|name| label(&scratch, name));
    link(&scratch, &a, &b);
    link(&scratch, &b, &c);
    link(&scratch, &c, &a);
    link(&scratch, &a, &a);
    assert_eq!(names(&instance.query_parents(&a).unwrap().all().unwrap()), ["b", "c"]);
    assert_eq!(names(&instance.query_children(&a).unwrap().all().unwrap()), ["c", "b"]);
}

#[test]
fn the_trash_is_walked_through_but_not_shown() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let [a, mut b, c] = ["a", "b", "c"].map(|name| label(&scratch, name));
    link(&scratch, &a, &b);
    link(&scratch, &b, &c);
    instance.trash(&mut b).unwrap();
    assert_eq!(names(&instance.query_parents(&a).unwrap().all().unwrap()), ["c"]);
}

#[test]
fn types_and_members_form_a_tree() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let kind = |name: &str, of: Option<&Record>| {
        let of = of.and_then(Record::id);
        saved(&scratch, "Record", &[("name", name.into()), ("is_type", true.into()), ("type", of.into())])
    };
    let sample = kind("Sample", None);
    let tissue = kind("Tissue", Some(&sample));
    let one = saved(&scratch, "Record", &[("name", "s1".into()), ("type", tissue.id().into())]);
    saved(&scratch, "Record", &[("name", "s2".into()), ("type", sample.id().into())]);
    assert_eq!(names(&instance.query_types(&one).unwrap().all().unwrap()), ["Tissue", "Sample"]);
    let members = |depth| instance.query_members(&sample, depth).unwrap().all().unwrap();
    assert_eq!(names(&members(None)), ["Tissue", "s2", "s1"]);
    assert_eq!(names(&members(Some(1))), ["Tissue", "s2"]);
    assert_eq!(instance.descendants(sample.registry(), sample.id().unwrap()).unwrap().len(), 3);
}

#[test]
fn what_cannot_be_walked_says_so() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let unsaved = Record::empty(super::registry("ULabel"));
    assert_eq!(instance.query_parents(&unsaved).unwrap_err().kind(), ErrorKind::Value);
    let space = instance.by_id(super::registry("Space"), 1).unwrap();
    assert_eq!(instance.query_parents(&space).unwrap_err().kind(), ErrorKind::Field);
    assert_eq!(instance.query_members(&space, None).unwrap_err().kind(), ErrorKind::Field);
}
