//! An instance in a bucket: `init`, `connect`, `disconnect`, `info`, `unlock` and `cache clear` on it.

use std::process::Command;

use crate::lab::{Lab, Ran, finish};
use crate::stores::server::{KEY, MOTO, SECRET};

/// Runs the command of one user's machine with the keys of the server.
pub fn run(lab: &Lab, args: &[&str]) -> Ran {
    finish(command(lab, args), None)
}

fn command(lab: &Lab, args: &[&str]) -> Command {
    let mut command = lab.command(&lab.work(), args);
    command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

pub fn ok(lab: &Lab, args: &[&str]) -> String {
    let ran = run(lab, args);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}\n{}", ran.out);
    ran.out
}

/// Returns a machine with the instance `anonymous/atlas` in a new bucket, what its making printed, and the URL of its database.
pub fn made() -> (Lab, String, String) {
    let lab = Lab::empty();
    let root = MOTO.root();
    let out = ok(&lab, &["init", "--storage", &root, "--name", "atlas"]);
    let url = format!("{}/.lamindb/lamin.db", root.split('?').next().unwrap());
    (lab, out, url)
}

/// Returns another machine that knows the instance of this one.
fn other(lab: &Lab) -> Lab {
    let other = Lab::empty();
    let file = ".lamin/instance--anonymous--atlas.env";
    std::fs::create_dir(other.home().join(".lamin")).unwrap();
    std::fs::copy(lab.home().join(file), other.home().join(file)).unwrap();
    other
}

#[test]
fn every_step_tells_what_becomes_of_the_database() {
    let (lab, out, url) = made();
    let pushed = format!("cloud SQLite '{url}' of instance 'anonymous/atlas'\n");
    assert_eq!(
        out,
        format!(
            "! using anonymous user (to identify, call: holotype login)\n! updating {pushed}! locked instance (to unlock and \
             push changes to the cloud SQLite file, call: holotype disconnect)\n→ initialized database anonymous/atlas in {}\n",
            lab.work().display()
        )
    );
    let out = ok(&lab, &["create", "ulabel", "--name", "one"]);
    assert!(out.ends_with(&format!("! updating {pushed}")), "{out}");
    let out = ok(&lab, &["info"]);
    assert!(out.contains("\n - lock: locked from here by 'anonymous' (uid: '00000000') since 20"), "{out}");
    ok(&lab, &["connect", "atlas"]);
    let freed = format!("! unlocking cloud SQLite '{url}' of instance 'anonymous/atlas'\n");
    assert_eq!((ok(&lab, &["disconnect"]), ok(&lab, &["disconnect"])), (freed, String::new()));
    assert!(ok(&lab, &["info"]).contains("\n - lock: free\n"));
    assert!(!ok(&lab, &["list", "ulabel"]).contains("updating"), "reading sends nothing");
    let out = ok(&lab, &["create", "ulabel", "--name", "two"]);
    assert!(out.ends_with(&format!("! updating & unlocking {pushed}")), "{out}");
}

#[test]
fn a_lock_is_waited_for_and_broken_open() {
    let (lab, _, url) = made();
    let there = other(&lab);
    let root = url.strip_suffix("/.lamindb/lamin.db").unwrap();
    let ran = run(&there, &["connect", "atlas"]);
    assert_eq!((ran.code, ran.out.contains("connected")), (1, false));
    let start = "✗ Cannot load the instance, it is locked by 'anonymous' (uid: '00000000'). The instance will be \
                 automatically unlocked after 7d of no activity.";
    assert!(ran.err.starts_with(start), "{}", ran.err);
    assert!(
        ran.err.contains("--wait 60") && ran.err.ends_with("run: holotype unlock anonymous/atlas\n"),
        "{}",
        ran.err
    );
    assert!(!there.home().join(".lamin/current_instance.env").exists());

    let waiting = command(&there, &["connect", "atlas", "--wait", "60"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    ok(&lab, &["disconnect"]);
    let done = waiting.wait_with_output().unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success() && out.contains("! updating local SQLite & locking cloud SQLite"), "{out}");

    let plan = ok(&lab, &["unlock", "--plan"]);
    assert!(
        plan.starts_with("anonymous/atlas is locked by 'anonymous' (uid: '00000000') since 20"),
        "{plan}"
    );
    assert_eq!(ok(&lab, &["unlock", "--plan"]), plan, "a plan changes nothing");
    let endpoint = MOTO.endpoint();
    let stranger = Lab::empty();
    let asked = ok(&stranger, &["unlock", "--plan", &format!("{root}?endpoint_url={endpoint}")]);
    assert!(asked.ends_with(&plan), "{asked}");
    let refused = finish(command(&lab, &["unlock"]), Some("n\n"));
    assert_eq!((refused.code, refused.err.as_str()), (1, "Aborted.\n"));
    assert!(refused.out.starts_with(&plan), "{}", refused.out);
    let json: serde_json::Value = serde_json::from_str(&ok(&lab, &["unlock", "--plan", "--json"])).unwrap();
    assert_eq!((&json["holders"][0]["here"], &json["unlocked"]), (&false.into(), &false.into()));
    assert_eq!(ok(&lab, &["unlock", "--force"]), "→ unlocked instance: anonymous/atlas\n");
    assert_eq!(ok(&lab, &["unlock"]), "anonymous/atlas is not locked\n");

    // Both write now: who comes second is told, and keeps what they made.
    ok(&lab, &["create", "ulabel", "--name", "one"]);
    let ran = run(&there, &["create", "ulabel", "--name", "two"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "the first write takes up what was sent");
    assert_eq!(run(&lab, &["list", "ulabel", "--json"]).out.matches("\"name\"").count(), 2);
}

#[test]
fn clearing_the_cache_sends_what_is_not_in_the_cloud() {
    let (lab, _, url) = made();
    ok(&lab, &["create", "ulabel", "--name", "one"]);
    let out = ok(&lab, &["settings", "cache-dir", "clear", "--force"]);
    assert_eq!(out, format!("! unlocking cloud SQLite '{url}' of instance 'anonymous/atlas'\n"));
    assert!(ok(&lab, &["info"]).contains("\n - lock: free\n"));
    assert!(ok(&lab, &["list", "ulabel"]).contains("one"));
    assert_eq!(ok(&lab, &["delete", "anonymous/atlas", "--force"]), "→ deleted instance: anonymous/atlas\n");
    let local = Lab::new();
    assert_eq!(local.ok(&["unlock"]), "→ anonymous/lab needs no lock: its database lies in no bucket\n");
}
