//! Logins that may do less than everything, and databases that LaminDB made: without our tables, and without those of bionty.

use holotype::db::{Db, Sql};
use holotype::instance::settings::login_local;
use holotype::testing::{self, Database};
use holotype::{Error, ErrorKind, Instance, NewArtifact, Result};

use super::cluster::Cluster;
use super::{count, instance_on, label};

pub(super) fn run(db: &Db, sql: impl AsRef<str>) {
    db.each(&Sql::new(sql.as_ref()), &mut |_| Ok(())).unwrap();
}

/// Makes a login with these rights on all tables that are there.
pub(super) fn login(db: &Db, role: &str, rights: &str) {
    run(db, format!("CREATE ROLE {role} LOGIN"));
    run(db, format!("GRANT {rights} ON ALL TABLES IN SCHEMA public TO {role}"));
}

/// Makes the database one that LaminDB could have made: without tables of ours, and without a module that is not used.
fn as_lamindb_made_it(db: &Db) {
    run(
        db,
        "DO $$ DECLARE one record; BEGIN \
         FOR one IN SELECT tablename FROM pg_tables WHERE tablename ~ '^(holotype|bionty)_' LOOP \
         EXECUTE format('DROP TABLE %I CASCADE', one.tablename); END LOOP; END $$",
    );
}

/// Connects as a login from a machine that knows nothing yet.
pub(super) fn connect(cluster: &Cluster, database: &Database, role: &str, seed: u64) -> Result<Instance> {
    let env = testing::env(&cluster.dir.path().join(format!("{role}{seed}")), seed)?.0;
    login_local(&env, role, None, None)?;
    Instance::connect_to(&env, &database.url().replace("tester@", &format!("{role}@")))
}

/// Saves a file, describes it, and deletes it for good.
fn work(instance: &Instance, key: &str) -> Result<()> {
    let path = instance.env().cwd.join(key);
    std::fs::write(&path, key).unwrap();
    let mut artifact = instance.artifact(NewArtifact::new(path.display().to_string()).key(key))?;
    instance.save_artifact(&mut artifact)?;
    instance
        .features_of(artifact.record.registry(), &artifact.record.id().into_iter().collect::<Vec<_>>())?;
    instance.describe(&artifact.record)?;
    let mut gone = label(key);
    instance.save(&mut gone)?;
    instance.delete(&mut gone)?;
    let plan = instance.plan_delete(artifact.record.registry(), artifact.record.id().as_slice())?;
    assert_eq!(instance.apply_delete(&plan)?, 1);
    Ok(())
}

fn labels(instance: &Instance) -> usize {
    instance.registry("ULabel").unwrap().count().unwrap()
}

fn denied(error: Error, says: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    for part in says {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

#[test]
fn each_login_does_what_it_may() {
    let cluster = Cluster::start();
    let (database, instance) = instance_on(&cluster, &cluster.env("one"));
    instance.save(&mut label("apple")).unwrap();
    let db = instance.db();
    login(db, "reader", "SELECT");
    login(db, "writer", "SELECT, INSERT, UPDATE, DELETE");
    work(&connect(&cluster, &database, "writer", 6).unwrap(), "a.txt").unwrap();
    let reading = connect(&cluster, &database, "reader", 7).unwrap();
    assert_eq!(labels(&reading), 1);
    denied(
        work(&reading, "b.txt").unwrap_err(),
        &[
            "read-only for reader",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO reader",
        ],
    );
    // Of our own tables, not all were granted.
    run(db, "REVOKE INSERT ON holotype_content, holotype_run FROM writer");
    let partly = connect(&cluster, &database, "writer", 8).unwrap();
    assert_eq!(labels(&partly), 1);
    denied(work(&partly, "c.txt").unwrap_err(), &["ON holotype_content, holotype_run TO writer"]);
    run(db, "REVOKE ALL ON holotype_meta FROM writer");
    let unread = connect(&cluster, &database, "writer", 9).err().unwrap();
    denied(unread, &["GRANT", "ON holotype_meta TO writer", "SELECT alone"]);
    run(db, "REVOKE USAGE ON SCHEMA public FROM PUBLIC");
    let unseen = connect(&cluster, &database, "reader", 10).err().unwrap();
    denied(unseen, &["GRANT USAGE ON SCHEMA public TO reader"]);
    run(db, "GRANT USAGE ON SCHEMA public TO PUBLIC");
    let elsewhere = format!("{}&options=-csearch_path%3Dlab", database.url());
    let error = Instance::connect_to(&cluster.env("one"), &elsewhere).err().unwrap();
    assert!(error.message().contains("options=-csearch_path%3Dpublic"), "{error}");
    // What the database alone can refuse is told as well.
    run(db, "GRANT ALL ON ALL TABLES IN SCHEMA public TO writer");
    run(db, "REVOKE INSERT ON lamindb_ulabel FROM writer");
    let error = connect(&cluster, &database, "writer", 11).unwrap().save(&mut label("pear")).unwrap_err();
    denied(error, &["lamindb_ulabel", "GRANT"]);
}

#[test]
fn a_database_of_lamindb_is_read_before_and_written_after_its_owner_came() {
    let cluster = Cluster::start();
    let (database, instance) = instance_on(&cluster, &cluster.env("one"));
    instance.save(&mut label("apple")).unwrap();
    let db = instance.db();
    as_lamindb_made_it(db);
    login(db, "reader", "SELECT");
    login(db, "writer", "SELECT, INSERT, UPDATE, DELETE");
    for (role, says) in
        [("writer", ["connect with Holotype once", "schema public"]), ("reader", ["GRANT", "reader"])]
    {
        let reading = connect(&cluster, &database, role, 6).unwrap();
        assert_eq!(labels(&reading), 1);
        let first = reading.registry("ULabel").unwrap().one_or_first().unwrap();
        reading.describe(&first).unwrap();
        denied(work(&reading, "a.txt").unwrap_err(), &says);
    }
    assert!(db.present(&["holotype_meta"]).unwrap().is_empty());
    // The owner lets all who may use artifacts use the tables of ours as well.
    let owner = connect(&cluster, &database, "tester", 7).unwrap();
    assert!(owner.settings().modules.is_empty());
    work(&owner, "b.txt").unwrap();
    work(&connect(&cluster, &database, "writer", 8).unwrap(), "c.txt").unwrap();
    assert_eq!(labels(&connect(&cluster, &database, "reader", 9).unwrap()), 1);
    // Whoever may make tables, but owns none of theirs, makes ours without an index on theirs.
    as_lamindb_made_it(db);
    run(db, "DROP INDEX holotype_artifact_real_key_idx");
    run(db, "GRANT CREATE ON SCHEMA public TO writer");
    run(db, "GRANT REFERENCES ON lamindb_artifact, lamindb_run TO writer");
    work(&connect(&cluster, &database, "writer", 10).unwrap(), "d.txt").unwrap();
    work(&connect(&cluster, &database, "writer", 11).unwrap(), "e.txt").unwrap();
    assert_eq!(count(db, "holotype_content"), 0, "the one who owned the other tables may read this one");
    assert!(db.present(&["holotype_artifact_real_key_idx"]).unwrap().is_empty());
    connect(&cluster, &database, "tester", 12).unwrap();
    assert_eq!(db.present(&["holotype_artifact_real_key_idx"]).unwrap().len(), 1);
}
