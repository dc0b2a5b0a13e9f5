//! The command `holotype`, also called `lamin`.

use std::process::ExitCode;

use holotype_cli::{Streams, env, run};

fn main() -> ExitCode {
    // The command brings its own voice once it knows how it was called.
    run(std::env::args_os(), env::system_env(|_| {}), Streams::of_process())
}
