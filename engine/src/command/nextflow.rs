//! The trace of a Nextflow workflow: a table of its tasks, each with the folder that it worked in.
//!
//! What a task was given lies in its folder as links, what it made as files. Files that were published are known by
//! where they were published.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, json};
use walkdir::WalkDir;

use super::journal::Entry;
use super::workflow::{Job, NewWorkflow, WorkflowEnd};
use crate::content::Content;
use crate::error::{Error, Result};
use crate::track::Outcome;
use crate::value::Timestamp;

/// Reads the trace file of a Nextflow workflow whose folder is still there; `source` is its script.
///
/// Tasks that were taken from an earlier run are left out: they were recorded with that.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for a file that is no trace, and failures to read.
pub fn read_trace(trace: &Path, source: &Path, folder: &Path) -> Result<Vec<Entry>> {
    let mut rows = rows(trace)?;
    rows.retain(|row| row.text("status") != Some("CACHED"));
    let published = Published::below(folder);
    let codes = Codes::of(&folder.join(source));
    let jobs: Vec<Job> = rows.iter().map(|row| row.job(folder, &published, &codes)).collect();
    // A task that failed may have been tried again: the last try counts.
    let outcomes: HashMap<_, _> =
        rows.iter().zip(&jobs).map(|(row, job)| (row.text("name"), job.outcome)).collect();
    let outcome = if outcomes.values().all(|outcome| *outcome == Outcome::Completed) {
        Outcome::Completed
    } else {
        Outcome::Errored
    };
    let begin = NewWorkflow {
        source: source.to_owned(),
        folder: Some(folder.to_owned()),
        started_at: jobs.iter().filter_map(|job| job.started_at).min(),
        ..NewWorkflow::default()
    };
    let end = WorkflowEnd {
        outcome,
        logs: vec![folder.join(".nextflow.log")],
        at: jobs.iter().filter_map(|job| job.ended_at).max(),
    };
    let jobs = jobs.into_iter().map(|job| Entry::Job(Box::new(job)));
    Ok([Entry::Workflow(Box::new(begin))].into_iter().chain(jobs).chain([Entry::End(end)]).collect())
}

/// A row of the trace, by the names of its columns.
struct Row(HashMap<String, String>);

/// Returns the rows in the order in which the tasks were submitted, which those that use the files of others follow.
fn rows(trace: &Path) -> Result<Vec<Row>> {
    let no_trace = |why: String| Error::value(format!("{} is no trace of Nextflow: {why}", trace.display()));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .quoting(false)
        .flexible(true)
        .from_path(trace)
        .map_err(|error| no_trace(error.to_string()))?;
    let names = reader.headers().map_err(|error| no_trace(error.to_string()))?.clone();
    let has = |name: &str| names.iter().any(|other| other == name);
    if !has("name") || !has("status") || !(has("workdir") || has("hash")) {
        return Err(no_trace("it needs the columns name, status, and workdir or hash".to_owned()));
    }
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| no_trace(error.to_string()))?;
        let fields = names.iter().map(str::to_owned).zip(row.iter().map(str::to_owned));
        rows.push(Row(fields.filter(|(_, value)| value != "-").collect()));
    }
    rows.sort_by_key(|row| row.number("task_id").unwrap_or_default() as u64);
    Ok(rows)
}

