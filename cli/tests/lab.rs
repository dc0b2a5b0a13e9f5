//! A scratch home and working directory, and the command run in them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A place of its own for one test.
pub struct Lab {
    dir: TempDir,
}

/// What a run of the command left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Lab {
    /// Returns a home and a working directory without an instance.
    pub fn empty() -> Lab {
        let dir = TempDir::new().unwrap();
        for folder in ["home", "work"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        Lab { dir }
    }

    /// Returns a working directory with the instance `anonymous/lab` whose storage is `./data`.
    pub fn new() -> Lab {
        let lab = Lab::empty();
        lab.ok(&["init", "--storage", "./data", "--name", "lab"]);
        lab
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub fn work(&self) -> PathBuf {
        // The command shows real paths, and a temporary folder may lie behind a link.
        self.dir.path().canonicalize().unwrap().join("work")
    }

    /// Returns the instance of the working directory, for scenes that no command sets.
    pub fn instance(&self) -> holotype::Instance {
        let mut env = holotype_cli::env::system_env(|_| {}).with_vars([]);
        env.home = self.home();
        env.cwd = self.work();
        holotype::Instance::connect_current(&env).unwrap().unwrap()
    }

    /// Writes a file below the working directory and returns its path.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Returns the command, not yet run, with nothing of the outer world but the path to programs.
    pub fn command(&self, cwd: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holotype"));
        command.args(args).current_dir(cwd).env_clear().env("HOME", self.home());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the command with closed input.
    pub fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(&self.work(), args), None)
    }

    /// Runs the command elsewhere.
    pub fn run_in(&self, cwd: &Path, args: &[&str]) -> Ran {
        finish(self.command(cwd, args), None)
    }

    /// Runs the command and answers its questions.
    pub fn answer(&self, args: &[&str], answers: &str) -> Ran {
        finish(self.command(&self.work(), args), Some(answers))
    }

    /// Runs the command with a variable set.
    pub fn run_with(&self, name: &str, value: &str, args: &[&str]) -> Ran {
        let mut command = self.command(&self.work(), args);
        command.env(name, value);
        finish(command, None)
    }

    /// Returns the output of a run that must succeed without a word on standard error.
    pub fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}\n{}", ran.out);
        ran.out
    }

    /// Returns the JSON that a run must print and nothing else.
    pub fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{args:?}\n{}", ran.err);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{args:?}: {error}\n{}", ran.out))
    }

    /// Returns the standard error of a run that must end with this code.
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, code, "{args:?}\n{}\n{}", ran.out, ran.err);
        ran.err
    }
}

/// Runs a command to its end.
pub fn finish(mut command: Command, input: Option<&str>) -> Ran {
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().unwrap();
    if let Some(input) = input {
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Returns the uid in a representation.
pub fn uid(text: &str) -> String {
    let rest = text.split("uid='").nth(1).unwrap_or_else(|| panic!("no uid in {text}"));
    rest.split('\'').next().unwrap().to_owned()
}
