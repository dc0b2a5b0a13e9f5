use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use holotype::command::{DoneCommand, Entry, Found, Workflow, WorkflowEnd, read_entry, read_trace};
use holotype::track::Outcome;
use holotype::{Error, Instance};
use serde_json::{Value as Json, json};

use crate::error::{Failure, Result};
use crate::records;
use crate::ui::Ui;
use crate::voice::Level;

/// Record the jobs of a workflow that a workflow manager ran
///
/// Each job becomes a run of its rule or process, with its code, parameters, inputs, outputs, log and outcome, within one
/// run of the workflow. What happened is read from the trace file of Nextflow, or from a journal: lines of JSON, which
/// may still be written while they are read. `snakemake --logger holotype` writes and records one by itself.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nextflow run main.nf -with-trace trace.txt; holotype record trace.txt
  holotype record trace.txt --source pipelines/rnaseq.nf
  my-manager --report-json | holotype record -")]
pub(crate) struct RecordArgs {
    /// Trace of Nextflow or journal; - reads a journal from standard input
    file: PathBuf,
    /// Script of the workflow that a trace tells of
    #[arg(long, value_name = "FILE", default_value = "main.nf")]
    source: PathBuf,
}

pub(crate) fn run(ui: &mut Ui, args: &RecordArgs) -> Result<()> {
    let instance = ui.connect()?;
    instance.close_killed()?;
    let mut recorder = Recorder { ui, instance, workflow: None, jobs: Vec::new(), failed: 0 };
    let taken = recorder.take_all(args);
    // What was recorded until something went wrong is closed as well.
    let ended = recorder.end();
    taken.and(ended)
}

/// What has been recorded so far.
struct Recorder<'a> {
    ui: &'a mut Ui,
    instance: Instance,
    workflow: Option<Workflow>,
    jobs: Vec<Json>,
    failed: usize,
}

impl Recorder<'_> {
    fn take_all(&mut self, args: &RecordArgs) -> Result<()> {
        if args.file == Path::new("-") {
            return self.read(std::io::stdin().lock());
        }
        let path = self.ui.env().absolute(&args.file);
        let file = std::fs::File::open(&path).map_err(|error| Error::io(&path, error))?;
        let mut file = BufReader::new(file);
        let start = file.fill_buf().map_err(|error| Error::io(&path, error))?;
        if start.first() == Some(&b'{') {
            return self.read(file);
        }
        let folder = self.ui.env().cwd.clone();
        read_trace(&path, &args.source, &folder)?.into_iter().try_for_each(|entry| self.take(entry))
    }

    /// Takes lines as they come.
    fn read(&mut self, lines: impl BufRead) -> Result<()> {
        for line in lines.lines() {
            let line = line.map_err(|error| Failure::Told(format!("The journal cannot be read: {error}")))?;
            if !line.trim().is_empty() {
                self.take(read_entry(&line)?)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, entry: Entry) -> Result<()> {
        match entry {
            Entry::Workflow(new) => {
                self.abort()?;
                self.workflow = Some(self.instance.start_workflow(&new)?);
            }
            Entry::Job(job) => {
                let workflow = self.workflow.as_mut().ok_or_else(|| {
                    Error::value(format!("The job '{}' comes before its workflow: begin with that", job.name))
                })?;
                let done = self.instance.record_job(workflow, &job)?;
                self.tell(&job.name, &done);
            }
            Entry::End(end) => self.finish(&end)?,
        }
        Ok(())
    }

    fn tell(&mut self, name: &str, done: &DoneCommand) {
        for (path, error) in &done.failed {
            self.ui.say(Level::Warning, format!("{name}: {} is left out: {error}", path.display()));
        }
        self.failed += done.failed.len();
        let keys = |found: &[Found]| -> Vec<String> {
            found.iter().filter_map(|found| found.record.text("key").map(str::to_owned)).collect()
        };
        let (inputs, outputs) = (keys(&done.inputs), keys(&done.outputs));
        let list = |keys: &[String]| if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
        self.ui.say(Level::Important, format!("{name}: {} → {}", list(&inputs), list(&outputs)));
        self.jobs.push(json!({
            "run": records::json(&done.run),
            "status": records::status(&done.run),
            "inputs": inputs,
            "outputs": outputs,
        }));
    }

    fn finish(&mut self, end: &WorkflowEnd) -> Result<()> {
        let Some(workflow) = self.workflow.take() else { return Ok(()) };
        let key = workflow.transform.text("key").unwrap_or_default().to_owned();
        let run = self.instance.finish_workflow(workflow, end)?;
        let jobs = std::mem::take(&mut self.jobs);
        let count = if jobs.len() == 1 { "1 job".to_owned() } else { format!("{} jobs", jobs.len()) };
        self.ui.say(Level::Important, format!("recorded {count} of {key} in Run('{}')", run.uid()));
        if self.ui.json() {
            self.ui.print_json(&json!({
                "run": records::json(&run),
                "status": records::status(&run),
                "jobs": jobs,
            }));
        }
        Ok(())
    }

    /// Closes a workflow that did not say how it ended: its manager was killed.
    fn abort(&mut self) -> Result<()> {
        self.finish(&WorkflowEnd { outcome: Outcome::Aborted, ..WorkflowEnd::default() })
    }

    fn end(mut self) -> Result<()> {
        self.abort()?;
        match self.failed {
            0 => Ok(()),
            count => Err(Failure::Told(format!("{count} files are left out: see above"))),
        }
    }
}
