//! The command line of Holotype, and the words that it shares with the Python package.
//!
//! [`run`] is the whole command: arguments and streams in, exit code out. Everything below `commands/` only speaks;
//! what it speaks about is the engine's work.
//!
//! ```
//! use holotype_cli::{Streams, env::system_env, run};
//!
//! let streams = Streams {
//!     input: Box::new(std::io::empty()),
//!     out: Box::new(std::io::sink()),
//!     err: Box::new(std::io::sink()),
//!     out_is_terminal: false,
//!     err_is_terminal: false,
//!     width: None,
//! };
//! let code = run(["holotype".into(), "--version".into()], system_env(|_| {}), streams);
//! assert_eq!(code, std::process::ExitCode::SUCCESS);
//! ```

#![warn(missing_docs)]

mod args;
mod commands;
mod entity;
pub mod env;
mod error;
mod execute;
mod link;
mod records;
pub mod table;
mod ui;
pub mod voice;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::FromArgMatches;
use holotype::Env;

/// Lets the compiler read the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

pub use error::{FAILURE, Failure, Result, SUCCESS, USAGE};
pub use ui::{Streams, Ui};

use voice::Program;

/// Runs the command with these arguments, the first of which is the name it was called by, and returns its exit code.
///
/// The only thing read before a command needs it are the arguments: `--version` and `--help` touch neither
/// settings nor databases.
pub fn run(args: impl IntoIterator<Item = OsString>, env: Env, streams: Streams) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let program = program(&args, &env);
    let mut command = args::command(program);
    let parsed = command.try_get_matches_from_mut(&args).and_then(|matches| {
        args::Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    });
    match parsed {
        Ok(cli) => {
            let mut ui = Ui::new(env, streams, program, cli.json);
            let done = commands::run(&mut ui, &cli);
            let left = ui.leave();
            let done = done.and(left);
            conclude(&ui, done, || args::usage_of(&mut command, &args))
        }
        Err(error) => {
            let ui = Ui::new(env, streams, program, false);
            // Asking for help is no failure, and a bare name asks for help.
            let help = error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
            if help || !error.use_stderr() {
                ui.print(error.to_string().trim_end());
                return exit(&ui, SUCCESS);
            }
            ui.print_error(&error.to_string());
            exit(&ui, USAGE)
        }
    }
}

/// Returns the command-line reference: the help of every command, one after the other.
pub fn reference(program: Program) -> String {
    args::reference(program)
}

/// Returns the name that the command answers to: that of its file, unless `HOLOTYPE_AS` says otherwise.
fn program(args: &[OsString], env: &Env) -> Program {
    let called = args.first().and_then(|name| Path::new(name).file_stem()).and_then(|stem| stem.to_str());
    match env.vars.get("HOLOTYPE_AS").map(String::as_str).or(called) {
        Some("lamin") => Program::Lamin,
        _ => Program::Holotype,
    }
}

fn conclude(ui: &Ui, done: Result<()>, usage: impl FnOnce() -> String) -> ExitCode {
    let Err(failure) = done else { return exit(ui, SUCCESS) };
    match &failure {
        Failure::Usage(text) => ui.print_error(&format!("error: {text}\n\n{}\n", usage())),
        Failure::Aborted => ui.print_error("Aborted.\n"),
        Failure::Ended(_) => {}
        _ => ui.complain(&failure.text(ui.program()), failure.hint(ui.program()).as_deref()),
    }
    exit(ui, failure.exit_code())
}

/// Returns the exit code, once everything is written.
fn exit(ui: &Ui, code: u8) -> ExitCode {
    match ui.finish() {
        None => ExitCode::from(code),
        // The reader closed the pipe because it has seen enough: nobody is left to be told.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(code.max(FAILURE)),
        Some(error) => {
            ui.complain(&format!("The output could not be written: {error}"), None);
            ExitCode::from(FAILURE)
        }
    }
}
