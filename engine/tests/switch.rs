//! Branches and spaces: creating, switching, and what the choice is remembered by.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use holotype::instance::settings::{Choice, Slot, chosen};
use holotype::testing::Scratch;
use holotype::{ErrorKind, Event, Instance};

fn choice(scratch: &Scratch, slot: Slot) -> Option<Choice> {
    let instance = scratch.instance();
    chosen(instance.env(), slot, &instance.settings().slug()).unwrap()
}

#[test]
fn a_switch_holds_for_this_session_and_the_next() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let branch = instance.switch_branch("feat", true).unwrap();
    assert_eq!(
        scratch.events(),
        [
            Event::Created { registry: "Branch", name: "feat".to_owned() },
            Event::Switched { name: "feat".to_owned() }
        ]
    );
    assert_eq!(instance.branch_id(), branch.id().unwrap());
    let remembered = choice(&scratch, Slot::Branch).unwrap();
    assert_eq!((remembered.uid.as_str(), remembered.name.as_str()), (branch.uid(), "feat"));
    let again = Instance::connect(instance.env(), &instance.settings()).unwrap();
    assert_eq!(again.branch_id(), branch.id().unwrap());

    instance.switch_branch("main", false).unwrap();
    assert_eq!((instance.branch_id(), choice(&scratch, Slot::Branch)), (1, None));
    instance.switch_branch(branch.uid(), false).unwrap();
    assert_eq!(instance.branch_id(), branch.id().unwrap());
}

#[test]
fn unknown_and_taken_names_are_refused_and_change_nothing() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let error = instance.switch_branch("zzz", false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotExist);
    assert_eq!(
        error.message(),
        "Branch 'zzz' does not exist. To create and switch, run: lamin switch -c zzz"
    );
    instance.create_branch("feat").unwrap();
    let error = instance.switch_branch("FEAT", true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BranchAlreadyExists);
    assert_eq!(error.message(), "Branch 'feat' already exists. Omit -c/--create to switch to it.");
    assert_eq!(instance.create_branch("feat").unwrap_err().message(), "Branch 'feat' already exists.");
    assert_eq!(instance.switch_space("zzz").unwrap_err().kind(), ErrorKind::DoesNotExist);
    assert_eq!((instance.context().branch, instance.context().space), (1, 1));
    assert_eq!(instance.registry("Branch").unwrap().count().unwrap(), 4);
}

#[test]
fn new_records_live_where_was_switched_to() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let mut space = holotype::Record::empty(holotype::model::require("Space").unwrap());
    space.set("name", "lab").unwrap();
    instance.save(&mut space).unwrap();
    let branch = instance.switch_branch("feat", true).unwrap().id();
    instance.switch_space("lab").unwrap();
    let label = holotype::model::require("ULabel").unwrap();
    let mut record = instance.construct(label, &[("name", "x".into())]).unwrap().record;
    instance.save(&mut record).unwrap();
    assert_eq!((record.int("branch_id"), record.int("space_id")), (branch, space.id()));
}
