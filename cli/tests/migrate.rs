//! `migrate`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::lab::Lab;
use crate::unlock::{made, ok, run};

/// A PostgreSQL cluster below a folder, which stops when this is dropped.
struct Cluster<'a>(&'a Path);

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../engine/tests/support/postgres.sh");

impl Cluster<'_> {
    fn run(&self, words: &[&str]) -> String {
        let output = Command::new(SCRIPT).arg(words[0]).arg(self.0).args(&words[1..]).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// Returns true when a text tells the password of the server, as it is or as it stands in URLs.
fn tells_password(text: &str) -> bool {
    ["st@pw", "st%40pw"].iter().any(|end| text.contains(end))
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        Command::new(SCRIPT).arg("stop").arg(self.0).arg("immediate").output().ok();
    }
}

#[test]
fn an_instance_moves_to_a_server_and_back() {
    let lab = Lab::new();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(lab.home().parent().unwrap(), open).unwrap();
    let folder = lab.home().parent().unwrap().join("cluster");
    let cluster = Cluster(&folder);
    cluster.run(&["start"]);
    let url = cluster.run(&["create", "atlas"]);
    assert!(tells_password(&url));
    lab.write("a.txt", "one");
    lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    let before = lab.json(&["list", "artifact"]);

    let plan = ["migrate", "to-postgres", &url, "--dry-run"];
    let out = lab.ok(&plan);
    assert!(out.contains("lamindb_artifact") && out.contains("; nothing was changed\n"), "{out}");
    assert!(!tells_password(&out) && out.contains("to postgresql://tester:***@***:"), "{out}");
    assert_eq!(lab.json(&plan)["tables"]["lamindb_artifact"], 1);
    let out = lab.ok(&["migrate", "to-postgres", &url]);
    assert!(out.contains("→ moved anonymous/lab with ") && out.contains("lamin.db.moved-"), "{out}");
    assert_eq!(lab.json(&["list", "artifact"]), before);
    assert!(lab.ok(&["info"]).contains("postgresql://tester:***@***"));
    let again = lab.fails(1, &["migrate", "to-postgres", &url]);
    assert!(again.contains("on PostgreSQL already"), "{again}");

    let done = lab.json(&["migrate", "to-sqlite"]);
    assert!(done["kept"].as_str().unwrap().starts_with("postgresql://tester:***@***"), "{done}");
    assert_eq!(lab.json(&["list", "artifact"]), before);
    lab.ok(&["verify", "--full"]);
    let taken = lab.fails(1, &["migrate", "to-postgres", &url]);
    assert!(taken.contains("is not empty") && !tells_password(&taken), "{taken}");
    one_in_a_bucket_moves_there_and_back(&cluster.run(&["create", "shared"]));
}

fn one_in_a_bucket_moves_there_and_back(server: &str) {
    let (lab, _, url) = made();
    ok(&lab, &["create", "ulabel", "--name", "one"]);
    ok(&lab, &["disconnect"]);
    ok(&lab, &["migrate", "to-postgres", server]);
    let listed = || serde_json::from_str::<Value>(&run(&lab, &["list", "ulabel", "--json"]).out).unwrap();
    let labels = listed();
    assert_eq!(labels[0]["name"], "one");
    let planned = ok(&lab, &["migrate", "to-sqlite", "--dry-run"]);
    assert!(planned.ends_with(&format!(" to {url}; nothing was changed\n")), "{planned}");
    let done = ok(&lab, &["migrate", "to-sqlite"]);
    assert!(
        done.contains("→ moved anonymous/atlas with ") && done.contains(&format!(" to {url}\n")),
        "{done}"
    );
    assert!(ok(&lab, &["info"]).contains("\n - lock: free\n"));
    assert_eq!(listed(), labels);
    let again = run(&lab, &["migrate", "to-sqlite"]);
    assert!(again.code == 1 && again.err.contains("on SQLite already"), "{}", again.err);
}

#[test]
fn there_must_be_an_instance_and_a_server() {
    assert!(Lab::empty().fails(1, &["migrate", "to-sqlite"]).contains("No instance is connected"));
    let lab = Lab::new();
    let error = lab.fails(1, &["migrate", "to-postgres", "postgresql://me:secret@127.0.0.1:1/x"]);
    assert!(error.contains("cannot be reached") && !error.contains("secret"), "{error}");
    lab.ok(&["list", "artifact"]);
}

#[test]
fn there_is_nothing_to_migrate() {
    let lab = Lab::new();
    let out = lab.ok(&["migrate", "deploy"]);
    assert!(out.ends_with("there is nothing to deploy\n"), "{out}");
    assert_eq!(lab.ok(&["migrate", "create"]), "No changes detected\n");
    assert!(Lab::empty().fails(1, &["migrate", "deploy"]).contains("No instance is connected."));
}
