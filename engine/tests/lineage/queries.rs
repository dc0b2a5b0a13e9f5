//! `upstream` and `downstream` as queries.

use holotype::{Q, Record};

use super::Lab;

fn keys(found: &holotype::QuerySet) -> Vec<String> {
    found.all().unwrap().iter().map(|record| record.text("key").unwrap().to_owned()).collect()
}

/// Returns the artifacts a0 > run > a1 > run > …
fn chain(lab: &Lab, n: usize) -> Vec<Record> {
    let mut made = vec![lab.artifact("a0", None)];
    for i in 1..n {
        let run = lab.run("step", &[&made[i - 1]]);
        made.push(lab.artifact(&format!("a{i}"), Some(&run)));
    }
    made
}

#[test]
fn the_nearest_come_first_and_depth_counts() {
    let lab = Lab::new();
    let made = chain(&lab, 5);
    let up = |depth| keys(&lab.instance().upstream(&made[4], depth).unwrap());
    assert_eq!(up(None), ["a3", "a2", "a1", "a0"]);
    assert_eq!(up(Some(2)), ["a3", "a2"]);
    assert_eq!(up(Some(0)), Vec::<String>::new());
    assert_eq!(keys(&lab.instance().downstream(&made[0], Some(1)).unwrap()), ["a1"]);
    assert_eq!(lab.instance().downstream(&made[4], None).unwrap().count().unwrap(), 0);
}

#[test]
fn they_are_queries_like_any_other() {
    let lab = Lab::new();
    let made = chain(&lab, 5);
    let up = lab.instance().upstream(&made[4], None).unwrap();
    assert_eq!(keys(&up.filter(Q::is("key__in", vec!["a0", "a2"])).unwrap()), ["a2", "a0"]);
    assert_eq!(keys(&up.order_by(["key"]).unwrap()), ["a0", "a1", "a2", "a3"]);
    assert_eq!(up.slice(1, Some(3)).count().unwrap(), 2);
    let by_code = lab.instance().registry("Artifact").unwrap().filter(Q::is("run__transform__key", "step"));
    assert_eq!(by_code.unwrap().count().unwrap(), 4);
}

#[test]
fn runs_and_transforms_have_both_sides() {
    let lab = Lab::new();
    let made = chain(&lab, 3);
    let first = lab.instance().registry("Run").unwrap().first().unwrap().unwrap();
    assert_eq!(keys(&lab.instance().upstream(&first, None).unwrap()), ["a0"]);
    assert_eq!(keys(&lab.instance().downstream(&first, None).unwrap()), ["a1", "a2"]);
    let transform = lab.instance().registry("Transform").unwrap().one().unwrap();
    assert_eq!(lab.instance().downstream(&transform, None).unwrap().count().unwrap(), 2);
    assert_eq!(made.len(), 3);
}

#[test]
fn the_trash_is_walked_through_but_not_returned() {
    let lab = Lab::new();
    let mut made = chain(&lab, 4);
    lab.instance().trash(&mut made[2]).unwrap();
    assert_eq!(keys(&lab.instance().upstream(&made[3], None).unwrap()), ["a1", "a0"]);
}
