//! What a server limits, and what its databases and URLs may be set to.

use std::thread;

use holotype::db::{Db, Sql};
use holotype::{ErrorKind, NewArtifact, Value};

use super::cluster::{Cluster, PASSWORD};
use super::rights::{connect, login, run};
use super::{count, instance_on, label};

#[test]
fn threads_share_the_few_connections_of_a_login() {
    let cluster = Cluster::start();
    let (database, instance) = instance_on(&cluster, &cluster.env("one"));
    login(instance.db(), "few", "SELECT, INSERT, UPDATE, DELETE");
    run(instance.db(), "ALTER ROLE few CONNECTION LIMIT 2");
    let few = connect(&cluster, &database, "few", 6).unwrap();
    thread::scope(|scope| {
        for worker in 0..8 {
            let few = &few;
            scope.spawn(move || {
                for n in 0..5 {
                    few.save(&mut label(&format!("{worker} {n}"))).unwrap();
                    few.registry("ULabel").unwrap().count().unwrap();
                }
            });
        }
    });
    assert_eq!(count(instance.db(), "lamindb_ulabel"), 40);
}

#[test]
fn a_limit_on_statements_ends_the_wait_for_writers() {
    let cluster = Cluster::start();
    let (database, instance) = instance_on(&cluster, &cluster.env("one"));
    login(instance.db(), "hasty", "SELECT, INSERT, UPDATE, DELETE");
    run(instance.db(), "ALTER ROLE hasty SET statement_timeout = '300ms'");
    let hasty = connect(&cluster, &database, "hasty", 6).unwrap();
    instance
        .db()
        .write(|_| {
            let error = hasty.save(&mut label("apple")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
            assert!(error.message().contains("stayed locked by other writers"), "{error}");
            Ok(())
        })
        .unwrap();
    hasty.save(&mut label("apple")).unwrap();
    let error = hasty.db().each(&Sql::new("SELECT pg_sleep(2)"), &mut |_| Ok(())).unwrap_err();
    assert!(error.message().contains("statement_timeout"), "{error}");
}

/// Moments, texts and versions are the same whatever a database is set to.
#[test]
fn settings_of_a_database_change_nothing() {
    let cluster = Cluster::start();
    let env = cluster.env("one");
    let (database, instance) = instance_on(&cluster, &env);
    let name = database.url().split('?').next().and_then(|url| url.rsplit('/').next()).unwrap();
    for setting in [
        "timezone = 'Asia/Kolkata'",
        "datestyle = 'German, DMY'",
        "standard_conforming_strings = off",
        "default_transaction_isolation = serializable",
        "bytea_output = escape",
        "client_encoding = latin1",
    ] {
        run(instance.db(), format!("ALTER DATABASE {name} SET {setting}"));
    }
    let other = connect(&cluster, &database, "tester", 6).unwrap();
    let path = other.env().cwd.join("a.txt");
    std::fs::write(&path, "content").unwrap();
    let description = r"é\n 'x' 👩‍🔬";
    let mut new = NewArtifact::new(path.display().to_string()).key("a.txt");
    new.description = Some(description.to_owned());
    let mut saved = other.artifact(new).unwrap();
    other.save_artifact(&mut saved).unwrap();
    for instance in [&instance, &other] {
        let found = instance.get_uid(saved.record.registry(), saved.record.uid()).unwrap();
        assert_eq!(found.text("description"), Some(description));
        assert_eq!(found.get("created_at"), saved.record.get("created_at"));
        assert!(matches!(found.get("created_at"), Some(Value::DateTime(_))));
    }
    other.save(&mut label("apple")).unwrap();
}

#[test]
fn parameters_of_other_clients_are_understood_or_named() {
    let cluster = Cluster::start();
    let env = cluster.env("one");
    for parameters in [
        "target_session_attrs=primary",
        "target_session_attrs=prefer-standby",
        "gssencmode=disable&client_encoding=utf8&sslcompression=0&sslsni=1",
        "keepalives_idle=30&load_balance_hosts=random",
        "options=-c%20search_path%3Dpublic",
    ] {
        Db::connect(&env, &cluster.far("localhost", PASSWORD, parameters)).unwrap();
    }
    let url = cluster.far("localhost", PASSWORD, "").replace("localhost", "nowhere.invalid:1,localhost");
    Db::connect(&env, &url).unwrap();
    let error = Db::connect(&env, &cluster.far("localhost", PASSWORD, "service=lab")).err().unwrap();
    assert!(error.message().contains("the parameter service is not supported"), "{error}");
    let error =
        Db::connect(&env, &cluster.far("localhost", PASSWORD, "target_session_attrs=standby")).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Database, "{error}");
    // A schema that is not there is told when something is to be made in it.
    let url = cluster.far("localhost", PASSWORD, "options=-csearch_path%3Dlab");
    let lab = Db::connect(&env, &url).unwrap();
    let error = lab.script(&["CREATE TABLE x ()".to_owned()]).unwrap_err();
    assert!(error.message().contains("CREATE SCHEMA"), "{error}");
    let nul = Sql::new(r#"SELECT '"\u0000"'::jsonb"#);
    let error = lab.each(&nul, &mut |_| Ok(())).unwrap_err();
    assert!(error.kind() == ErrorKind::FieldValidation && error.message().contains("NUL"), "{error}");
}