impl Row {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok()
    }

    /// Returns name and tag of the task, as `ALIGN (sample1)` says them.
    fn process_and_tag(&self) -> (&str, Option<&str>) {
        let name = self.text("name").unwrap_or_default();
        match name.split_once(" (") {
            Some((process, tag)) => (process, Some(tag.strip_suffix(')').unwrap_or(tag))),
            None => (name, None),
        }
    }

    /// Returns the folder that the task worked in; by default a trace tells the first letters of its name alone.
    fn folder(&self, project: &Path) -> Option<PathBuf> {
        if let Some(folder) = self.text("workdir") {
            return Some(PathBuf::from(folder));
        }
        let (first, rest) = self.text("hash")?.split_once('/')?;
        let entries = fs::read_dir(project.join("work").join(first)).ok()?.flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(rest))
            .map(|entry| entry.path())
            .next()
    }

    fn job(&self, project: &Path, published: &Published, codes: &Codes) -> Job {
        let (process, tag) = self.process_and_tag();
        let mut job = Job {
            name: process.to_owned(),
            code: codes.find(process),
            outcome: match self.text("status") {
                Some("COMPLETED") => Outcome::Completed,
                Some("ABORTED") => Outcome::Aborted,
                _ => Outcome::Errored,
            },
            exit_code: self.number("exit").map(|code| code as i32),
            started_at: self.moment("start"),
            ended_at: self.moment("complete"),
            cpu: self.cpu(),
            peak_memory: self.number("peak_rss").unwrap_or_default() as u64,
            ..Job::default()
        };
        let mut params = Map::new();
        params.extend(tag.map(|tag| ("tag".to_owned(), tag.into())));
        if let Some(folder) = self.folder(project) {
            let script = fs::read_to_string(folder.join(".command.sh")).ok();
            params.extend(script.map(|script| ("script".to_owned(), json!(script))));
            job.started_at = job.started_at.or_else(|| modified(&folder.join(".command.begin")));
            job.ended_at = job.ended_at.or_else(|| modified(&folder.join(".exitcode")));
            job.logs = vec![folder.join(".command.log")];
            take_files(&mut job, &folder, published);
        }
        job.params = params;
        job
    }

    /// Returns a moment of a raw trace; others say it in the time of a zone that they do not name.
    fn moment(&self, name: &str) -> Option<Timestamp> {
        self.number(name).map(|millis| Timestamp((millis * 1000.0) as i64))
    }

    fn cpu(&self) -> Duration {
        let seconds = self.number("realtime").zip(self.number("%cpu"));
        let seconds = seconds.map_or(0.0, |(millis, percent)| millis / 1000.0 * percent / 100.0);
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

/// Notes what lies in the folder of a task: links are what it was given, all else is what it made.
fn take_files(job: &mut Job, folder: &Path, published: &Published) {
    for entry in WalkDir::new(folder).max_depth(1).min_depth(1).sort_by_file_name().into_iter().flatten() {
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if entry.path_is_symlink() {
            job.inputs.extend(fs::canonicalize(path).ok());
            continue;
        }
        if job.outcome != Outcome::Completed {
            // What a task had made when it failed goes nowhere.
            continue;
        }
        match published.place_of(path) {
            Some(place) => {
                job.copies.push((place.clone(), path.to_owned()));
                job.outputs.push(place);
            }
            None => job.outputs.push(path.to_owned()),
        }
    }
}

fn modified(path: &Path) -> Option<Timestamp> {
    let since = fs::metadata(path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok().map(Timestamp)
}

/// What lies in the project outside of the folders of tasks, by name.
struct Published(HashMap<std::ffi::OsString, Vec<PathBuf>>);

impl Published {
    fn below(project: &Path) -> Published {
        let work = project.join("work");
        let mut found: HashMap<_, Vec<PathBuf>> = HashMap::new();
        let walk = WalkDir::new(project).min_depth(1).sort_by_file_name().into_iter();
        let walk = walk.filter_entry(|entry| {
            entry.path() != work && !entry.file_name().to_string_lossy().starts_with('.')
        });
        for entry in walk.flatten() {
            found.entry(entry.file_name().to_owned()).or_default().push(entry.into_path());
        }
        Published(found)
    }

    /// Returns where what a task made was published under the same name: as a link to it, or as a copy.
    fn place_of(&self, made: &Path) -> Option<PathBuf> {
        let real = fs::canonicalize(made).ok()?;
        let candidates = self.0.get(made.file_name()?)?;
        let linked = candidates.iter().find(|place| fs::canonicalize(place).is_ok_and(|other| other == real));
        linked.or_else(|| candidates.iter().find(|place| is_copy(&real, place))).cloned()
    }
}

/// Returns true for two places with the same content.
fn is_copy(one: &Path, other: &Path) -> bool {
    let (Ok(first), Ok(second)) = (fs::metadata(one), fs::metadata(other)) else { return false };
    let alike = |found: &Metadata| (found.is_dir(), if found.is_dir() { 0 } else { found.len() });
    let content = |path: &Path| Content::identify(path).map(|(hash, _)| hash.hash);
    alike(&first) == alike(&second)
        && matches!((content(one), content(other)), (Ok(first), Ok(second)) if first == second)
}

/// The scripts of a workflow.
struct Codes(Vec<String>);

impl Codes {
    /// Reads the script and the modules beside and below it.
    fn of(source: &Path) -> Codes {
        let mut texts: Vec<String> = fs::read_to_string(source).into_iter().collect();
        let folder = source.parent().unwrap_or(source);
        let walk = WalkDir::new(folder).min_depth(1).sort_by_file_name().into_iter();
        let walk = walk.filter_entry(|entry| {
            !entry.file_name().to_string_lossy().starts_with('.') && entry.file_name() != "work"
        });
        let modules = walk.flatten().filter(|entry| {
            entry.path() != source && entry.path().extension().is_some_and(|suffix| suffix == "nf")
        });
        texts.extend(modules.filter_map(|entry| fs::read_to_string(entry.path()).ok()));
        Codes(texts)
    }

    /// Returns the text of a process; of one that goes by another name here, that of the whole script.
    fn find(&self, process: &str) -> Option<String> {
        let name = process.rsplit(':').next().unwrap_or(process);
        self.0.iter().find_map(|text| block(text, name)).or_else(|| self.0.first().cloned())
    }
}

/// Returns the lines from `process NAME {` to the brace below its beginning.
fn block(text: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &&str| {
        let rest = line.trim_start().strip_prefix("process").filter(|rest| rest.starts_with([' ', '\t']));
        rest.is_some_and(|rest| rest.split('{').next().unwrap_or_default().trim() == name)
    };
    let first = lines.iter().position(begins)?;
    let indent = lines[first].len() - lines[first].trim_start().len();
    let ends = |line: &&str| line.trim_end().len() == indent + 1 && line.trim() == "}";
    let last = lines[first..].iter().position(ends).map_or(lines.len() - 1, |count| first + count);
    Some(format!("{}\n", lines[first..=last].join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_cut_out_of_its_script() {
        let text = "process ALIGN {\n    script:\n    \"\"\"\n    awk '{print}'\n    \"\"\"\n}\n\nprocess SORT\n{\n}\n";
        assert!(block(text, "ALIGN").unwrap().ends_with("\"\"\"\n}\n"));
        assert_eq!(block(text, "SORT").unwrap(), "process SORT\n{\n}\n");
        assert_eq!(block(text, "ALI"), None);
        let codes = Codes(vec![text.to_owned()]);
        assert_eq!(codes.find("WF:SORT"), block(text, "SORT"));
        assert_eq!(codes.find("OTHER").as_deref(), Some(text));
    }
}
