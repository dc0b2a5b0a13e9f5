//! `holotype rerun`: the same code on the same inputs, and whether the same comes out.

use serde_json::Value;

use crate::lab::Lab;

/// Runs a command and returns the uid of its run.
fn tracked(lab: &Lab, args: &[&str]) -> String {
    let ran = lab.run(&[&["run", "--json"], args].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let data: Value = serde_json::from_str(&ran.out).unwrap();
    data["run"]["uid"].as_str().unwrap().to_owned()
}

fn again(lab: &Lab, code: i32, args: &[&str]) -> Value {
    let ran = lab.run(&[&["rerun", "--json"], args].concat());
    assert_eq!(ran.code, code, "{}\n{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn verdicts(data: &Value) -> Vec<(&str, &str)> {
    let outputs = data["outputs"].as_array().unwrap().iter();
    outputs.map(|output| (output["path"].as_str().unwrap(), output["verdict"].as_str().unwrap())).collect()
}

#[test]
fn the_same_comes_out_of_the_same() {
    let lab = Lab::new();
    lab.write("raw.txt", "b\na\n");
    lab.ok(&["save", "raw.txt", "--key", "raw.txt"]);
    lab.write(
        "code/sort.sh",
        "mkdir -p out/deep\nsort $(cat names.cfg) > out/deep/sorted.txt\ndate +%N > out/when.txt\n",
    );
    lab.write("names.cfg", "raw.txt\n");
    let uid = tracked(&lab, &["bash", "code/sort.sh"]);
    // Neither code nor inputs need to be there any more.
    lab.write("code/sort.sh", "echo broken > out/deep/sorted.txt\n");
    lab.write("raw.txt", "changed\n");
    let runs = lab.json(&["list", "run"]).as_array().unwrap().len();
    let data = again(&lab, 1, &[&uid]);
    assert_eq!(verdicts(&data), [("out/deep/sorted.txt", "same"), ("out/when.txt", "different")]);
    assert_eq!((&data["exit_code"], &data["same"]), (&0.into(), &false.into()));
    assert_eq!(data["differences"].as_array().unwrap().len(), 0, "{data}");
    assert_eq!(lab.json(&["list", "run"]).as_array().unwrap().len(), runs);
    assert!(
        !lab.home().join(".cache/lamindb/reruns").read_dir().is_ok_and(|mut found| found.next().is_some())
    );

    let folder = lab.work().join("again");
    again(&lab, 1, &[&uid, "--folder", "again"]);
    assert_eq!(std::fs::read_to_string(folder.join("out/deep/sorted.txt")).unwrap(), "a\nb\n");
    assert!(lab.fails(1, &["rerun", &uid, "--folder", "again"]).contains("is not empty: name a new folder"));

    lab.write("names.cfg", "raw.txt -r\n");
    let data = again(&lab, 1, &[&uid]);
    assert_eq!(verdicts(&data)[0], ("out/deep/sorted.txt", "different"));
    assert_eq!(data["warnings"][0], "names.cfg has changed since: it was read, but is no artifact");
}

#[test]
fn what_surrounds_a_command_is_compared() {
    let lab = Lab::new();
    lab.write("raw.txt", "b\na\n");
    lab.ok(&["save", "raw.txt", "--key", "raw.txt"]);
    let uid = tracked(&lab, &["sort", "raw.txt", "-o", "sorted.txt"]);
    let said = lab.run(&["rerun", &uid]);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    assert!(
        said.err.ends_with("→ same: sorted.txt\n→ exit code 0, 1 of 1 outputs are the same\n"),
        "{}",
        said.err
    );
    let ran = lab.run_with("LANG", "tlh", &["rerun", &uid]);
    assert!(ran.code == 0 && ran.err.contains("! variables.LANG was absent and is tlh\n"), "{}", ran.err);
}

#[test]
fn what_cannot_be_done_again_is_refused() {
    let lab = Lab::new();
    let outside = lab.home().join("out.txt");
    let pattern = outside.display().to_string();
    let uid = tracked(&lab, &["--outputs", &pattern, "--", "bash", "-c", &format!("echo 1 > {pattern}")]);
    assert!(lab.fails(1, &["rerun", &uid]).contains("outside of its project"));
    let uid = tracked(&lab, &["echo", "--token=abc"]);
    assert!(lab.fails(1, &["rerun", &uid]).contains("held secrets"));
    assert!(lab.fails(1, &["rerun", "nosuchrun"]).contains("nosuchrun"));
}
