use std::path::Path;

use clap::Args;
use holotype::ErrorKind;
use holotype::command::{CommandPlan, DoneCommand, Found, NewCommand, Ran, StartedCommand};
use holotype::describe::format_size;
use serde_json::{Value as Json, json};

use crate::error::{FAILURE, Failure, Result};
use crate::execute::{self, Execution, execute};
use crate::records;
use crate::ui::Ui;
use crate::voice::Level;

/// Run a command and track what it reads and makes
///
/// Code, arguments, output, surroundings and outcome are kept in a run. On Linux the files that the command and everything
/// it starts open are traced: those that are registered become inputs, new and changed files of the project become
/// outputs under their path. The exit code is that of the command.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype run -- ./align.sh --threads 4 reads.fastq
  holotype run --outputs 'results/**' -- snakemake -c 4
  holotype run -- bash -c 'zcat reads.fastq.gz | wc -l > count.txt'
  holotype run --no-trace --inputs 'raw/*.csv' --outputs merged.csv -- Rscript merge.R
  holotype run --dry-run -- python train.py --rate=0.1")]
pub(crate) struct RunArgs {
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    words: Vec<String>,
    /// Files to save: a pattern such as 'results/**' or '*.bam'; by default all that are new or changed
    #[arg(long, alias = "register-output", value_name = "PATTERN")]
    outputs: Vec<String>,
    /// Files to register as inputs where they are not yet
    #[arg(long, value_name = "PATTERN")]
    inputs: Vec<String>,
    /// Files that are neither inputs nor outputs
    #[arg(long, value_name = "PATTERN")]
    ignore: Vec<String>,
    /// What the keys of outputs begin with, such as runs/7/
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Do not trace files: the patterns alone say what is read and made
    #[arg(long)]
    no_trace: bool,
    /// Key of the transform; by default the path of the script or the name of the program
    #[arg(long)]
    key: Option<String>,
    /// Name of the run
    #[arg(long)]
    name: Option<String>,
    /// Project of the run, by name or uid
    #[arg(long)]
    project: Option<String>,
    /// Space of everything that is made, by name or uid
    #[arg(long)]
    space: Option<String>,
    /// Branch of everything that is made, by name or uid
    #[arg(long)]
    branch: Option<String>,
    /// Only say what would be run
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &RunArgs) -> Result<()> {
    // Standard output belongs to the command.
    ui.speak_aside();
    let instance = ui.connect()?;
    let plan = match instance.plan_command(&wanted(args)) {
        Err(error) if error.kind() == ErrorKind::FileNotFound => {
            ui.complain(error.message(), None);
            return Err(Failure::Ended(execute::NOT_FOUND));
        }
        planned => planned?,
    };
    if args.dry_run {
        plan.describe().iter().for_each(|line| ui.say(Level::Important, line));
        ui.say(Level::Important, "dry run: nothing was executed or saved");
        return Ok(());
    }
    instance.close_killed()?;
    // One line at the end tells of all outputs.
    instance.with_creation(|creation| creation.silence_known = true)?;
    let started = instance.start_command(&plan)?;
    let variables = variables(&started);
    let execution = Execution {
        words: &plan.words,
        folder: &plan.folder,
        variables: &variables,
        log: Some(&started.log),
    };
    let ran = execute(ui, &execution, plan.watch());
    let (ran, code) = match ran {
        Ok((ended, elapsed)) => {
            if let Some(reason) = &ended.refused {
                ui.say(Level::Warning, untraced(reason));
            }
            let code = execute::exit_code(ended.status);
            let ran = Ran {
                code: ended.status.code(),
                signal: execute::signal(ended.status),
                stopped: ended.stopped.is_some(),
                elapsed,
                cpu: ended.cpu,
                peak_memory: ended.peak_memory,
                files: ended.files,
                untraced: args.no_trace || ended.refused.is_some(),
            };
            (ran, code)
        }
        Err(error) => {
            let code = execute::unstarted(&error);
            ui.complain(&format!("{} could not be started: {error}", plan.words[0]), None);
            (Ran { code: Some(code.into()), ..Ran::default() }, code.into())
        }
    };
    let line = ended(&ran, code);
    let done = instance.finish_command(&plan, started, ran)?;
    tell(ui, &plan, &done, &line);
    if ui.json() {
        ui.print_json(&data(&done, code));
    }
    match u8::try_from(code).unwrap_or(FAILURE) {
        0 if !done.failed.is_empty() => Err(Failure::Ended(FAILURE)),
        0 => Ok(()),
        code => Err(Failure::Ended(code)),
    }
}

