//! `login` and `logout`.

use crate::lab::Lab;

#[test]
fn an_identity_is_kept_on_this_machine() {
    let lab = Lab::empty();
    let first = lab.json(&["login", "ada", "--name", "Ada Lovelace", "--email", "ada@example.org"]);
    assert_eq!((first["handle"].as_str(), first["name"].as_str()), (Some("ada"), Some("Ada Lovelace")));
    assert_eq!(first["uid"].as_str().unwrap().len(), 8);
    assert_eq!(lab.ok(&["logout"]), "→ logged out\n");
    assert_eq!(lab.ok(&["logout"]), "→ already logged out\n");
    assert_eq!(lab.json(&["login", "ada@example.org"]), first);
    let uid = first["uid"].as_str().unwrap();
    assert_eq!(lab.ok(&["login", "ada"]), format!("→ logged in as ada (uid {uid})\n"));
}

#[test]
fn records_carry_the_user() {
    let lab = Lab::empty();
    lab.ok(&["login", "ada", "--name", "Ada Lovelace"]);
    let told = lab.json(&["init", "--storage", "./data", "--name", "lab"]);
    assert_eq!(told["instance"], "ada/lab");
    lab.ok(&["create", "ulabel", "x"]);
    let listed = lab.json(&["list", "ulabel", "--columns", "created_by__handle,created_by__name"]);
    assert_eq!(listed[0]["created_by__name"], "Ada Lovelace");
    lab.ok(&["login", "bob"]);
    lab.ok(&["create", "ulabel", "y"]);
    let listed = lab.json(&["list", "ulabel", "--columns", "created_by__handle"]);
    assert_eq!(listed[0]["created_by__handle"], "bob");
}

#[test]
fn a_handle_is_asked_for() {
    let lab = Lab::empty();
    let closed = lab.run(&["login"]);
    assert_eq!((closed.code, closed.err.as_str()), (1, "Aborted.\n"));
    let told = lab.answer(&["login"], "ada\n");
    assert!(told.code == 0 && told.out.contains("logged in as ada"), "{told:?}");
}

#[test]
fn what_cannot_be_used_is_refused() {
    let lab = Lab::empty();
    for handle in ["anonymous", "a/b", "a--b", ""] {
        assert!(lab.fails(1, &["login", handle]).starts_with("✗ The handle"), "{handle}");
    }
    let err = lab.fails(1, &["login", "who@example.org"]);
    assert!(err.contains("holotype login HANDLE --email who@example.org"), "{err}");
    assert!(lab.ok(&["login", "ada", "--key", "secret"]).contains("the key is not used"));
}
