//! `holotype record`: what workflow managers ran becomes runs.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::lab::Lab;

/// What is recorded of a journal.
fn journal(lab: &Lab, entries: &[Value]) -> Value {
    let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
    lab.write("journal.jsonl", &lines.join("\n"));
    lab.json(&["record", "journal.jsonl"])
}

fn begin(lab: &Lab) -> Value {
    lab.write("flow.txt", "sort, then count\n");
    json!({"event": "workflow", "source": "flow.txt", "words": ["flow", "--fast"], "at": 1_700_000_000})
}

#[test]
fn jobs_are_runs_within_the_run_of_the_workflow() {
    let lab = Lab::new();
    lab.write("raw/a.txt", "b\na\n");
    lab.write("out/sorted.txt", "a\nb\n");
    lab.write("out/parts/1", "a\n");
    lab.write("out/parts/2", "b\n");
    lab.write("count.log", "counted\n");
    let sort = json!({
        "event": "job", "name": "sort", "code": "sort {input}", "words": ["sort", "raw/a.txt"],
        "params": {"sample": "a", "api_key": "sk-12345678901234567890"},
        "inputs": ["raw/a.txt"], "outputs": ["out/sorted.txt"],
        "started_at": 1_700_000_001.5, "ended_at": 1_700_000_003,
    });
    let split =
        json!({"event": "job", "name": "split", "inputs": ["out/sorted.txt"], "outputs": ["out/parts"]});
    let count = json!({
        "event": "job", "name": "count", "inputs": ["out/parts", "out/sorted.txt"], "outputs": ["out/none"],
        "logs": ["count.log"], "outcome": "errored", "exit_code": 3,
    });
    let end = json!({"event": "end", "outcome": "errored", "at": 1_700_000_010});
    let recorded = journal(&lab, &[begin(&lab), sort, split, count, end]);

    let whole = &recorded["run"];
    assert_eq!((&recorded["status"], &whole["cli_args"]), (&json!("errored"), &json!("--fast")));
    assert_eq!(whole["started_at"], "2023-11-14T22:13:20.000000+00:00");
    assert_eq!(whole["finished_at"], "2023-11-14T22:13:30.000000+00:00");
    let jobs = recorded["jobs"].as_array().unwrap();
    let files: Vec<_> = jobs.iter().map(|job| (&job["inputs"], &job["outputs"])).collect();
    assert_eq!(
        files,
        [
            (&json!(["raw/a.txt"]), &json!(["out/sorted.txt"])),
            (&json!(["out/sorted.txt"]), &json!(["out/parts"])),
            (&json!(["out/parts", "out/sorted.txt"]), &json!([])),
        ]
    );
    let sort = &jobs[0]["run"];
    assert_eq!(sort["initiated_by_run_id"], whole["id"]);
    assert_eq!(sort["params"], json!({"sample": "a", "api_key": "***REDACTED***"}));
    assert_eq!(sort["extra_data"]["command"]["seconds"], 1.5);
    assert_eq!(sort["finished_at"], "2023-11-14T22:13:23.000000+00:00");
    let count = &jobs[2]["run"];
    assert_eq!(
        (&jobs[2]["status"], &count["extra_data"]["command"]["exit_code"]),
        (&json!("errored"), &json!(3))
    );
    assert!(count["report_id"].is_i64());
    let transforms = lab.json(&["list", "transform"]);
    let code = |key: &str| {
        let all = transforms.as_array().unwrap();
        all.iter().find(|transform| transform["key"] == key).unwrap()["source_code"].clone()
    };
    assert_eq!(code("flow.txt:sort"), "sort {input}");
    assert_eq!(code("flow.txt"), "sort, then count\n");
    assert_eq!(code("flow.txt:count"), Value::Null);
}

