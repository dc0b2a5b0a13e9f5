//! `holotype run`: commands as runs, with what they read and made.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{Lab, Ran, finish};

/// A command is run, and must end with this code; returns what it printed and what `--json` says of it.
fn run(lab: &Lab, code: i32, args: &[&str]) -> (Value, String) {
    let ran = lab.run(&[&["run", "--json"], args].concat());
    assert_eq!(ran.code, code, "{args:?}\n{}\n{}", ran.out, ran.err);
    let data = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}\n{}", ran.out));
    (data, ran.err)
}

/// Keys of the inputs or outputs, sorted.
fn keys(data: &Value, which: &str) -> Vec<String> {
    let keys = data[which].as_array().unwrap().iter();
    let keys: BTreeSet<String> =
        keys.map(|found| found["artifact"]["key"].as_str().unwrap().to_owned()).collect();
    keys.into_iter().collect()
}

fn note(data: &Value) -> &Value {
    &data["run"]["extra_data"]["command"]
}

fn save(lab: &Lab, name: &str, content: &str, key: &str) -> String {
    lab.write(name, content);
    lab.json(&["save", name, "--key", key])["storage_path"].as_str().unwrap().to_owned()
}

/// The runs, the newest first.
fn runs(lab: &Lab) -> Vec<Value> {
    lab.json(&["list", "run"]).as_array().unwrap().clone()
}

fn text_of(lab: &Lab, uid: &Value) -> String {
    let instance = lab.instance();
    let registry = holotype::model::require("Artifact").unwrap();
    let artifact = instance.by_id(registry, uid.as_i64().unwrap()).unwrap();
    std::fs::read_to_string(instance.cache(&artifact).unwrap()).unwrap()
}

#[test]
fn a_script_is_a_run_with_what_it_read_and_made() {
    let lab = Lab::new();
    save(&lab, "letters.txt", "b\na\n", "raw/letters.txt");
    lab.write(
        "sort.sh",
        "mkdir -p out\ncat helper.cfg >&2\nsort letters.txt > out/part\nmv out/part out/sorted.txt\n\
         gzip -c out/sorted.txt > out/sorted.txt.gz\necho x > .hidden; echo y > z.tmp; echo sorted\n",
    );
    lab.write("helper.cfg", "settings\n");
    let (data, err) = run(&lab, 0, &["bash", "sort.sh", "--rate=3", "--token", "abc"]);
    assert_eq!(keys(&data, "inputs"), ["raw/letters.txt"]);
    assert_eq!(keys(&data, "outputs"), ["out/sorted.txt", "out/sorted.txt.gz"]);
    assert_eq!(
        (&data["transform"]["key"], &data["transform"]["kind"]),
        (&"sort.sh".into(), &"script".into())
    );
    assert!(data["transform"]["source_code"].as_str().unwrap().starts_with("mkdir -p out"));
    assert_eq!(data["run"]["cli_args"], "--rate=3 --token ***REDACTED***");
    assert_eq!(data["run"]["params"]["rate"], 3);
    assert_eq!(note(&data)["words"][4], "***REDACTED***");
    assert_eq!(note(&data)["exit_code"], 0);
    assert!(note(&data)["peak_memory"].as_u64().unwrap() > 100_000);
    assert_eq!(note(&data)["read"][0]["path"], "helper.cfg");
    let report = text_of(&lab, &data["run"]["report_id"]);
    assert!(report == "settings\nsorted\n" || report == "sorted\nsettings\n", "{report}");
    let environment: Value = serde_json::from_str(&text_of(&lab, &data["run"]["environment_id"])).unwrap();
    let programs: Vec<&str> = environment["programs"]
        .as_object()
        .unwrap()
        .keys()
        .map(|path| path.rsplit('/').next().unwrap())
        .collect();
    for program in ["bash", "gzip", "mv", "sort"] {
        assert!(programs.contains(&program), "{programs:?}");
    }
    assert!(err.contains("sorted\n") && err.contains("→ finished Run('"), "{err}");

    // The same again: the transform and the environment are those of before, and the outputs are made again.
    let (again, _) = run(&lab, 0, &["bash", "sort.sh"]);
    assert_eq!(again["transform"]["uid"], data["transform"]["uid"]);
    assert_eq!(again["run"]["environment_id"], data["run"]["environment_id"]);
    assert_eq!(again["outputs"][0]["artifact"]["uid"], data["outputs"][0]["artifact"]["uid"]);
    assert_eq!(again["outputs"][0]["artifact"]["run_id"], data["run"]["id"]);
    // Another text is another version.
    lab.write("sort.sh", "echo other\n");
    let (other, _) = run(&lab, 0, &["bash", "sort.sh"]);
    assert_eq!(other["transform"]["version"], "0001");
}

