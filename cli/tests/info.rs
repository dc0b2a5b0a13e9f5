//! `info`.

use crate::lab::Lab;

#[test]
fn shows_instance_settings_and_user() {
    let lab = Lab::new();
    let (work, home) = (lab.work(), lab.home());
    let (work, home) = (work.display(), home.display());
    assert_eq!(
        lab.ok(&["info"]),
        format!(
            "Instance: anonymous/lab\n - branch: main\n - space: all\n - dev-dir: {work}\nDetails:\n - storage: \
             {work}/data\n - db: sqlite:///{work}/data/.lamindb/lamin.db\n - modules: set()\n - git_repo: \
             None\nSettings:\n - modules: \"\"\n - cache: {home}/.cache/lamindb\n - user settings: {home}/.lamin\n - \
             system settings: /etc/xdg/lamindb\nUser: anonymous\n"
        )
    );
    let told = lab.json(&["info"]);
    assert_eq!(told["instance"]["slug"], "anonymous/lab");
    assert_eq!(told["user"]["handle"], "anonymous");
}

#[test]
fn works_without_an_instance() {
    let lab = Lab::empty();
    let out = lab.ok(&["info"]);
    assert!(out.contains("Instance: None\nSettings:\n - modules: \"\"\n"), "{out}");
    assert_eq!(lab.json(&["info"])["instance"], serde_json::Value::Null);
}

#[test]
fn a_database_is_never_opened() {
    let lab = Lab::new();
    std::fs::write(lab.work().join("data/.lamindb/lamin.db"), "no database").unwrap();
    assert!(lab.ok(&["info"]).starts_with("Instance: anonymous/lab\n"));
}

#[test]
fn the_schema_lists_every_registry() {
    let lab = Lab::empty();
    let listed = lab.json(&["info", "--schema"]);
    let tables: Vec<&str> =
        listed.as_array().unwrap().iter().map(|row| row["table"].as_str().unwrap()).collect();
    assert!(tables.contains(&"lamindb_artifact") && tables.contains(&"bionty_celltype"));
    assert!(lab.ok(&["info", "--schema"]).contains("lamindb_artifact"));
}
