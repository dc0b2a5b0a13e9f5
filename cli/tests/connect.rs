//! `connect` and `disconnect`.

use crate::lab::Lab;

fn two() -> (Lab, std::path::PathBuf) {
    let lab = Lab::new();
    let elsewhere = lab.home().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    (lab, elsewhere)
}

#[test]
fn the_current_instance_holds_everywhere_but_in_bound_directories() {
    let (lab, elsewhere) = two();
    assert!(lab.run_in(&elsewhere, &["list", "artifact"]).err.contains("✗ No instance is connected.\n"));
    let out = lab.run_in(&elsewhere, &["connect", "anonymous/lab"]).out;
    assert_eq!(
        out,
        "→ connected lamindb: anonymous/lab\n• tip: connect the database to the current directory to keep your files \
         in one place: holotype connect anonymous/lab --here\n"
    );
    assert_eq!(lab.run_in(&elsewhere, &["list", "artifact"]).code, 0);
    assert_eq!(lab.run_in(&elsewhere, &["disconnect"]).out, "");
    assert_eq!(lab.run_in(&elsewhere, &["list", "artifact"]).code, 1);
    assert_eq!(lab.ok(&["disconnect"]), "");
    assert_eq!(lab.run(&["list", "artifact"]).code, 0, "the bound directory still holds");
}

#[test]
fn names_slugs_and_urls_are_understood() {
    let lab = Lab::new();
    for identifier in ["lab", "anonymous/lab", "https://lamin.ai/anonymous/lab"] {
        assert_eq!(lab.ok(&["connect", identifier]), "→ connected lamindb: anonymous/lab\n");
    }
    let err = lab.fails(1, &["connect", "a/b/c"]);
    assert!(err.contains("The instance identifier needs to be 'owner/name'"), "{err}");
    let err = lab.fails(1, &["connect", "anonymous/none"]);
    assert!(err.contains("It is not possible to load an anonymous-owned instance from the hub"), "{err}");
}

#[test]
fn here_binds_the_directory_and_nothing_else() {
    let (lab, elsewhere) = two();
    let out = lab.run_in(&elsewhere, &["connect", "lab", "--here"]).out;
    assert_eq!(out, format!("→ connected database anonymous/lab to {}\n", elsewhere.display()));
    assert!(!lab.home().join(".lamin/current_instance.env").exists());
    assert_eq!(lab.run_in(&elsewhere, &["list", "artifact"]).code, 0);
    assert_eq!(lab.run_in(&elsewhere, &["disconnect", "--here"]).out, "");
    assert!(!elsewhere.join(".lamin").exists());
    assert_eq!(lab.run_in(&elsewhere, &["list", "artifact"]).code, 1);
}

#[test]
fn a_directory_of_another_instance_refuses() {
    let (lab, elsewhere) = two();
    assert_eq!(lab.run_in(&elsewhere, &["init", "--storage", "./store", "--name", "other"]).code, 0);
    let ran = lab.run_in(&elsewhere, &["connect", "anonymous/lab"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        format!(
            "✗ You're trying to connect within the dev-dir of instance anonymous/other ({}). Either cd into another \
             directory or run: holotype disconnect --here\n",
            elsewhere.display()
        )
    );
    assert_eq!(lab.run_in(&elsewhere, &["disconnect", "--here"]).code, 0);
    assert_eq!(lab.run_in(&elsewhere, &["connect", "anonymous/lab"]).code, 0);
}

#[test]
fn what_cannot_be_opened_does_not_become_current() {
    let (lab, elsewhere) = two();
    std::fs::write(lab.work().join("data/.lamindb/lamin.db"), "no database").unwrap();
    assert_eq!(lab.run_in(&elsewhere, &["connect", "lab"]).code, 1);
    assert!(!lab.home().join(".lamin/current_instance.env").exists());
}

#[test]
fn disconnecting_nothing_is_silent() {
    let lab = Lab::empty();
    assert_eq!(lab.ok(&["disconnect"]), "");
    assert_eq!(lab.ok(&["disconnect", "--here"]), "");
}
