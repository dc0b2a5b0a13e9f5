//! `init`.

use crate::lab::Lab;

#[test]
fn makes_database_marker_settings_and_binding() {
    let lab = Lab::empty();
    let out = lab.ok(&["init", "--storage", "./My-Data"]);
    let work = lab.work();
    assert_eq!(
        out,
        format!(
            "! using anonymous user (to identify, call: holotype login)\n→ initialized database anonymous/my-data in {}\n",
            work.display()
        )
    );
    assert!(work.join("My-Data/.lamindb/lamin.db").exists());
    assert!(work.join("My-Data/.lamindb/storage_uid.txt").exists());
    assert!(lab.home().join(".lamin/instance--anonymous--my-data.env").exists());
    assert_eq!(std::fs::read_to_string(work.join(".lamin/current_instance")).unwrap(), "anonymous/my-data");
    assert!(!lab.home().join(".lamin/current_instance.env").exists());
}

#[test]
fn in_the_home_directory_it_becomes_the_current_one() {
    let lab = Lab::empty();
    let home = lab.home();
    let made = lab.run_in(&home, &["init", "--storage", "./data"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(!home.join(".lamin/current_instance").exists(), "the home directory is never bound");
    for place in [home, lab.work()] {
        let told = lab.run_in(&place, &["info"]);
        assert!(told.out.starts_with("Instance: anonymous/data\n"), "{}", told.out);
    }
}

#[test]
fn a_second_time_connects() {
    let lab = Lab::new();
    let before = std::fs::read(lab.home().join(".lamin/instance--anonymous--lab.env")).unwrap();
    let out = lab.ok(&["init", "--storage", "./data", "--name", "lab"]);
    assert_eq!(out, "→ connected lamindb: anonymous/lab\n");
    assert_eq!(std::fs::read(lab.home().join(".lamin/instance--anonymous--lab.env")).unwrap(), before);
}

#[test]
fn a_storage_that_a_known_instance_does_not_use_is_named() {
    let lab = Lab::new();
    let out = lab.ok(&["init", "--storage", "./elsewhere", "--name", "lab"]);
    let work = lab.work().display().to_string();
    assert_eq!(
        out,
        format!(
            "! instance anonymous/lab is there already, with its content at {work}/data: {work}/elsewhere is not used; pass \
             another name to make a new instance\n→ connected lamindb: anonymous/lab\n"
        )
    );
    assert!(!lab.work().join("elsewhere").exists());
}

#[test]
fn the_default_storage_takes_the_name_of_the_directory() {
    let lab = Lab::empty();
    let told = lab.json(&["init"]);
    assert_eq!(told["instance"], "anonymous/work");
    assert_eq!(told["storage"], lab.work().join("storage").to_str().unwrap());
    assert_eq!(told["uid"].as_str().unwrap().len(), 12);
}

#[test]
fn the_old_name_of_modules_works() {
    let lab = Lab::empty();
    lab.ok(&["init", "--storage", "./data", "--schema", "bionty"]);
    assert!(lab.ok(&["info"]).contains(" - modules: bionty\n"));
    let sources = lab.json(&["list", "bionty.Source", "--limit", "100"]);
    assert_eq!(sources.as_array().unwrap().len(), 43);
}

#[test]
fn bad_arguments_make_nothing() {
    let lab = Lab::empty();
    for (args, text) in [
        (vec!["init", "--name", "a/b"], "Invalid instance name: '/' delimiter not allowed."),
        (vec!["init", "--storage", "ftp://host/x"], "Protocol ftp is not supported"),
        (vec!["init", "--storage", "./x/.lamindb"], "Please pass a folder name that does not end or contain"),
        (vec!["init", "--modules", "nothing"], "Module 'nothing' is not known"),
    ] {
        let err = lab.fails(1, &args);
        assert!(err.starts_with("✗ ") && err.contains(text), "{err}");
    }
    assert_eq!(std::fs::read_dir(lab.work()).unwrap().count(), 0);
}

#[test]
fn a_storage_of_another_instance_is_refused() {
    let lab = Lab::new();
    let err = lab.fails(1, &["init", "--storage", "./data", "--name", "other"]);
    assert!(err.contains("is already marked with uid"), "{err}");
    assert!(lab.work().join("data/.lamindb/lamin.db").exists());
    assert!(!lab.home().join(".lamin/instance--anonymous--other.env").exists());
}

#[test]
fn an_init_that_was_killed_is_finished_by_another() {
    let lab = Lab::new();
    lab.write("a.txt", "kept");
    lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    let marker = lab.work().join("data/.lamindb/storage_uid.txt");
    let text = std::fs::read_to_string(&marker).unwrap();
    let unknown = || {
        std::fs::remove_dir_all(lab.work().join(".lamin")).unwrap();
        std::fs::remove_dir_all(lab.home().join(".lamin")).unwrap();
    };
    // Killed once the database was there, before its marker or its settings were.
    for with_marker in [true, false] {
        unknown();
        if !with_marker {
            std::fs::remove_file(&marker).unwrap();
        }
        assert!(lab.fails(1, &["init", "--storage", "./data", "--name", "other"]).contains("data"));
        lab.ok(&["init", "--storage", "./data", "--name", "lab"]);
        assert_eq!(std::fs::read_to_string(&marker).unwrap(), text);
        assert_eq!(lab.json(&["list", "artifact"]).as_array().unwrap().len(), 1);
    }
    unknown();
    std::fs::write(lab.work().join("data/.lamindb/lamin.db"), "a diary").unwrap();
    assert!(
        lab.fails(1, &["init", "--storage", "./data", "--name", "lab"])
            .contains("belongs to no instance known here")
    );
}
