//! `delete`.

use crate::lab::{Lab, uid};

fn filled() -> (Lab, std::path::PathBuf) {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let saved = lab.json(&["save", "a.txt", "--key", "a.txt"]);
    let place = saved["storage_path"].as_str().unwrap().into();
    (lab, place)
}

fn count(lab: &Lab) -> usize {
    lab.json(&["list", "artifact", "--all"]).as_array().unwrap().len()
}

#[test]
fn first_to_the_trash_then_after_a_question_for_good() {
    let (lab, place) = filled();
    let delete = ["delete", "artifact", "--key", "a.txt"];
    let out = lab.ok(&delete);
    assert!(out.contains("→ moved record to trash: Artifact(uid='") && out.contains("branch_id=-1"), "{out}");
    assert!(place.exists());

    let closed = lab.run(&delete);
    assert_eq!((closed.code, closed.err.as_str()), (1, "Aborted.\n"));
    assert!(
        closed.out.contains("is already in trash! Are you sure you want to delete it from your database?")
    );
    assert_eq!(lab.answer(&delete, "n\n").code, 1);
    assert_eq!((count(&lab), place.exists()), (1, true));

    let yes = lab.answer(&delete, "y\n");
    assert!(yes.code == 0 && yes.out.ends_with("→ deleted artifact: a.txt\n"), "{yes:?}");
    assert_eq!((count(&lab), place.exists()), (0, false));
}

#[test]
fn permanent_skips_the_trash() {
    let (lab, place) = filled();
    lab.ok(&["delete", "artifact", "--key", "a.txt", "--permanent"]);
    assert_eq!((count(&lab), place.exists()), (0, false));
}

#[test]
fn content_with_a_real_key_is_asked_about() {
    let lab = Lab::new();
    let file = lab.write("data/in-place.txt", "here");
    lab.ok(&["save", "data/in-place.txt", "--description", "stays"]);
    let delete = ["delete", "artifact", "--key", "in-place.txt", "--permanent"];
    let closed = lab.run(&delete);
    assert_eq!((closed.code, count(&lab)), (1, 1));
    let no = lab.answer(&delete, "n\n");
    assert!(no.out.contains("Do you ALSO want to delete the data in storage at"), "{no:?}");
    assert!(no.out.contains(&format!("→ a file/folder remains here: {}", file.display())), "{no:?}");
    assert_eq!((no.code, count(&lab), file.exists()), (0, 0, true));
    lab.ok(&["save", "data/in-place.txt", "--description", "goes"]);
    assert_eq!(lab.answer(&delete, "yes\n").code, 0);
    assert!(!file.exists());
}

#[test]
fn force_asks_nothing() {
    let (lab, place) = filled();
    lab.ok(&["delete", "artifact", "--key", "a.txt"]);
    lab.ok(&["delete", "artifact", "--key", "a.txt", "--force"]);
    assert_eq!((count(&lab), place.exists()), (0, false));
}

#[test]
fn other_records_go_too() {
    let lab = Lab::new();
    lab.ok(&["create", "ulabel", "draft"]);
    assert!(lab.ok(&["delete", "ulabel", "--name", "draft"]).contains("moved record to trash: ULabel(uid='"));
    lab.ok(&["delete", "ulabel", "--name", "draft", "--force"]);
    assert_eq!(
        lab.fails(1, &["delete", "ulabel", "--name", "draft"]),
        "✗ ULabel with name=draft does not exist.\n"
    );
    lab.ok(&["create", "branch", "b1"]);
    assert!(lab.ok(&["delete", "branch", "--name", "b1"]).ends_with("→ deleted branch: b1\n"));
    for (registry, name) in [("branch", "main"), ("branch", "trash"), ("space", "all")] {
        assert!(
            lab.fails(1, &["delete", registry, "--name", name, "--force"])
                .contains("is part of every instance")
        );
    }
}

#[test]
fn what_is_missing_is_named() {
    let lab = Lab::new();
    assert_eq!(
        lab.fails(1, &["delete", "artifact", "--key", "K"]),
        "✗ Artifact with key=K does not exist.\n"
    );
    assert_eq!(lab.run(&["delete", "artifact"]).code, 2);
}

#[test]
fn an_instance_goes_once_it_is_empty() {
    let (lab, place) = filled();
    let name = uid(&lab.ok(&["save", "a.txt", "--key", "a.txt"]));
    let err = lab.fails(1, &["delete", "anonymous/lab", "--force"]);
    assert_eq!(
        err,
        format!(
            "✗ '{}/.lamindb' contains 1 objects:\n{}\ndelete them prior to deleting the storage location\n",
            lab.work().join("data").display(),
            place.display()
        )
    );
    assert!(place.to_str().unwrap().contains(&name));
    lab.ok(&["delete", "artifact", "--key", "a.txt", "--permanent"]);
    let closed = lab.run(&["delete", "anonymous/lab"]);
    assert_eq!((closed.code, closed.err.as_str()), (1, "Aborted.\n"));
    assert!(
        closed.out.contains("Are you sure you want to delete instance anonymous/lab? (y/n) "),
        "{closed:?}"
    );
    assert!(lab.work().join("data/.lamindb/lamin.db").exists());

    let done = lab.answer(&["delete", "anonymous/lab"], "y\n");
    assert!(done.code == 0 && done.out.ends_with("→ deleted instance: anonymous/lab\n"), "{done:?}");
    assert!(!lab.work().join("data").exists());
    assert!(!lab.work().join(".lamin").exists());
    assert!(!lab.home().join(".lamin/instance--anonymous--lab.env").exists());
    assert!(lab.fails(1, &["delete", "anonymous/lab", "--force"]).contains("'anonymous/lab' not found"));
}

#[test]
fn files_of_others_survive_their_instance() {
    let lab = Lab::new();
    lab.write("data/mine.txt", "keep me");
    for old_spelling in
        [vec!["delete", "--slug", "anonymous/lab", "instance", "--force"], vec!["delete", "lab", "--force"]]
    {
        lab.ok(&["init", "--storage", "./data", "--name", "lab"]);
        lab.ok(&old_spelling);
        assert_eq!(std::fs::read_to_string(lab.work().join("data/mine.txt")).unwrap(), "keep me");
        assert!(!lab.work().join("data/.lamindb").exists());
    }
}
