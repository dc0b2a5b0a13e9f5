//! `settings` and `cache`.

use crate::lab::Lab;

#[test]
fn without_a_command_everything_is_shown() {
    let lab = Lab::new();
    let out = lab.ok(&["settings"]);
    assert!(out.starts_with("Configure: see `holotype settings --help`\nInstance: anonymous/lab\n"), "{out}");
    assert_eq!(lab.json(&["settings"])["instance"]["slug"], "anonymous/lab");
}

#[test]
fn the_cache_moves_with_its_files() {
    let lab = Lab::empty();
    let (old, new) = (lab.home().join(".cache/lamindb"), lab.home().join("scratch"));
    assert!(
        lab.ok(&["settings", "cache-dir", "get"])
            .ends_with(&format!("The cache directory is {}\n", old.display()))
    );
    std::fs::write(old.join("kept.txt"), "kept").unwrap();
    lab.ok(&["settings", "cache-dir", "set", new.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(new.join("kept.txt")).unwrap(), "kept");
    assert_eq!(lab.json(&["settings", "cache-dir", "get"])["cache_dir"], new.to_str().unwrap());
    assert_eq!(lab.run(&["settings", "cache-dir", "clear"]).code, 1, "closed input");
    assert!(new.join("kept.txt").exists());
    let cleared = lab.answer(&["settings", "cache-dir", "clear"], "y\n");
    assert!(cleared.out.starts_with("Remove 1 file (4 B) from"), "{cleared:?}");
    assert!(!new.join("kept.txt").exists());
    lab.ok(&["settings", "cache-dir", "reset"]);
    assert_eq!(lab.json(&["settings", "cache-dir", "get"])["cache_dir"], old.to_str().unwrap());
    assert!(lab.fails(1, &["settings", "cache-dir", "set", "relative"]).contains("should be absolute"));
}

#[test]
fn the_cache_is_limited() {
    let lab = Lab::empty();
    assert_eq!(lab.json(&["settings", "cache-dir", "get"])["max_size"], serde_json::Value::Null);
    let told = lab.ok(&["settings", "cache-dir", "set", "--max-size", "1.5 GB"]);
    assert!(told.ends_with("the cache holds up to 1.5 GB\n"), "{told}");
    assert_eq!(lab.json(&["settings", "cache-dir", "get"])["max_size"], 3 << 29);
    assert!(lab.ok(&["settings", "cache-dir", "get"]).ends_with("It holds up to 1.5 GB\n"));
    assert!(
        lab.fails(1, &["settings", "cache-dir", "set", "--max-size", "much"]).contains("'much' is no size")
    );
    assert!(lab.fails(2, &["settings", "cache-dir", "set"]).contains("FOLDER"));
    let new = lab.home().join("scratch");
    let told = lab.ok(&["settings", "cache-dir", "set", new.to_str().unwrap(), "--max-size", "null"]);
    assert!(told.contains("the cache holds any amount\n"), "{told}");
    let now = lab.json(&["settings", "cache-dir", "get"]);
    assert_eq!(now["cache_dir"], new.to_str().unwrap());
    assert_eq!(now["max_size"], serde_json::Value::Null);
}

#[test]
fn the_old_name_of_cache_dir_works() {
    let lab = Lab::empty();
    let out = lab.ok(&["cache", "get"]);
    assert!(
        out.starts_with("! 'holotype cache' is deprecated. Use 'holotype settings cache-dir' instead.\n"),
        "{out}"
    );
    assert!(out.contains("The cache directory is "), "{out}");
}

#[test]
fn directories_are_bound_found_and_unbound() {
    let lab = Lab::new();
    let work = lab.work();
    assert_eq!(lab.ok(&["settings", "dev-dir", "get"]), format!("{}\n", work.display()));
    let inner = work.join("inner");
    std::fs::create_dir(&inner).unwrap();
    assert_eq!(lab.ok(&["settings", "dev-dir", "find", "inner"]), format!("{}\n", work.display()));
    lab.ok(&["settings", "set", "dev-dir", inner.to_str().unwrap()]);
    assert_eq!(lab.ok(&["settings", "dev-dir", "find", "inner"]), format!("{}\n", inner.display()));
    assert_eq!(lab.run_in(&inner, &["settings", "dev-dir", "unset"]).code, 0);
    assert!(!inner.join(".lamin").exists());
    let err = lab.fails(1, &["settings", "dev-dir", "set", lab.home().to_str().unwrap()]);
    assert!(err.contains("The home directory cannot be a development directory"), "{err}");
}

#[test]
fn modules_are_chosen_for_work_without_an_instance() {
    let lab = Lab::empty();
    assert_eq!(lab.ok(&["settings", "modules", "get"]), "None\n");
    lab.ok(&["settings", "modules", "set", "bionty, pertdb"]);
    assert_eq!(lab.ok(&["settings", "modules", "get"]), "bionty,pertdb\n");
    assert!(lab.ok(&["info"]).contains(" - modules: bionty,pertdb\n"));
    lab.ok(&["settings", "modules", "unset"]);
    assert_eq!(lab.json(&["settings", "modules", "get"])["modules"].as_array().unwrap().len(), 0);
}

#[test]
fn single_values_are_printed_bare() {
    let lab = Lab::new();
    assert_eq!(lab.ok(&["settings", "get", "branch"]), "main\n");
    assert_eq!(lab.ok(&["settings", "get", "space"]), "all\n");
    assert_eq!(lab.ok(&["settings", "get", "auto-connect"]), "True\n");
    assert_eq!(lab.run(&["settings", "get", "nothing"]).code, 2);
    assert!(lab.ok(&["settings", "set", "auto-connect", "false"]).starts_with("! "));
}

#[test]
fn keeping_artifacts_local_reaches_the_settings_file() {
    let lab = Lab::new();
    lab.ok(&["connect", "lab"]);
    assert_eq!(lab.ok(&["settings", "get", "keep-artifacts-local"]), "False\n");
    lab.ok(&["settings", "set", "keep-artifacts-local", "true"]);
    assert_eq!(lab.ok(&["settings", "get", "keep-artifacts-local"]), "True\n");
    for file in ["instance--anonymous--lab.env", "current_instance.env"] {
        let text = std::fs::read_to_string(lab.home().join(".lamin").join(file)).unwrap();
        assert!(text.contains("lamindb_instance_keep_artifacts_local=True\n"), "{file}: {text}");
    }
    assert_eq!(lab.run(&["settings", "set", "keep-artifacts-local", "maybe"]).code, 2);
}
