//! `gc`.

use crate::lab::Lab;

fn lab() -> (Lab, std::path::PathBuf) {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    let orphan = lab.write("data/.lamindb/0123456789abcdef0000.txt", "orphan");
    (lab, orphan)
}

#[test]
fn nothing_moves_without_apply_and_nothing_goes_without_purge() {
    let (lab, orphan) = lab();
    assert!(lab.ok(&["gc"]).ends_with("→ nothing to collect (1 item too young or in use)\n"));
    let young = lab.json(&["gc"]);
    assert_eq!(young["young"][0]["path"], orphan.to_str().unwrap());

    let plan = ["gc", "--older-than", "0"];
    let out = lab.ok(&plan);
    assert!(out.contains("content") && out.contains(orphan.to_str().unwrap()), "{out}");
    assert!(out.contains("would move 1 unused item (6 B) to quarantine"), "{out}");
    assert_eq!(lab.json(&plan)["unused"][0]["what"], "content");
    assert!(orphan.exists());

    let out = lab.ok(&["gc", "--older-than", "0", "--apply"]);
    assert!(
        out.ends_with("→ moved 1 item (6 B) to quarantine, deleted 0 artifacts from the trash\n"),
        "{out}"
    );
    assert!(!orphan.exists());
    assert!(lab.ok(&["gc"]).contains("in quarantine: 1 collection (6 B)"));

    let closed = lab.run(&["gc", "--purge"]);
    assert!(
        closed.code == 1 && closed.out.contains("Remove 1 collection (6 B) for good? (y/n) "),
        "{closed:?}"
    );
    assert_eq!(lab.answer(&["gc", "--purge"], "y\n").code, 0);
    assert_eq!(lab.json(&["gc"])["quarantine"].as_array().unwrap().len(), 0);
    lab.ok(&["verify", "--full"]);
}

#[test]
fn trash_goes_when_it_is_old() {
    let (lab, _) = lab();
    lab.ok(&["delete", "artifact", "--key", "a.txt"]);
    assert!(lab.json(&["gc"])["trash"].as_array().unwrap().is_empty());
    let plan = lab.json(&["gc", "--trash-days", "0"]);
    assert_eq!((&plan["trash"][0]["key"], &plan["trash"][0]["content"]), (&"a.txt".into(), &true.into()));
    let done = lab.json(&["gc", "--trash-days", "0", "--apply"]);
    assert_eq!((&done["deleted"], &done["moved"], &done["bytes"]), (&1.into(), &1.into(), &3.into()));
    assert!(lab.json(&["list", "artifact", "--all"]).as_array().unwrap().is_empty());
    lab.ok(&["gc", "--purge", "--force"]);
    assert_eq!(lab.run(&["gc", "--dry-run", "--apply"]).code, 2);
}

#[test]
fn what_deleted_runs_have_left_is_told_and_goes() {
    let lab = Lab::new();
    assert_eq!(lab.run(&["run", "--", "sh", "-c", "echo said"]).code, 0);
    let uid = lab.json(&["list", "run"])[0]["uid"].as_str().unwrap().to_owned();
    assert!(lab.json(&["gc", "--older-than", "0"])["unnamed"].as_array().unwrap().is_empty());
    lab.ok(&["delete", "run", "--uid", &uid, "--permanent", "--force"]);
    let plan = lab.json(&["gc", "--older-than", "0"]);
    let left: Vec<&str> =
        plan["unnamed"].as_array().unwrap().iter().filter_map(|one| one["description"].as_str()).collect();
    assert_eq!(left, ["environment.json", &format!("log streams of run {uid}")]);
    // Files may be about to be named again; documents can't be.
    let young = lab.ok(&["gc"]);
    assert!(young.contains("and 0 files, 2 documents of deleted runs") && !young.contains("logs"), "{young}");
    let out = lab.ok(&["gc", "--older-than", "0"]);
    let told = out.contains("of a deleted run") && out.contains("and 2 files, 2 documents of deleted runs");
    assert!(told, "{out}");
    let done = lab.json(&["gc", "--older-than", "0", "--apply"]);
    assert_eq!(
        (&done["unnamed"], &done["moved"], &done["failed"]),
        (&2.into(), &2.into(), &serde_json::json!([]))
    );
    assert!(lab.ok(&["gc", "--older-than", "0"]).contains("→ nothing to collect\n"));
}
