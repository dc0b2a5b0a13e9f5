//! Getting to know an instance by its database: by its URL, and by what the environment says.

use std::path::PathBuf;

use holotype::db::Sql;
use holotype::instance::settings::{InstanceSettings, login_local};
use holotype::testing::{self, Database, Told};
use holotype::{Env, ErrorKind, Event, InitOptions, Instance};

use super::cluster::{Cluster, PASSWORD};
use super::label;

/// An instance of one user with a label in it, and the database it is in.
fn shared(cluster: &Cluster) -> (Database, Instance) {
    let env = cluster.env("one");
    let database = Database::on(&env, &cluster.far("localhost", PASSWORD, "")).unwrap();
    let options = InitOptions {
        storage: Some(cluster.dir.path().join("store").display().to_string()),
        name: Some("shared".to_owned()),
        db: Some(database.url().to_owned()),
        modules: vec!["bionty".to_owned()],
    };
    login_local(&env, "ada", None, None).unwrap();
    let instance = Instance::init(&env, &options).unwrap();
    instance.save(&mut label("apple")).unwrap();
    (database, instance)
}

/// Returns somebody else's machine and what it tells.
fn machine(cluster: &Cluster, seed: u64) -> (Env, Told) {
    testing::env(&cluster.dir.path().join("bob"), seed).unwrap()
}

fn bob(cluster: &Cluster) -> Env {
    let env = machine(cluster, 6).0;
    login_local(&env, "bob", None, None).unwrap();
    env
}

fn labels(instance: &Instance) -> usize {
    instance.registry("ULabel").unwrap().count().unwrap()
}

fn run(instance: &Instance, sql: &str) {
    instance.db().each(&Sql::new(sql), &mut |_| Ok(())).unwrap();
}

fn file(env: &Env) -> PathBuf {
    env.home.join(".lamin/instance--ada--shared.env")
}

#[test]
fn colleagues_join_by_the_url_of_the_database() {
    let cluster = Cluster::start();
    let (database, instance) = shared(&cluster);
    let bob = bob(&cluster);
    let joined = Instance::connect_to(&bob, database.url()).unwrap();
    assert_eq!(joined.settings(), instance.settings());
    assert_eq!((joined.settings().modules.join(","), labels(&joined)), ("bionty".to_owned(), 1));
    joined.save(&mut label("pear")).unwrap();
    // From now on it has a name here.
    assert_eq!(labels(&Instance::connect_to(&bob, "ada/shared").unwrap()), 2);
    let users = instance.registry("User").unwrap().order_by(["id"]).unwrap().all().unwrap();
    let handles: Vec<_> = users.iter().filter_map(|user| user.text("handle")).collect();
    assert_eq!(handles, ["ada", "bob"]);
    // The same instance by another way to it: what is known of it stays.
    let local = database.url().replace("localhost", "127.0.0.1");
    joined.settings().save(&bob).unwrap();
    let settings = Instance::connect_to(&bob, &local).unwrap().settings();
    assert_eq!(settings.db.as_deref(), Some(local.as_str()));
    let found = InstanceSettings::find(&bob, &settings.slug()).unwrap();
    assert_eq!(found, Some(settings), "the way that works is remembered");

    // A database that LaminDB made holds no note: the mark of a storage location says the same.
    run(&instance, "DELETE FROM holotype_meta WHERE key = 'instance'");
    std::fs::remove_file(file(&bob)).unwrap();
    assert_eq!(Instance::connect_to(&bob, database.url()).unwrap().settings(), instance.settings());
    std::fs::remove_file(file(&bob)).unwrap();
    run(&instance, "DELETE FROM holotype_meta WHERE key = 'instance'");
    let mark = cluster.dir.path().join("store/.lamindb/storage_uid.txt");
    let text = std::fs::read_to_string(&mark).unwrap();
    std::fs::remove_file(&mark).unwrap();
    let error = Instance::connect_to(&bob, database.url()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InstanceNotFound, "{error}");
    assert!(error.message().contains("store") && !error.message().contains(PASSWORD), "{error}");
    assert!(!file(&bob).exists());
    // Whoever knows it writes the note.
    Instance::connect_to(&cluster.env("one"), "ada/shared").unwrap();
    assert_eq!(labels(&Instance::connect_to(&bob, database.url()).unwrap()), 2);
    std::fs::write(&mark, text).unwrap();
}

