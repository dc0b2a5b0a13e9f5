//! `repair`.

use crate::lab::Lab;

#[test]
fn a_plan_changes_nothing_and_a_repair_restores_or_marks() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let place = lab.json(&["save", "a.txt", "--key", "a.txt"])["storage_path"].as_str().unwrap().to_owned();
    assert!(lab.ok(&["repair"]).ends_with("→ verified 1 artifact: nothing to repair\n"));
    assert!(lab.ok(&["repair", "--dry-run"]).ends_with("→ verified 1 artifact: nothing to repair\n"));

    std::fs::write(&place, "onE").unwrap();
    let plan = lab.ok(&["repair", "--plan"]);
    assert!(
        plan.contains("mark as incomplete") && plan.ends_with("would take 1 step; nothing was changed\n"),
        "{plan}"
    );
    assert_eq!(lab.json(&["repair", "--dry-run"])["plan"][0]["step"], "mark as incomplete");
    assert_eq!(lab.json(&["load", "artifact", "--key", "a.txt"])["paths"][0], place.as_str());

    let ran = lab.run(&["repair"]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (1, "✗ took 1 step; no copy was found of 1 artifact\n"),
        "{ran:?}"
    );
    assert!(lab.fails(1, &["load", "artifact", "--key", "a.txt"]).contains("never completely stored"));
    let again = lab.run(&["repair"]);
    assert!(again.code == 1 && again.out.contains("needs its source"), "{again:?}");

    std::fs::write(&place, "one").unwrap();
    let data = lab.json(&["repair"]);
    assert_eq!(
        (&data["done"][0]["step"], data["failed"].as_array().unwrap().len()),
        (&"show again".into(), 0)
    );
    assert_eq!(lab.json(&["load", "artifact", "--key", "a.txt"])["paths"][0], place.as_str());
}

#[test]
fn the_quarantine_gives_back_what_is_needed() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let place = lab.json(&["save", "a.txt", "--key", "a.txt"])["storage_path"].as_str().unwrap().to_owned();
    let kept = lab.work().join("data/.lamindb/.holotype-quarantine/20260101000000-abcd");
    std::fs::create_dir_all(&kept).unwrap();
    std::fs::rename(&place, kept.join("strayed")).unwrap();
    let out = lab.ok(&["repair", "--fast"]);
    assert!(out.contains("restore") && out.ends_with("→ took 1 step\n"), "{out}");
    lab.ok(&["verify", "--full"]);
}

#[test]
fn what_cannot_be_reached_is_not_called_sound() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    lab.ok(&["storage", "create", "./drive"]);
    lab.ok(&["settings", "keep-artifacts-local", "on"]);
    // Without its mark, the default location is not taken for a local one.
    std::fs::remove_file(lab.work().join("data/.lamindb/storage_uid.txt")).unwrap();
    lab.ok(&["save", "a.txt", "--key", "a.txt"]);
    std::fs::rename(lab.work().join("drive"), lab.work().join("away")).unwrap();
    let told = "1 artifact could not be reached: ";
    assert!(lab.ok(&["repair", "--dry-run"]).contains(&format!("! {told}")));
    assert!(lab.fails(1, &["repair"]).contains(&format!("✗ {told}")));
    std::fs::rename(lab.work().join("away"), lab.work().join("drive")).unwrap();
    assert!(lab.ok(&["repair"]).ends_with("→ verified 1 artifact: nothing to repair\n"));
}