#[test]
fn what_was_removed_since_is_still_known_to_those_who_read_it() {
    let lab = Lab::new();
    lab.write("passing.txt", "x\n");
    lab.write("b.txt", "y\n");
    let mut child =
        lab.command(&lab.work(), &["record", "-", "--json"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut tell = |entry: Value| {
        use std::io::Write as _;
        writeln!(child.stdin.as_mut().unwrap(), "{entry}").unwrap();
    };
    tell(begin(&lab));
    tell(json!({"event": "job", "name": "one", "outputs": ["passing.txt"]}));
    let saved = |key: &str| {
        !lab.json(&["list", "artifact", "--filter", &format!("key={key}")]).as_array().unwrap().is_empty()
    };
    let begun = Instant::now();
    while !saved("passing.txt") {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "jobs are to be recorded while the workflow goes on"
        );
        thread::sleep(Duration::from_millis(20));
    }
    fs::remove_file(lab.work().join("passing.txt")).unwrap();
    tell(
        json!({"event": "job", "name": "two", "inputs": ["passing.txt"], "outputs": ["b.txt", "never.txt"]}),
    );
    // The manager is killed: it never tells of the end.
    let done = child.wait_with_output().unwrap();
    let recorded: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(recorded["jobs"][1]["inputs"], json!(["passing.txt"]));
    assert_eq!(recorded["jobs"][1]["outputs"], json!(["b.txt"]));
    assert_eq!(recorded["status"], "aborted");
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(told.contains("never.txt is left out") && !done.status.success(), "{told}");
}

#[test]
fn within_a_run_of_the_workflow_jobs_keep_what_is_theirs() {
    let lab = Lab::new();
    let program = env!("CARGO_BIN_EXE_holotype");
    lab.write(
        "flow.sh",
        &format!(
            "mkdir -p out; echo x > out/a.txt; echo y > beside.txt\n{program} record journal.jsonl &> /dev/null\n"
        ),
    );
    let job = json!({"event": "job", "name": "make", "outputs": ["out"]});
    let lines = [json!({"event": "workflow", "source": "flow.sh"}), job, json!({"event": "end"})];
    lab.write("journal.jsonl", &lines.map(|line| line.to_string()).join("\n"));
    // What is there already is made again the second time.
    for _ in 0..2 {
        let ran = lab.run(&["run", "--json", "--", "bash", "flow.sh"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let outer: Value = serde_json::from_str(&ran.out).unwrap();
        let outputs = outer["outputs"].as_array().unwrap();
        let keys: Vec<_> = outputs.iter().map(|found| &found["artifact"]["key"]).collect();
        assert_eq!(keys, ["beside.txt"]);
        let runs = lab.json(&["list", "run"]);
        assert_eq!(runs[0]["initiated_by_run_id"], outer["run"]["id"]);
    }
    assert_eq!(lab.json(&["list", "run"]).as_array().unwrap().len(), 4);
}

#[test]
fn malformed_journals_are_refused() {
    let lab = Lab::new();
    lab.write("journal.jsonl", "{\"event\": \"job\", \"name\": \"early\"}\n");
    let ran = lab.run(&["record", "journal.jsonl"]);
    assert!(ran.code != 0 && ran.err.contains("The job 'early' comes before its workflow"), "{}", ran.err);
    let lines = [begin(&lab).to_string(), "{\"event\": \"jop\"}".to_owned()];
    lab.write("journal.jsonl", &lines.join("\n"));
    let ran = lab.run(&["record", "journal.jsonl"]);
    assert!(ran.code != 0 && ran.err.contains("none of workflow, job and end"), "{}", ran.err);
    assert!(lab.json(&["list", "run"])[0]["finished_at"].is_string(), "the run of the workflow is closed");
    lab.write("table.txt", "a\tb\n1\t2\n");
    let ran = lab.run(&["record", "table.txt"]);
    assert!(ran.code != 0 && ran.err.contains("is no trace of Nextflow"), "{}", ran.err);
}

/// A task of Nextflow as it leaves its folder behind.
fn task(lab: &Lab, folder: &str, inputs: &[&str], outputs: &[(&str, &str)]) {
    lab.write(&format!("{folder}/.command.sh"), "#!/bin/bash -ue\nsort …\n");
    lab.write(&format!("{folder}/.command.log"), "what it said\n");
    lab.write(&format!("{folder}/.exitcode"), "0");
    for input in inputs {
        let target = lab.work().join(input);
        let link = lab.work().join(folder).join(Path::new(input).file_name().unwrap());
        std::os::unix::fs::symlink(target, link).unwrap();
    }
    for (name, content) in outputs {
        lab.write(&format!("{folder}/{name}"), content);
    }
}

const MAIN: &str = "process SORT {\n    publishDir 'results'\n    script:\n    \"\"\"\n    sort $reads > ${id}.sorted\n    \"\"\"\n}\n\ninclude { COUNT } from './modules/count'\n";
const COUNT: &str = "process COUNT {\n    script:\n    'wc -l *.sorted > counts.txt'\n}\n";

#[test]
fn a_trace_of_nextflow_is_recorded_with_its_files() {
    let lab = Lab::new();
    lab.write("main.nf", MAIN);
    lab.write("modules/count.nf", COUNT);
    lab.write("raw/a.txt", "b\na\n");
    lab.write("raw/b.txt", "d\nc\n");
    task(&lab, "work/0a/11aaaa", &["raw/a.txt"], &[("a.sorted", "a\nb\n")]);
    task(&lab, "work/0b/22bbbb", &["raw/b.txt"], &[("b.sorted", "c\nd\n")]);
    task(
        &lab,
        "work/0c/33cccc",
        &["work/0a/11aaaa/a.sorted", "work/0b/22bbbb/b.sorted"],
        &[("counts.txt", "4\n")],
    );
    // Published as a link, as a copy, and not at all.
    fs::create_dir(lab.work().join("results")).unwrap();
    std::os::unix::fs::symlink(
        lab.work().join("work/0a/11aaaa/a.sorted"),
        lab.work().join("results/a.sorted"),
    )
    .unwrap();
    lab.write("results/b.sorted", "c\nd\n");
    let work = lab.work();
    let row = |at: u32, name: &str, folder: &str, status: &str| {
        format!(
            "{at}\t{name}\t{status}\t0\t170000000{at}000\t170000000{at}500\t500\t150.0\t1048576\t{}/work/{folder}\n",
            work.display()
        )
    };
    let trace = [
        "task_id\tname\tstatus\texit\tstart\tcomplete\trealtime\t%cpu\tpeak_rss\tworkdir\n".to_owned(),
        // Rows come in the order in which tasks end.
        row(2, "SORT (b)", "0b/22bbbb", "COMPLETED"),
        row(1, "SORT (a)", "0a/11aaaa", "COMPLETED"),
        row(3, "COUNTS:COUNT", "0c/33cccc", "COMPLETED"),
    ];
    lab.write("trace.txt", &trace.concat());
    let recorded = lab.json(&["record", "trace.txt"]);
    let jobs = recorded["jobs"].as_array().unwrap();
    let files: Vec<_> = jobs.iter().map(|job| (&job["inputs"], &job["outputs"])).collect();
    assert_eq!(
        files,
        [
            (&json!(["raw/a.txt"]), &json!(["results/a.sorted"])),
            (&json!(["raw/b.txt"]), &json!(["results/b.sorted"])),
            (&json!(["results/a.sorted", "results/b.sorted"]), &json!(["work/0c/33cccc/counts.txt"])),
        ]
    );
    let first = &jobs[0]["run"];
    assert_eq!((&first["params"]["tag"], &jobs[0]["status"]), (&json!("a"), &json!("completed")));
    assert_eq!(first["started_at"], "2023-11-14T22:13:21.000000+00:00");
    let note = &first["extra_data"]["command"];
    assert_eq!(
        (&note["seconds"], &note["cpu_seconds"], &note["peak_memory"]),
        (&json!(0.5), &json!(0.75), &json!(1_048_576))
    );
    let transforms = lab.json(&["list", "transform"]);
    let code: Vec<_> =
        transforms.as_array().unwrap().iter().map(|one| (&one["key"], &one["source_code"])).collect();
    assert_eq!(
        code,
        [
            (&json!("main.nf:COUNTS:COUNT"), &json!(COUNT)),
            (&json!("main.nf:SORT"), &json!(MAIN.split("\n\n").next().unwrap().to_owned() + "\n")),
            (&json!("main.nf"), &json!(MAIN)),
        ]
    );
    assert_eq!(recorded["status"], "completed");
}

#[test]
fn a_trace_by_default_is_enough_and_tasks_may_be_tried_again() {
    let lab = Lab::new();
    lab.write("main.nf", MAIN);
    lab.write("raw/a.txt", "b\na\n");
    task(&lab, "work/0a/11aaaa", &["raw/a.txt"], &[("a.sorted", "a\n")]);
    task(&lab, "work/0b/22bbbb", &["raw/a.txt"], &[("a.sorted", "a\nb\n")]);
    let header = "task_id\thash\tnative_id\tname\tstatus\texit\tsubmit\tduration\trealtime\t%cpu\tpeak_rss\n";
    let rest = "2023-11-14 22:13:20.000\t1.2s\t800ms\t90.1%\t1.5 MB";
    let row = |at: u32, hash: &str, name: &str, status: &str, exit: u32| {
        format!("{at}\t{hash}\t4711\t{name}\t{status}\t{exit}\t{rest}\n")
    };
    let (failed, done) =
        (row(1, "0a/11aa", "SORT (1)", "FAILED", 1), row(2, "0b/22bb", "SORT (1)", "COMPLETED", 0));
    let cached = row(3, "0c/33cc", "COUNT", "CACHED", 0);
    lab.write("trace.txt", &format!("{header}{failed}{done}{cached}"));
    let recorded = lab.json(&["record", "trace.txt"]);
    let jobs = recorded["jobs"].as_array().unwrap();
    let ends: Vec<_> = jobs.iter().map(|job| job["status"].clone()).collect();
    assert_eq!(ends, ["errored", "completed"]);
    assert_eq!((&jobs[0]["inputs"], &jobs[0]["outputs"]), (&json!(["raw/a.txt"]), &json!([])));
    assert_eq!(jobs[1]["outputs"], json!(["work/0b/22bbbb/a.sorted"]));
    assert_eq!(recorded["status"], "completed");

    lab.write("trace.txt", &format!("{header}{failed}"));
    let recorded = lab.json(&["record", "trace.txt"]);
    assert_eq!(recorded["status"], "errored");
}