#[test]
fn what_is_no_instance_or_another_one_is_refused() {
    let cluster = Cluster::start();
    let (database, instance) = shared(&cluster);
    let bob = bob(&cluster);
    let empty = Database::on(&bob, &cluster.url()).unwrap();
    let error = Instance::connect_to(&bob, empty.url()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnknownDatabase, "{error}");
    // Another instance of the same name is known: its settings stay.
    let other = InstanceSettings { id: "0".repeat(32), db: None, ..instance.settings() };
    other.save(&bob).unwrap();
    let error = Instance::connect_to(&bob, database.url()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    assert_eq!(InstanceSettings::find(&bob, &other.slug()).unwrap(), Some(other));
    // Whoever initialises there by another name learns how to get in.
    let options = InitOptions {
        storage: Some(cluster.dir.path().join("store").display().to_string()),
        name: Some("mine".to_owned()),
        db: Some(database.url().to_owned()),
        modules: Vec::new(),
    };
    let error = Instance::init(&bob, &options).err().unwrap();
    assert!(error.message().contains("to work with ada/shared, connect with the URL"), "{error}");
}

#[test]
fn the_environment_names_the_database() {
    let cluster = Cluster::start();
    let (database, instance) = shared(&cluster);
    let bob = bob(&cluster);
    let with = |name: &str, value: &str| bob.clone().with_vars([(name.to_owned(), value.to_owned())]);
    let named = with("LAMINDB_INSTANCE_DB", database.url());
    let error = Instance::connect_to(&named, "ada/other").err().unwrap();
    assert!(error.message().contains("holds ada/shared"), "{error}");
    assert_eq!(labels(&Instance::connect_to(&named, "ada/shared").unwrap()), 1);
    // The password was passed so that it is in no file.
    let text = std::fs::read_to_string(file(&bob)).unwrap();
    assert!(text.contains("postgresql://tester@localhost") && !text.contains(PASSWORD), "{text}");
    let error = Instance::connect_to(&bob, "ada/shared").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.message().contains("PGPASSWORD or ~/.pgpass"), "{error}");
    let again = Instance::connect_to(&named, "ada/shared").unwrap();
    again.settings().save(&bob).unwrap();
    assert_eq!(std::fs::read_to_string(file(&bob)).unwrap(), text, "nor does it get into it later");
    // Who initialises there again has it, too; whoever names a database means that one.
    let again = InitOptions {
        storage: Some(instance.settings().storage_root),
        name: Some("shared".to_owned()),
        ..InitOptions::default()
    };
    login_local(&named, "ada", None, None).unwrap();
    assert_eq!(labels(&Instance::init(&named, &again).unwrap()), 1);
    login_local(&named, "bob", None, None).unwrap();
    let own = Database::on(&bob, &cluster.url()).unwrap();
    let options = InitOptions {
        storage: Some("elsewhere".to_owned()),
        name: Some("own".to_owned()),
        db: Some(own.url().to_owned()),
        modules: Vec::new(),
    };
    assert_eq!(labels(&Instance::init(&named, &options).unwrap()), 0);
    std::fs::remove_dir_all(bob.cwd.join(".lamin")).unwrap();
    // It says nothing of instances that are in a file.
    let options = InitOptions { storage: Some("here".to_owned()), ..InitOptions::default() };
    let here = Instance::init(&named, &options).unwrap();
    assert_eq!(here.db().dialect(), holotype::db::Dialect::Sqlite);
    assert_eq!(labels(&Instance::connect_to(&named, "bob/here").unwrap()), 0);
    // The password may as well come from the environment or a file of its own.
    let password = "t:st@pw";
    assert_eq!(labels(&Instance::connect_to(&with("PGPASSWORD", password), "ada/shared").unwrap()), 1);
    let passwords = bob.home.join(".pgpass");
    std::fs::write(&passwords, format!("localhost:{}:*:tester:t\\:st@pw\n", cluster.port())).unwrap();
    let permit = |mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&passwords, permissions).unwrap();
    };
    permit(0o644);
    let (open, told) = machine(&cluster, 7);
    assert!(Instance::connect_to(&open, "ada/shared").is_err());
    let warned =
        told.take().iter().any(|event| matches!(event, Event::Warning(text) if text.contains("chmod 600")));
    assert!(warned, "a file that others may read is no place for passwords");
    permit(0o600);
    assert_eq!(labels(&Instance::connect_to(&open, "ada/shared").unwrap()), 1);

    // Django's variable replaces every other address, and says so.
    let elsewhere = Database::on(&bob, &cluster.url()).unwrap();
    let astray = with("LAMINDB_DJANGO_DATABASE_URL", elsewhere.url());
    let error = Instance::connect_to(&astray, "ada/shared").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnknownDatabase, "{error}");
    let (env, told) = machine(&cluster, 8);
    let env = env.with_vars([("LAMINDB_DJANGO_DATABASE_URL".to_owned(), database.url().to_owned())]);
    assert_eq!(labels(&Instance::connect_to(&env, "ada/shared").unwrap()), 1);
    let said = format!("{:?}", told.take());
    assert!(said.contains("LAMINDB_DJANGO_DATABASE_URL") && !said.contains(PASSWORD), "{said}");
    assert_eq!(labels(&instance), 1);
}
