//! Deleting an instance: refused while content is left, thorough otherwise, and repeatable.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;

use holotype::instance::settings::{InstanceSettings, bind};
use holotype::testing::Scratch;
use holotype::{ErrorKind, Event, InstanceDeletion, NewArtifact, RunChoice};

#[test]
fn database_marker_bindings_and_settings_go() {
    let scratch = Scratch::on_sqlite().unwrap();
    let instance = scratch.instance();
    let (env, settings) = (instance.env().clone(), instance.settings());
    let slug = settings.slug();
    settings.save_as_global(&env).unwrap();
    bind(&env, &env.cwd, &slug).unwrap();
    let plan = InstanceDeletion::plan(&env, &settings).unwrap();
    assert_eq!((&plan.root, plan.left.len()), (&scratch.root(), 0));
    assert!(scratch.root().join(".lamindb/lamin.db").exists(), "a plan changes nothing");
    plan.apply(&env, true).unwrap();
    assert!(!scratch.root().exists());
    assert!(!env.cwd.join(".lamin").exists());
    assert_eq!(InstanceSettings::find(&env, &slug).unwrap(), None);
    assert_eq!(InstanceSettings::find_global(&env).unwrap(), None);
    plan.apply(&env, true).unwrap();
}

#[test]
fn content_stands_in_the_way_unless_it_may_stay() {
    let scratch = Scratch::on_sqlite().unwrap();
    let instance = scratch.instance();
    scratch.file("a.txt", "one").unwrap();
    let new = NewArtifact { run: RunChoice::None, ..NewArtifact::new("a.txt").key("a.txt") };
    let mut artifact = instance.artifact(new).unwrap();
    instance.save_artifact(&mut artifact).unwrap();
    let place = instance.artifact_path(&artifact.record).unwrap();
    scratch.events();

    let (env, settings) = (instance.env().clone(), instance.settings());
    let plan = InstanceDeletion::plan(&env, &settings).unwrap();
    assert_eq!(plan.left, std::slice::from_ref(&place));
    let error = plan.apply(&env, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageNotEmpty);
    let list = format!("'{}/.lamindb' contains 1 objects:\n{}\n", scratch.root().display(), place.display());
    assert_eq!(error.message(), format!("{list}delete them prior to deleting the storage location"));
    assert!(scratch.root().join(".lamindb/lamin.db").exists());
    assert!(scratch.root().join(".lamindb/storage_uid.txt").exists());

    plan.apply(&env, false).unwrap();
    assert_eq!(scratch.events(), [Event::Warning(format!("{list}consider deleting them"))]);
    assert_eq!(fs::read_to_string(place).unwrap(), "one");
    assert!(!scratch.root().join(".lamindb/lamin.db").exists());
    assert!(!scratch.root().join(".lamindb/storage_uid.txt").exists());
    assert_eq!(InstanceSettings::find(&env, &settings.slug()).unwrap(), None);
}

#[test]
fn files_beside_the_instance_stay() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    fs::write(scratch.root().join("mine.txt"), "keep me").unwrap();
    fs::create_dir_all(scratch.root().join(".lamindb/_exclusion/x/numbers")).unwrap();
    InstanceDeletion::plan(instance.env(), &instance.settings())
        .unwrap()
        .apply(instance.env(), true)
        .unwrap();
    assert_eq!(fs::read_to_string(scratch.root().join("mine.txt")).unwrap(), "keep me");
    assert!(!scratch.root().join(".lamindb").exists());
}
