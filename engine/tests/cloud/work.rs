//! What one client does: make an instance, work with it, leave it, delete it.

use std::fs;
use std::time::Duration;

use holotype::instance::find_or_join;
use holotype::instance::settings::{InstanceSettings, plan_cache_clear};
use holotype::{
    ErrorKind, Event, InitOptions, Instance, InstanceDeletion, NewArtifact, NewStorage, RunChoice,
};

use crate::client::{Client, DATABASE, label, labels, labels_in};
use crate::stores::server::{MOTO, S3S};

#[test]
fn an_instance_is_made_used_and_left() {
    let ann = Client::new(&MOTO.root(), Some("ann"));
    let instance = ann.init().unwrap();
    let initialized = Event::Initialized { slug: "ann/atlas".to_owned(), dir: ann.env.cwd.clone() };
    assert_eq!(ann.told(), [ann.push(false), Event::CloudLocked, initialized]);
    for key in [DATABASE, ".lamindb/storage_uid.txt"] {
        assert!(ann.bucket().exists(key).unwrap(), "{key}");
    }
    let storage = instance.registry("Storage").unwrap().one().unwrap();
    assert_eq!((storage.text("root"), storage.text("type")), (Some(ann.root.as_str()), Some("s3")));
    assert_eq!(ann.lock(&format!("numbers/{}", ann.user())).as_deref(), Some("1"));

    label(&instance, "one").unwrap();
    instance.leave().unwrap();
    assert_eq!(ann.told(), [ann.push(false)], "a lock taken by init stays");
    instance.leave().unwrap();
    assert_eq!(ann.told(), [], "nothing is sent twice");
    drop(instance);
    let instance = ann.connect().unwrap();
    assert_eq!(labels(&instance), ["one"]);
    instance.hold(Duration::ZERO).unwrap();
    label(&instance, "two").unwrap();
    ann.told();
    instance.disconnect().unwrap();
    assert_eq!(ann.told(), [ann.push(true)]);
    assert_eq!(ann.lock(&format!("numbers/{}", ann.user())).as_deref(), Some("0"));
    assert_eq!(ann.lock("holotype"), None);

    // The file is what the format says: no log, one file.
    assert_eq!(ann.bucket().read(DATABASE).unwrap()[18..20], [1, 1]);
    assert_eq!(ann.labels_in_the_cloud(), ["one", "two"]);
}

#[test]
fn a_first_write_takes_the_lock_and_leaving_gives_it_back() {
    let (ann, instance) = Client::with_instance();
    instance.disconnect().unwrap();
    let ben = ann.colleague(Some("ben"));
    let number = || ben.lock(&format!("numbers/{}", ben.user()));
    let reading = ben.connect().unwrap();
    assert_eq!(number().as_deref(), Some("1"), "a new user is a write");
    reading.leave().unwrap();
    assert_eq!((number().as_deref(), ben.told().last()), (Some("0"), Some(&ben.push(true))));
    drop(reading);
    let reading = ben.connect().unwrap();
    assert_eq!((labels(&reading).len(), number().as_deref()), (0, Some("0")));
    let writing = reading;
    label(&writing, "one").unwrap();
    assert_eq!(number().as_deref(), Some("1"));
    writing.send().unwrap();
    assert_eq!((number().as_deref(), ben.labels_in_the_cloud()), (Some("1"), vec!["one".to_owned()]));
    label(&writing, "two").unwrap();
    writing.leave().unwrap();
    assert_eq!(number().as_deref(), Some("0"));
    assert_eq!(labels(&ann.connect().unwrap()), ["one", "two"]);
}

#[test]
fn processes_of_one_machine_share_the_copy_and_the_last_one_unlocks() {
    let (ann, instance) = Client::with_instance();
    instance.disconnect().unwrap();
    let number = || ann.lock(&format!("numbers/{}", ann.user())).unwrap();
    let (one, two) = (ann.connect().unwrap(), ann.connect().unwrap());
    label(&one, "one").unwrap();
    label(&two, "two").unwrap();
    assert_eq!(labels(&one), ["one", "two"]);
    one.leave().unwrap();
    assert_eq!((number(), ann.labels_in_the_cloud().len()), ("1".to_owned(), 2));
    label(&two, "three").unwrap();
    two.leave().unwrap();
    assert_eq!((number(), ann.labels_in_the_cloud().len()), ("0".to_owned(), 3));
    // Disconnecting while another one works sends, and leaves unlocking to the last one.
    one.hold(Duration::ZERO).unwrap();
    label(&two, "four").unwrap();
    one.disconnect().unwrap();
    assert_eq!((number(), ann.labels_in_the_cloud().len()), ("1".to_owned(), 4));
    two.leave().unwrap();
    assert_eq!(number(), "0");
}

