//! The lines in which a program tells what became of a workflow: one JSON object each.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::workflow::{Job, NewWorkflow, WorkflowEnd};
use crate::error::{Error, Result};
use crate::track::Outcome;
use crate::value::Timestamp;

/// What one line tells.
#[derive(Clone, Debug)]
pub enum Entry {
    /// The workflow begins: `{"event": "workflow", "source": …}`.
    Workflow(Box<NewWorkflow>),
    /// A job has ended: `{"event": "job", "name": …}`.
    Job(Box<Job>),
    /// The workflow has ended: `{"event": "end"}`.
    End(WorkflowEnd),
}

/// Reads one line of a journal.
///
/// A workflow has `source`, `words`, `folder`, `params` and `at`; a job `name`, `code`, `words`, `params`, `inputs`,
/// `outputs`, `logs`, `outcome`, `exit_code`, `started_at`, `ended_at`, `cpu_seconds` and `peak_memory`; the end
/// `outcome`, `logs` and `at`. An outcome is `completed`, `errored` or `aborted`; moments are seconds since 1970 or text
/// in ISO 8601. What is left out is empty, unknown or now.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for what is no JSON, for fields of another kind and for unknown ones.
///
/// ```
/// use holotype::command::{Entry, read_entry};
///
/// let line = r#"{"event": "job", "name": "sort", "outputs": ["sorted.txt"], "ended_at": 1700000000.5}"#;
/// let Entry::Job(job) = read_entry(line)? else { panic!("it is a job") };
/// assert_eq!((job.name.as_str(), job.outputs.len()), ("sort", 1));
/// # Ok::<(), holotype::Error>(())
/// ```
pub fn read_entry(line: &str) -> Result<Entry> {
    let fields = match serde_json::from_str(line) {
        Ok(Json::Object(fields)) => fields,
        Ok(_) => return Err(malformed("it is no object")),
        Err(error) => return Err(malformed(&error.to_string())),
    };
    let mut fields = Fields(fields);
    let entry = match fields.text("event")?.as_deref() {
        Some("workflow") => Entry::Workflow(Box::new(NewWorkflow {
            source: fields.needed("source")?.into(),
            words: fields.texts("words")?,
            folder: fields.text("folder")?.map(PathBuf::from),
            params: fields.object("params")?,
            started_at: fields.moment("at")?,
        })),
        Some("job") => Entry::Job(Box::new(Job {
            name: fields.needed("name")?,
            code: fields.text("code")?,
            words: fields.texts("words")?,
            params: fields.object("params")?,
            inputs: fields.paths("inputs")?,
            outputs: fields.paths("outputs")?,
            copies: Vec::new(),
            logs: fields.paths("logs")?,
            outcome: fields.outcome()?,
            exit_code: fields.number("exit_code")?.map(|code| code as i32),
            started_at: fields.moment("started_at")?,
            ended_at: fields.moment("ended_at")?,
            cpu: fields
                .number("cpu_seconds")?
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .unwrap_or_default(),
            peak_memory: fields.number("peak_memory")?.unwrap_or_default() as u64,
        })),
        Some("end") => Entry::End(WorkflowEnd {
            outcome: fields.outcome()?,
            logs: fields.paths("logs")?,
            at: fields.moment("at")?,
        }),
        _ => return Err(malformed("its event is none of workflow, job and end")),
    };
    match fields.0.keys().next() {
        Some(unknown) => Err(malformed(&format!("nothing is known of a field '{unknown}'"))),
        None => Ok(entry),
    }
}

fn malformed(why: &str) -> Error {
    Error::value(format!("The line of the journal cannot be read: {why}"))
}

/// The fields of a line that nobody has asked for yet.
struct Fields(Map<String, Json>);

impl Fields {
    fn take<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl FnOnce(&Json) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.0.remove(name) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => match read(&value) {
                Some(found) => Ok(Some(found)),
                None => Err(malformed(&format!("'{name}' is not {kind}"))),
            },
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.take(name, "text", |value| value.as_str().map(str::to_owned))
    }

    fn needed(&mut self, name: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| malformed(&format!("'{name}' is missing")))
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let texts = |value: &Json| value.as_array()?.iter().map(text).collect();
        Ok(self.take(name, "a list of texts", texts)?.unwrap_or_default())
    }

    fn paths(&mut self, name: &str) -> Result<Vec<PathBuf>> {
        Ok(self.texts(name)?.into_iter().map(PathBuf::from).collect())
    }

    fn object(&mut self, name: &str) -> Result<Map<String, Json>> {
        Ok(self.take(name, "an object", |value| value.as_object().cloned())?.unwrap_or_default())
    }

    fn number(&mut self, name: &str) -> Result<Option<f64>> {
        self.take(name, "a number", Json::as_f64)
    }

    fn moment(&mut self, name: &str) -> Result<Option<Timestamp>> {
        let moment = |value: &Json| match value {
            Json::String(text) => Timestamp::parse(text),
            other => other.as_f64().map(|seconds| Timestamp((seconds * 1e6) as i64)),
        };
        self.take(name, "a moment", moment)
    }

    fn outcome(&mut self) -> Result<Outcome> {
        let outcome = |value: &Json| match value.as_str()? {
            "completed" => Some(Outcome::Completed),
            "errored" => Some(Outcome::Errored),
            "aborted" => Some(Outcome::Aborted),
            _ => None,
        };
        Ok(self.take("outcome", "completed, errored or aborted", outcome)?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_is_wrong_with_them() {
        let says = |line: &str| read_entry(line).unwrap_err().message().to_owned();
        for (line, part) in [
            ("job", "expected value"),
            ("[]", "no object"),
            (r#"{"event": "rule"}"#, "none of workflow, job and end"),
            (r#"{"event": "job"}"#, "'name' is missing"),
            (r#"{"event": "job", "name": "a", "inputs": "b"}"#, "'inputs' is not a list of texts"),
            (r#"{"event": "end", "outcome": "good"}"#, "'outcome' is not completed, errored or aborted"),
            (r#"{"event": "end", "at": "soon"}"#, "'at' is not a moment"),
            (r#"{"event": "end", "log": []}"#, "nothing is known of a field 'log'"),
        ] {
            assert!(says(line).contains(part), "{line}: {}", says(line));
        }
    }

    #[test]
    fn moments_are_seconds_or_text() {
        for at in ["1700000000.25", r#""2023-11-14T22:13:20.25Z""#] {
            let Entry::End(end) = read_entry(&format!(r#"{{"event": "end", "at": {at}}}"#)).unwrap() else {
                panic!("{at}");
            };
            assert_eq!((end.at, end.outcome), (Some(Timestamp(1_700_000_000_250_000)), Outcome::Completed));
        }
    }
}
