use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use holotype::command::{Difference, Judged, Prepared, Rerun, Verdict};
use holotype::instance::settings::cache_dir;
use holotype::trace::Watch;
use holotype::{Error, Instance, model};

use crate::error::{FAILURE, Failure, Result};
use crate::execute::{self, Execution, execute};
use crate::ui::Ui;
use crate::voice::Level;

/// Do a run again and compare what it makes
///
/// Code and inputs, as they were, are put into a folder of their own. A command runs there and nothing of it is tracked; a
/// script or notebook that tracks itself is a new run, and so is the call of a tracked function, with the parameters that
/// were recorded. It succeeds when every output is the same, byte by byte.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype rerun fpM04qKzPpFUYqjc
  holotype rerun fpM04qKzPpFUYqjc --folder again     keep what it makes in ./again
  holotype rerun fpM04qKzPpFUYqjc --json")]
pub(crate) struct RerunArgs {
    /// Uid of a run of a command, script, notebook or tracked function
    run: String,
    /// New folder to run in; it is kept
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(ui: &mut Ui, args: &RerunArgs) -> Result<()> {
    ui.speak_aside();
    let instance = ui.connect()?;
    let run = instance.get_uid(model::require("Run")?, &args.run)?;
    let rerun = instance.plan_rerun(&run)?;
    for difference in &rerun.differences {
        ui.say(Level::Warning, word(difference));
    }
    let root = match &args.folder {
        Some(folder) => ui.env().absolute(folder),
        None => cache_dir(ui.env())?.join("reruns").join(format!("{}-{}", run.uid(), std::process::id())),
    };
    let done = again(ui, &instance, &rerun, &root);
    if args.folder.is_none() && root.is_dir() {
        fs::remove_dir_all(&root).map_err(|error| Error::io(&root, error))?;
    }
    let (prepared, code, judged) = done?;
    if ui.json() {
        ui.print_json(&rerun.json(&prepared.warnings, code.into(), &judged));
    } else {
        tell(ui, code, &judged);
    }
    match code == 0 && judged.same() {
        true => Ok(()),
        false => Err(Failure::Ended(FAILURE)),
    }
}

/// Runs the command in a folder of its own; returns its exit code and what came of it.
fn again(ui: &Ui, instance: &Instance, rerun: &Rerun, root: &Path) -> Result<(Prepared, i32, Judged)> {
    let prepared = rerun.prepare(instance, root)?;
    for warning in &prepared.warnings {
        ui.say(Level::Warning, warning);
    }
    let execution = Execution {
        words: &prepared.words,
        folder: &prepared.folder,
        variables: &prepared.variables,
        log: None,
    };
    let code = match execute(ui, &execution, Watch { forwards: true, ..Watch::default() }) {
        Ok((ended, _)) => execute::exit_code(ended.status),
        Err(error) => {
            ui.complain(&format!("{} could not be started: {error}", prepared.words[0]), None);
            execute::unstarted(&error).into()
        }
    };
    let judged = rerun.compare(instance, root)?;
    for warning in &judged.warnings {
        ui.say(Level::Warning, warning);
    }
    Ok((prepared, code, judged))
}

fn tell(ui: &Ui, code: i32, judged: &Judged) {
    let compared = &judged.outputs;
    for output in compared {
        let level = if output.verdict == Verdict::Same { Level::Important } else { Level::Warning };
        ui.say(level, format!("{}: {}", output.verdict.word(), output.path.display()));
    }
    let same = compared.iter().filter(|output| output.verdict == Verdict::Same).count();
    ui.say(Level::Important, format!("exit code {code}, {same} of {} outputs are the same", compared.len()));
    if let Some(run) = &judged.run {
        ui.say(Level::Important, format!("it is the new Run('{}')", run.uid()));
    }
}

/// Returns a difference of the surroundings in words.
fn word(difference: &Difference) -> String {
    // The digest of a program says nothing to people.
    if let Some(program) = difference.what.strip_prefix("programs.") {
        let how = if difference.now.is_none() { "is gone" } else { "is another one than then" };
        return format!("the program {program} {how}");
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "absent".to_owned());
    format!("{} was {} and is {}", difference.what, text(&difference.before), text(&difference.now))
}