#[test]
fn artifacts_go_to_the_bucket_and_come_back_elsewhere() {
    let (ann, instance) = Client::with_instance();
    let path = ann.env.cwd.join("x.txt");
    fs::write(&path, "content").unwrap();
    let new = NewArtifact { run: RunChoice::None, ..NewArtifact::new(path.to_str().unwrap()).key("x.txt") };
    let mut artifact = instance.artifact(new).unwrap();
    instance.save_artifact(&mut artifact).unwrap();
    instance.disconnect().unwrap();
    let ben = ann.colleague(Some("ben"));
    let elsewhere = ben.connect().unwrap();
    let found = elsewhere.registry("Artifact").unwrap().one().unwrap();
    assert_eq!(fs::read_to_string(elsewhere.cache(&found).unwrap()).unwrap(), "content");
}

#[test]
fn the_database_stays_where_it_was_made() {
    let (ann, instance) = Client::with_instance();
    let other = MOTO.root();
    let storage = instance.create_storage(&NewStorage::new(&other)).unwrap();
    instance.use_storage(&storage).unwrap();
    label(&instance, "one").unwrap();
    instance.disconnect().unwrap();
    assert_eq!(ann.labels_in_the_cloud(), ["one"]);
    assert!(!Client::new(&other, None).bucket().exists(DATABASE).unwrap());
}

#[test]
fn init_joins_what_is_there_and_refuses_what_is_somebodys() {
    let (ann, instance) = Client::with_instance();
    label(&instance, "one").unwrap();
    instance.disconnect().unwrap();
    let elsewhere = Client::new(&ann.root, Some("ann"));
    let joined = elsewhere.init().unwrap();
    assert_eq!(labels(&joined), ["one"]);
    for registry in ["Storage", "User"] {
        assert_eq!(joined.registry(registry).unwrap().count().unwrap(), 1, "{registry}");
    }
    joined.disconnect().unwrap();
    assert_eq!(labels(&ann.init().unwrap()), ["one"]);

    let ben = Client::new(&ann.root, Some("ben"));
    let error = ben.init().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::StorageAlreadyManaged);
    assert!(error.message().contains("ann/atlas"), "{error}");
    assert!(InstanceSettings::list(&ben.env).is_empty());
    // A mark that was taken away does not make the place free.
    ann.bucket().remove(".lamindb/storage_uid.txt").unwrap();
    assert_eq!(ben.init().err().unwrap().kind(), ErrorKind::FileExists);
    let read_only =
        InitOptions { storage: Some("https://example.org/x".to_owned()), ..InitOptions::default() };
    assert_eq!(Instance::init(&ben.env, &read_only).err().unwrap().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_database_that_is_only_here_is_named_with_both_places() {
    let (ann, instance) = Client::with_instance();
    instance.disconnect().unwrap();
    drop(instance);
    ann.bucket().remove(DATABASE).unwrap();
    for error in [ann.connect().err().unwrap(), ann.init().err().unwrap()] {
        assert_eq!(error.kind(), ErrorKind::SyncConflict);
        for place in [ann.copy().display().to_string(), "some/prefix/.lamindb/lamin.db".to_owned()] {
            assert!(error.message().contains(&place), "{error}");
        }
    }
    assert!(ann.copy().exists());
    let ben = ann.colleague(Some("ben"));
    assert_eq!(ben.connect().err().unwrap().kind(), ErrorKind::FileNotFound);
}

#[test]
fn deleting_an_instance_takes_everything_of_it() {
    let (ann, instance) = Client::with_instance();
    label(&instance, "one").unwrap();
    let settings = ann.settings();
    let ben = ann.colleague(Some("ben"));
    let refused = InstanceDeletion::plan(&ben.env, &settings).unwrap().apply(&ben.env, true).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InstanceLocked);
    ann.bucket().write(".lamindb/left.txt", b"left", true).unwrap();
    let refused = InstanceDeletion::plan(&ann.env, &settings).unwrap().apply(&ann.env, true).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StorageNotEmpty);
    assert!(
        refused
            .message()
            .ends_with("some/prefix/.lamindb/left.txt\ndelete them prior to deleting the storage location")
    );
    ann.bucket().remove(".lamindb/left.txt").unwrap();
    let plan = InstanceDeletion::plan(&ann.env, &settings).unwrap();
    let copy = ann.copy();
    plan.apply(&ann.env, true).unwrap();
    assert!(ann.bucket().list("").unwrap().is_empty());
    assert!(!copy.exists() && InstanceSettings::list(&ann.env).is_empty());
    plan.apply(&ann.env, true).unwrap();
    drop(instance);
    assert!(labels(&ann.init().unwrap()).is_empty(), "the place is free again");
}

