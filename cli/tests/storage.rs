//! `holotype storage`, `settings keep-artifacts-local` and `save --upload`.

use crate::lab::Lab;

#[test]
fn locations_are_registered_listed_described_and_removed() {
    let lab = Lab::new();
    let root = lab.work().join("shared").display().to_string();
    let created =
        lab.ok(&["storage", "create", "./shared", "--host", "drive1", "--description", "Project X"]);
    assert!(created.contains(&format!("→ created managed storage location at {root}\n")), "{created}");
    let listed = lab.json(&["storage", "list"]);
    let rows = listed.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["root"], &rows[0]["region"]), (&root.as_str().into(), &"drive1".into()));
    let uid = rows[0]["uid"].as_str().unwrap();
    for location in ["./shared", "shared/", root.as_str(), uid] {
        let described = lab.json(&["storage", "describe", location]);
        assert_eq!(described["uid"], uid);
        assert_eq!((&described["managed"], &described["artifacts"]), (&true.into(), &0.into()));
        assert_eq!((&described["default"], &described["description"]), (&false.into(), &"Project X".into()));
    }
    lab.write("a.txt", "content");
    lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    let described = lab.ok(&["storage", "describe", "data"]);
    assert!(
        described.ends_with(
            "description: None\ntype: local\nhost: None\naccess: read and write, default location\nartifacts: 1 (7 B)\n"
        ),
        "{described}"
    );
    lab.ok(&["delete", "artifact", "--key", "a.txt", "--permanent"]);
    assert!(
        lab.fails(1, &["storage", "delete", "data"]).contains("Cannot delete the current storage location")
    );
    assert!(lab.ok(&["storage", "delete", "shared"]).contains(&format!("→ deleted storage: {root}\n")));
    assert_eq!(lab.json(&["storage", "list"]).as_array().unwrap().len(), 1);
    let missing = lab.fails(1, &["storage", "describe", "shared"]);
    assert!(
        missing.contains("There is no storage location shared: see `holotype storage list`"),
        "{missing}"
    );
    assert!(lab.work().join("shared").is_dir());
}

#[test]
fn a_host_needs_a_local_folder_and_a_space_has_to_exist() {
    let lab = Lab::new();
    let err = lab.fails(1, &["storage", "create", "s3://bucket/x", "--host", "h"]);
    assert!(err.contains("root must be a local path if host is set"), "{err}");
    assert!(lab.fails(1, &["storage", "create", "x", "--space", "none"]).contains("Space 'none' not found"));
    assert!(!lab.work().join("x").exists());
}

#[test]
fn artifacts_stay_local_until_they_are_uploaded() {
    let lab = Lab::new();
    lab.ok(&["storage", "create", "./local", "--host", "drive1"]);
    let said = lab.ok(&["settings", "keep-artifacts-local", "on"]);
    assert!(said.contains("new artifacts of anonymous/lab stay local until they are uploaded"), "{said}");
    assert_eq!(lab.ok(&["settings", "keep-artifacts-local"]), "True\n");
    let info = lab.ok(&["info"]);
    let data = lab.work().join("data").display().to_string();
    assert!(info.contains(&format!(" - local storage: {data}\n - cloud storage: {data}\n")), "{info}");
    assert_eq!(lab.json(&["info"])["instance"]["local_storage"], data);

    // As on a machine on which the default location is not a folder.
    std::fs::remove_file(lab.work().join("data/.lamindb/storage_uid.txt")).unwrap();
    lab.write("a.txt", "a");
    lab.write("b.txt", "b");
    let local = lab.work().join("local");
    let out = lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    assert!(out.contains(&format!("→ defaulting to local storage: {}\n", local.display())), "{out}");
    assert!(out.contains(&format!("→ storage path: {}/.lamindb/", local.display())), "{out}");
    assert!(lab.ok(&["info"]).contains(&format!(" - local storage: {} (drive1)\n", local.display())));
    let direct = lab.ok(&["save", "b.txt", "--key", "b.txt", "--upload"]);
    assert!(direct.contains(&format!("→ storage path: {data}/.lamindb/")), "{direct}");
    assert!(!direct.contains("moved local artifact"), "{direct}");
    let moved = lab.ok(&["save", "a.txt", "--key", "a.txt", "--upload"]);
    assert!(moved.contains("→ moved local artifact to cache: "), "{moved}");
    assert!(moved.contains(&format!("→ storage path: {data}/.lamindb/")), "{moved}");
    assert_eq!(lab.run(&["save", "a.py", "--upload"]).code, 2);

    lab.ok(&["settings", "keep-artifacts-local", "off"]);
    assert_eq!(lab.ok(&["settings", "keep-artifacts-local"]), "False\n");
    assert!(!lab.ok(&["info"]).contains("local storage"));
    assert_eq!(lab.run(&["settings", "keep-artifacts-local", "maybe"]).code, 2);
}