fn wanted(args: &RunArgs) -> NewCommand {
    NewCommand {
        words: args.words.clone(),
        outputs: args.outputs.clone(),
        inputs: args.inputs.clone(),
        ignore: args.ignore.clone(),
        prefix: args.prefix.clone(),
        untraced: args.no_trace,
        key: args.key.clone(),
        name: args.name.clone(),
        project: args.project.clone(),
        space: args.space.clone(),
        branch: args.branch.clone(),
    }
}

/// Returns what tells a script that tracks itself which run it is part of.
fn variables(started: &StartedCommand) -> [(&'static str, String); 3] {
    let uid = started.run.uid().to_owned();
    [
        ("HOLOTYPE_RUN_UID", uid.clone()),
        ("HOLOTYPE_INITIATED_BY_RUN_UID", uid.clone()),
        ("LAMIN_INITIATED_BY_RUN_UID", uid),
    ]
}

fn untraced(reason: &str) -> String {
    format!("its files were not traced, only --inputs and --outputs count: {reason}")
}

/// Returns how the command ended, in words.
fn ended(ran: &Ran, code: i32) -> String {
    let how = match ran.signal {
        Some(signal) => format!("signal {signal}"),
        None => format!("exit code {code}"),
    };
    let (elapsed, cpu) = (ran.elapsed.as_secs_f64(), ran.cpu.as_secs_f64());
    format!(
        "{how} after {elapsed:.1} s, {cpu:.1} s of CPU, {} of memory at most",
        format_size(ran.peak_memory.cast_signed())
    )
}

fn tell(ui: &Ui, plan: &CommandPlan, done: &DoneCommand, line: &str) {
    for (path, error) in &done.failed {
        let path = path.strip_prefix(&plan.folder).unwrap_or(path);
        ui.say(Level::Warning, format!("{} is not saved: {error}", path.display()));
    }
    ui.say(Level::Important, format!("inputs: {}", names(&done.inputs, &plan.folder)));
    ui.say(Level::Important, format!("outputs: {}{}", names(&done.outputs, &plan.folder), known(done)));
    ui.say(Level::Important, format!("finished Run('{}'): {line}", done.run.uid()));
}

/// Returns files as a user calls them, the first few by name.
fn names(found: &[Found], folder: &Path) -> String {
    const SHOWN: usize = 8;
    let name = |found: &Found| {
        let key = found.record.text("key").map(str::to_owned);
        key.unwrap_or_else(|| found.path.strip_prefix(folder).unwrap_or(&found.path).display().to_string())
    };
    let mut names: Vec<String> = found.iter().take(SHOWN).map(name).collect();
    if found.len() > SHOWN {
        names.push(format!("and {} more", found.len() - SHOWN));
    }
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Returns how many outputs are what earlier runs made already.
fn known(done: &DoneCommand) -> String {
    let earlier = |found: &&Found| found.record.int("run_id") != done.run.id();
    match done.outputs.iter().filter(earlier).count() {
        0 => String::new(),
        known if known == done.outputs.len() => " (all as they were)".to_owned(),
        known => format!(" ({known} as they were)"),
    }
}

fn data(done: &DoneCommand, code: i32) -> Json {
    let files = |found: &[Found]| -> Vec<Json> {
        found
            .iter()
            .map(|found| json!({"path": found.path, "artifact": records::json(&found.record)}))
            .collect()
    };
    let failed: Vec<Json> =
        done.failed.iter().map(|(path, error)| json!({"path": path, "error": error.message()})).collect();
    json!({
        "run": records::json(&done.run),
        "transform": records::json(&done.transform),
        "exit_code": code,
        "inputs": files(&done.inputs),
        "outputs": files(&done.outputs),
        "failed": failed,
    })
}