#[test]
fn clearing_the_cache_keeps_what_was_set_aside() {
    let (ann, instance) = Client::with_instance();
    label(&instance, "one").unwrap();
    drop(instance);
    let kept = ann.copy().with_file_name("lamin.db.kept-20260102030405");
    fs::copy(ann.copy(), &kept).unwrap();
    Instance::disconnect_from_all(&ann.env).unwrap();
    plan_cache_clear(&ann.env).unwrap().apply().unwrap();
    assert_eq!((ann.copy().exists(), ann.kept()), (false, vec![kept]));
    assert_eq!(labels(&ann.connect().unwrap()), ["one"]);
}

#[test]
fn a_newer_level_in_the_bucket_is_refused_and_the_copy_stays() {
    let (ann, instance) = Client::with_instance();
    instance.disconnect().unwrap();
    drop(instance);
    let file = ann.dir.join("newer.db");
    fs::write(&file, ann.bucket().read(DATABASE).unwrap()).unwrap();
    let connection = rusqlite::Connection::open(&file).unwrap();
    let row = "INSERT INTO django_migrations (app, name, applied) VALUES ('lamindb', '9999_x', '2030-01-01')";
    connection.execute(row, []).unwrap();
    drop(connection);
    ann.bucket().write(DATABASE, &fs::read(&file).unwrap(), true).unwrap();
    let error = ann.connect().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnknownDatabase);
    assert!(error.message().contains("newer level"), "{error}");
    assert!(labels_in(&ann.copy()).is_empty());
}

#[test]
fn a_server_that_checks_signatures_does_as_well() {
    let ann = Client::new(&S3S.root(), Some("ann"));
    let instance = ann.init().unwrap();
    label(&instance, "one").unwrap();
    instance.disconnect().unwrap();
    let ben = ann.colleague(Some("ben"));
    let elsewhere = ben.connect().unwrap();
    assert_eq!(labels(&elsewhere), ["one"]);
    label(&elsewhere, "two").unwrap();
    elsewhere.disconnect().unwrap();
    assert_eq!(ann.labels_in_the_cloud(), ["one", "two"]);
}

#[test]
fn somebody_else_joins_by_the_url_of_the_bucket() {
    let (ann, instance) = Client::with_instance();
    label(&instance, "one").unwrap();
    instance.disconnect().unwrap();
    let ben = Client::new(&ann.root, Some("ben"));
    let settings = find_or_join(&ben.env, &ann.root.replace('?', "/?")).unwrap();
    assert_eq!(settings, ann.settings());
    assert_eq!(labels(&ben.connect().unwrap()), ["one"]);
    assert!(ann.locks().holders.is_empty());
    let by_name = find_or_join(&ben.env, "ann/atlas").unwrap();
    assert_eq!(by_name, settings);
    let empty = find_or_join(&ben.env, &MOTO.root()).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::InstanceNotFound);
    let second = MOTO.root();
    ann.connect().unwrap().create_storage(&NewStorage::new(&second)).unwrap();
    let error = find_or_join(&ben.env, &second).unwrap_err();
    assert!(error.message().contains("ann/atlas, whose database lies elsewhere"), "{error}");
}