#[test]
fn output_passes_through_and_codes_come_back() {
    let lab = Lab::new();
    let ran = lab.run(&["run", "--", "bash", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!((ran.code, ran.out.as_str()), (7, "out\n"));
    assert!(ran.err.contains("err\n") && ran.err.contains("exit code 7"), "{}", ran.err);
    assert_eq!(lab.run(&["run", "--", "bash", "-c", "kill -TERM $$"]).code, 128 + 15);
    let ran = lab.run(&["run", "--", "no-such-program"]);
    assert_eq!(ran.code, 127);
    assert!(ran.err.contains("No program 'no-such-program'"), "{}", ran.err);
    lab.write("broken", "#!/no/such/interpreter\n");
    assert!(Command::new("chmod").args(["+x", "broken"]).current_dir(lab.work()).status().unwrap().success());
    let ran = lab.run(&["run", "--", "./broken"]);
    assert!(ran.code == 127 && ran.err.contains("./broken could not be started: "), "{}", ran.err);
    let codes: Vec<i64> = lab
        .instance()
        .registry("Run")
        .unwrap()
        .order_by(["id"])
        .unwrap()
        .all()
        .unwrap()
        .iter()
        .map(|run| run.int("_status_code").unwrap())
        .collect();
    assert_eq!(codes, [1, 1, 1]);
    // What feeds a pipe that nobody reads ends as ever.
    let mut command = lab.command(&lab.work(), &["run", "--", "yes"]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut head = Command::new("head")
        .arg("-1")
        .stdin(child.stdout.take().unwrap())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert!(head.wait().unwrap().success());
    assert_ne!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn redirected_input_and_output_count() {
    let lab = Lab::new();
    save(&lab, "letters.txt", "abc\n", "letters.txt");
    let line = format!("{} run -- tr a-z A-Z < letters.txt > upper.txt", env!("CARGO_BIN_EXE_holotype"));
    let mut shell = Command::new("bash");
    shell.args(["-c", &line]).current_dir(lab.work()).env("HOME", lab.home());
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = finish(shell, None);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(lab.work().join("upper.txt")).unwrap(), "ABC\n");
    assert!(
        ran.err.contains("inputs: letters.txt\n") && ran.err.contains("outputs: upper.txt\n"),
        "{}",
        ran.err
    );
}

#[test]
fn content_is_known_wherever_it_is_read() {
    let lab = Lab::new();
    let stored = save(&lab, "a.txt", "first\n", "a.txt");
    save(&lab, "b.txt", "second\n", "b.txt");
    lab.write("copies/b.txt", "second\n");
    lab.write("folder/x", "1");
    lab.write("folder/y", "2");
    let folder =
        lab.json(&["save", "folder", "--key", "folder"])["storage_path"].as_str().unwrap().to_owned();
    save(&lab, "c.txt", "third\n", "c.txt");
    std::os::unix::fs::symlink(&stored, lab.work().join("link.txt")).unwrap();
    let script = format!("cat link.txt copies/b.txt {folder}/y > all\necho more >> c.txt\n");
    let (data, _) = run(&lab, 0, &["bash", "-c", &script]);
    assert_eq!(keys(&data, "inputs"), ["a.txt", "b.txt", "c.txt", "folder"]);
    // What was changed is an input as it was, and an output as it is.
    assert_eq!(keys(&data, "outputs"), ["all", "c.txt"]);
    let c =
        data["outputs"].as_array().unwrap().iter().find(|found| found["artifact"]["key"] == "c.txt").unwrap();
    assert_eq!(c["artifact"]["version"], "0001");
    assert_eq!(data["transform"]["key"], "cat | echo");
}

#[test]
fn outputs_that_are_as_they_were_take_one_line() {
    let lab = Lab::new();
    lab.write("make.sh", "for i in 1 2 3; do echo $i > out$i.txt; done; echo $1 > changes.txt\n");
    let lines = |err: &str| -> Vec<String> {
        let outputs = |line: &&str| line.contains("outputs: ") || line.contains("same hash");
        err.lines().filter(outputs).map(str::to_owned).collect()
    };
    let named = "outputs: changes.txt, out1.txt, out2.txt, out3.txt";
    for (word, end) in [("a", named.to_owned()), ("b", format!("{named} (3 as they were)"))] {
        let (_, err) = run(&lab, 0, &["bash", "make.sh", word]);
        let told = lines(&err);
        assert!(told.len() == 1 && told[0].ends_with(&end), "{told:?}");
    }
    let (_, err) = run(&lab, 0, &["bash", "make.sh", "b"]);
    assert!(lines(&err)[0].ends_with(" (all as they were)"), "{err}");
}

#[test]
fn inputs_may_be_gone_in_the_end() {
    let lab = Lab::new();
    save(&lab, "a.txt", "first\n", "a.txt");
    save(&lab, "b.txt", "second\n", "b.txt");
    let (data, _) = run(&lab, 0, &["bash", "-c", "gzip a.txt; mv b.txt c.txt"]);
    assert_eq!(keys(&data, "inputs"), ["a.txt", "b.txt"]);
    assert_eq!(keys(&data, "outputs"), ["a.txt.gz", "c.txt"]);
}

#[test]
fn what_lies_in_storage_may_have_been_put_there_since() {
    let lab = Lab::new();
    lab.write("data/real.txt", "one\n");
    lab.ok(&["save", "data/real.txt", "--key", "real.txt"]);
    let (data, _) = run(&lab, 0, &["cat", "data/real.txt"]);
    assert_eq!(keys(&data, "inputs"), ["real.txt"]);
    lab.write("data/real.txt", "edited by hand\n");
    let (data, _) = run(&lab, 0, &["cat", "data/real.txt"]);
    assert!(keys(&data, "inputs").is_empty());
}

#[test]
fn patterns_say_what_counts() {
    let lab = Lab::new();
    lab.write("in/a.csv", "1\n");
    lab.write("in/b.txt", "2\n");
    let make = "cat in/*; mkdir -p out; for i in 1 2; do echo $i > out/$i.csv; echo $i > out/$i.log; done";
    let line = ["--outputs", "out/**", "--ignore", "*.log", "--inputs", "in/*.csv", "--prefix", "runs/1/"];
    let (data, _) = run(&lab, 0, &[line.as_slice(), &["--", "bash", "-c", make]].concat());
    assert_eq!(
        (keys(&data, "inputs"), keys(&data, "outputs")),
        (vec!["in/a.csv".to_owned()], vec!["runs/1/out/1.csv".to_owned(), "runs/1/out/2.csv".to_owned()])
    );
    assert_eq!(note(&data)["read"][0]["path"], "in/b.txt");
    let ran = lab.run(&["run", "--outputs", "/", "--", "true"]);
    assert!(ran.code == 1 && ran.err.contains("'/' is no pattern"), "{}", ran.err);
}

#[test]
fn without_tracing_the_patterns_alone_count() {
    let lab = Lab::new();
    save(&lab, "a.csv", "1\n", "a.csv");
    lab.write("old.csv", "old\n");
    let line = ["--no-trace", "--inputs", "a.csv", "--outputs", "*.csv", "--ignore", "a.csv.x"];
    let make = "cat a.csv > new.csv; echo x > other.txt";
    let (data, _) = run(&lab, 0, &[line.as_slice(), &["--", "bash", "-c", make]].concat());
    assert_eq!(
        (keys(&data, "inputs"), keys(&data, "outputs")),
        (vec!["a.csv".to_owned()], vec!["new.csv".to_owned()])
    );
    assert_eq!(note(&data)["traced"], false);
    let (none, _) = run(&lab, 0, &["--no-trace", "--", "bash", "-c", "echo 1 > x.txt"]);
    assert_eq!((keys(&none, "inputs").len(), keys(&none, "outputs").len()), (0, 0));
}

#[test]
fn programs_have_a_transform_without_code() {
    let lab = Lab::new();
    save(&lab, "a.txt", "b\na\n", "a.txt");
    let (first, _) = run(&lab, 0, &["--name", "first", "--", "sort", "a.txt", "-o", "b.txt"]);
    let (second, _) = run(&lab, 0, &["sort", "-r", "a.txt"]);
    assert_eq!(
        (&first["transform"]["key"], &first["transform"]["kind"]),
        (&"sort".into(), &"pipeline".into())
    );
    assert_eq!(first["transform"]["uid"], second["transform"]["uid"]);
    assert_eq!((first["transform"]["source_code"].is_null(), &first["run"]["name"]), (true, &"first".into()));
    assert_eq!(keys(&first, "outputs"), ["b.txt"]);
}

#[test]
fn a_dry_run_says_what_it_would_do() {
    let lab = Lab::new();
    lab.write("x.py", "print(1)\n");
    let ran = lab.run(&["run", "--dry-run", "x.py", "--secret=1"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(ran.err.contains("would run: python3 x.py --secret=***REDACTED***\n"), "{}", ran.err);
    assert!(ran.err.contains("key of the transform: x.py\n"), "{}", ran.err);
    assert!(runs(&lab).is_empty());
}

#[test]
fn runs_within_a_run_keep_what_is_theirs() {
    let lab = Lab::new();
    save(&lab, "a.txt", "1\n", "a.txt");
    let inner = format!("{} run -- sort a.txt -o b.txt", env!("CARGO_BIN_EXE_holotype"));
    // A traced command cannot be traced again: within it, patterns count.
    let inner = inner.replace("run --", "run --no-trace --inputs a.txt --outputs b.txt --");
    let (data, err) = run(&lab, 0, &["bash", "-c", &format!("{inner}; echo 2 > c.txt")]);
    assert_eq!(keys(&data, "outputs"), ["c.txt"], "{err}");
    assert!(keys(&data, "inputs").is_empty());
    let all = runs(&lab);
    let within = all.iter().find(|run| run["id"] != data["run"]["id"]).unwrap();
    assert_eq!(within["initiated_by_run_id"], data["run"]["id"]);
}

#[test]
fn a_traced_command_within_another_one_says_why_it_is_not_traced() {
    let lab = Lab::new();
    let inner = format!("{} run -- true", env!("CARGO_BIN_EXE_holotype"));
    let (_, err) = run(&lab, 0, &["bash", "-c", &inner]);
    assert!(
        err.contains("its files were not traced") && err.contains("within another `holotype run`"),
        "{err}"
    );
}

/// Waits until a file is there.
fn until(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn status(lab: &Lab) -> Vec<(i64, bool)> {
    let runs = lab.instance().registry("Run").unwrap().order_by(["id"]).unwrap().all().unwrap();
    runs.iter().map(|run| (run.int("_status_code").unwrap(), run.moment("finished_at").is_some())).collect()
}

#[test]
fn signals_reach_all_that_the_command_started() {
    let lab = Lab::new();
    let line = "trap 'echo caught; exit 3' TERM; (touch inner; exec sleep 60) & touch outer; wait";
    let child = lab.command(&lab.work(), &["run", "--", "bash", "-c", line]).spawn().unwrap();
    until(&lab.work().join("inner"));
    until(&lab.work().join("outer"));
    let begun = Instant::now();
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), b"caught\n".as_slice()));
    assert_eq!(status(&lab), [(2, true)]);
}

#[test]
fn a_killed_run_is_found_at_the_next_start() {
    let lab = Lab::new();
    let line = "echo begun; touch here; sleep 60 & echo $! > pid; wait";
    let mut child = lab.command(&lab.work(), &["run", "--", "bash", "-c", line]).spawn().unwrap();
    until(&lab.work().join("pid"));
    std::thread::sleep(Duration::from_millis(50));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status(&lab), [(-1, false)]);
    let Ran { code, err, .. } = lab.run(&["run", "--", "true"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("was killed: it is marked as aborted now"), "{err}");
    assert_eq!(status(&lab), [(2, true), (0, true)]);
    let killed = runs(&lab).pop().unwrap();
    assert_eq!(text_of(&lab, &killed["report_id"]), "begun\n");
    // Nothing is said twice.
    assert!(!lab.run(&["run", "--", "true"]).err.contains("killed"));
}

#[test]
fn commands_killed_at_any_moment_leave_a_sound_instance() {
    let lab = Lab::new();
    save(&lab, "a.txt", "1\n", "a.txt");
    for round in 0..30 {
        let line = format!("cat a.txt > made{round}.txt");
        let mut child = lab.command(&lab.work(), &["run", "--", "bash", "-c", &line]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(6 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(lab.run(&["run", "--", "true"]).code, 0);
    let instance = lab.instance();
    let found =
        instance.verify(&instance.registry("Artifact").unwrap(), holotype::care::Depth::Full).unwrap();
    assert!(found.wrong.iter().all(|wrong| wrong.state.name() == "incomplete"), "{:?}", found.wrong);
    let open = status(&lab).into_iter().filter(|(code, finished)| *code < 0 || !finished).count();
    assert_eq!(open, 0, "{:?}", status(&lab));
}
