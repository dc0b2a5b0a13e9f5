//! Exit codes, closed pipes, colours, JSON, and the name the command answers to.

use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

use holotype::Env;
use holotype_cli::{Streams, env::system_env, run};

use crate::lab::{Lab, finish};

#[test]
fn exit_codes_tell_success_failure_and_usage() {
    let lab = Lab::empty();
    assert_eq!(lab.run(&["info"]).code, 0);
    assert_eq!(lab.run(&["list", "artifact"]).code, 1);
    assert_eq!(lab.run(&["bogus"]).code, 2);
    assert_eq!(lab.run(&["list"]).code, 2);
    assert_eq!(lab.run(&["list", "artifact", "--bogus"]).code, 2);
    assert_eq!(lab.run(&[]).code, 0);
}

#[test]
fn without_an_instance_the_next_step_is_told() {
    let err = Lab::empty().fails(1, &["list", "artifact"]);
    assert!(err.starts_with("✗ No instance is connected.\n• "), "{err}");
    assert!(err.contains("holotype init --storage ./data"), "{err}");
}

#[test]
fn json_stands_alone_on_standard_output() {
    let lab = Lab::new();
    let ran = lab.run(&["list", "branch", "--json"]);
    assert!(ran.out.starts_with('['), "{}", ran.out);
    assert_eq!(ran.err, "→ connected lamindb: anonymous/lab\n");
}

#[test]
fn nothing_is_coloured_away_from_terminals() {
    let lab = Lab::new();
    let ran = lab.run(&["switch", "nob"]);
    assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn a_reader_that_leaves_is_no_panic() {
    let lab = Lab::new();
    let mut command = lab.command(&lab.work(), &["info", "--schema"]);
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let pipe = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    command.stdout(pipe);
    let ran = finish(command, None);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
}

#[test]
fn version_and_help_need_no_home_and_no_settings() {
    let lab = Lab::new();
    std::fs::write(lab.home().join(".lamin/current_user.env"), "garbage").unwrap();
    assert_eq!(lab.ok(&["--version"]), format!("holotype {}\n", env!("CARGO_PKG_VERSION")));
    assert!(lab.ok(&["--help"]).contains("Usage: holotype"));
}

#[test]
fn under_its_other_name_it_answers_as_lamin() {
    let lab = Lab::empty();
    let as_lamin = |args: &[&str]| lab.run_with("HOLOTYPE_AS", "lamin", args);
    assert_eq!(as_lamin(&["--version"]).out, "lamindb-core, version 2.12.1\n");
    let help = as_lamin(&["save", "--help"]).out;
    assert!(help.contains("Usage: lamin save") && help.contains("  lamin save cells.parquet"), "{help}");
    assert!(!as_lamin(&["--help"]).out.contains("holotype "));
    let out = as_lamin(&["init", "--storage", "./data"]).out;
    assert!(out.starts_with("! using anonymous user (to identify, call: lamin login)\n"), "{out}");
    assert!(as_lamin(&["switch", "x"]).err.contains("run: lamin switch -c x"));

    let link = lab.home().join("lamin");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_holotype"), &link).unwrap();
    let mut command = Command::new(link);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    assert_eq!(finish(command, None).out, "lamindb-core, version 2.12.1\n");
}

/// What was written to a stand-in for a stream.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Runs the command in this process, as if it were on a terminal of this width.
fn on_terminal(lab: &Lab, vars: &[(&str, &str)], width: u16, args: &[&str]) -> (ExitCode, String, String) {
    let mut env: Env = system_env(|_| {})
        .with_vars(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    env.home = lab.home();
    env.cwd = lab.work();
    let (out, err) = (Written::default(), Written::default());
    let streams = Streams {
        input: Box::new(io::empty()),
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        out_is_terminal: true,
        err_is_terminal: true,
        width: Some(width),
    };
    let args = ["holotype"].iter().chain(args).map(Into::into);
    let code = run(args, env, streams);
    (code, out.text(), err.text())
}

#[test]
fn terminals_get_colours_unless_they_are_refused() {
    let lab = Lab::new();
    let (code, out, err) = on_terminal(&lab, &[], 80, &["switch", "nob"]);
    assert_eq!(code, ExitCode::from(1));
    assert_eq!(out, "\u{1b}[92m→\u{1b}[0m connected lamindb: anonymous/lab\n");
    assert!(err.starts_with("\u{1b}[91m✗\u{1b}[0m Branch 'nob' does not exist."), "{err}");
    let (_, out, err) = on_terminal(&lab, &[("NO_COLOR", "1")], 80, &["switch", "nob"]);
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "{out}{err}");
    let (_, out, _) = on_terminal(&lab, &[("NO_COLOR", "")], 80, &["switch", "nob"]);
    assert!(out.contains('\u{1b}'), "an empty value counts as absent");
}

#[test]
fn tables_fit_the_terminal_and_say_what_they_leave_out() {
    let lab = Lab::new();
    lab.write("a.txt", "one");
    let key = format!("{}/a.txt", "folder".repeat(20));
    lab.ok(&["save", "a.txt", "--key", &key]);
    let (code, out, _) = on_terminal(&lab, &[("NO_COLOR", "1")], 70, &["list", "artifact"]);
    assert_eq!(code, ExitCode::SUCCESS);
    let table: Vec<&str> = out.lines().skip(1).take(3).collect();
    assert!(table.iter().all(|line| line.chars().count() <= 70), "{out}");
    assert!(!out.contains(&key), "{out}");
    let told = out.lines().last().unwrap();
    assert!(told.starts_with("• 2 more columns: hash, created_at (choose with --columns"), "{out}");
    assert!(lab.ok(&["list", "artifact"]).contains(&key), "a pipe gets everything");
}
