//! The run of a script, notebook or function that tracks itself, done again: a new run of the same transform.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value as Json;
use walkdir::{DirEntry, WalkDir};

use super::call::{self, Call, with_places_moved};
use super::files::{copy, empty_folder, moved, write_program};
use super::{Compared, Judged, Prepared, Verdict, refuse_secrets};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::hash::{digest_file, source_hash};
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::surroundings::{self, Difference, Process, Surroundings};
use crate::track::{AGAIN, notebook_text};
use crate::uid;
use crate::value::Value;

/// Holds the uid of the new run, in the folder where it runs.
const NEW_RUN: &str = ".holotype-rerun";

/// Without a repository, files beside the code are taken along up to this number and this size in all.
const FILES: usize = 2000;
const BYTES: u64 = 200 << 20;

/// What is kept of a run that tracked itself.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    kept: Surroundings,
    process: Process,
    file: PathBuf,
    /// The folder that is filled again: the repository, else that in which the code ran.
    base: PathBuf,
    form: Form,
}

/// What the code is, which says how it runs again.
#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// By the words with which it was called.
    Script,
    /// By nbconvert.
    Jupyter,
    /// By itself, whatever showed it to a person.
    Marimo,
    /// By importing it and calling one of its functions.
    Call(Call),
}

impl Tracked {
    /// Returns what is kept of a run.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] where that is too little.
    pub(super) fn of(instance: &Instance, run: &Record, transform: &Record) -> Result<Tracked> {
        let uid = run.uid();
        let call = Call::of(instance, run, transform)?;
        let started = starter(instance, run)?;
        let Some((starter, kept)) = started else {
            return Err(Error::value(format!(
                "Run('{uid}') was not started by `holotype run`, and nothing is kept of how it was started"
            )));
        };
        let process = process(&kept);
        let file = match starter.int("transform_id") == transform.id() {
            true => process.file.clone(),
            false => Some(call::found(&process, transform)),
        };
        let Some(file) = file.filter(|_| transform.text("source_code").is_some()) else {
            return Err(Error::value(format!("Run('{uid}') has no source code that could run again")));
        };
        let form = match file.extension().and_then(|suffix| suffix.to_str()) {
            _ if call.is_some() => call.map_or(Form::Script, Form::Call),
            Some("ipynb") => Form::Jupyter,
            Some("py") if transform.text("kind") == Some("notebook") => Form::Marimo,
            _ => Form::Script,
        };
        if form == Form::Script {
            refuse_secrets(uid, &process.words)?;
        }
        let base = base(&kept, &process, &file, instance.env());
        Ok(Tracked { kept, process, file, base, form })
    }

    /// Returns what of the surroundings is no longer as it was.
    pub(super) fn differences(&self, env: &Env) -> Vec<Difference> {
        let mut process = self.process.clone();
        if let Some(version) = version(&process.program) {
            let name = process.interpreter.split(' ').next().unwrap_or_default();
            process.interpreter = format!("{name} {version}");
        }
        let now = surroundings::environment(env, &process, &self.file);
        surroundings::differences(&self.kept.environment, &now)
    }

    /// Fills an empty folder with the code as it was and what lay around it, and fetches the inputs.
    pub(super) fn prepare(
        &self,
        instance: &Instance,
        run: &Record,
        transform: &Record,
        root: &Path,
    ) -> Result<Prepared> {
        let root = empty_folder(root)?;
        for input in instance.related(run, "input_artifacts")?.all()? {
            instance.cache(&input)?;
        }
        let mut warnings = self.bring_files(instance, run, &root)?;
        let inside = |path: &Path| path.strip_prefix(&self.base).map(|rest| root.join(rest));
        let file =
            inside(&self.file).unwrap_or_else(|_| root.join(self.file.file_name().unwrap_or_default()));
        warnings.extend(self.write_code(transform, &file)?);
        let folder = match inside(&self.process.folder) {
            Ok(folder) => folder,
            Err(_) => {
                let text = "lies outside of its project: it runs beside its code";
                warnings.push(format!("{} {text}", self.process.folder.display()));
                file.parent().unwrap_or(&root).to_owned()
            }
        };
        fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        let again = uid::random(instance.env(), 16);
        let note = root.join(NEW_RUN);
        fs::write(&note, &again).map_err(|error| Error::io(&note, error))?;
        let mut variables = vec![
            ("LAMIN_CURRENT_INSTANCE", instance.settings().slug().to_string()),
            (AGAIN, format!("{}:{again}", run.uid())),
        ];
        if self.form == Form::Jupyter {
            variables.push(("NBPRJ_TEST_NBPATH", file.to_string_lossy().into_owned()));
        }
        let words = self.words(&root, &file, &mut warnings)?;
        Ok(Prepared { words, folder, variables, warnings })
    }

    /// Returns the words that run the code at its new place.
    fn words(&self, root: &Path, file: &Path, warnings: &mut Vec<String>) -> Result<Vec<String>> {
        let mut program = self.process.program.to_string_lossy().into_owned();
        if !self.process.program.is_file() {
            warnings.push(format!("{program} is gone: python3 runs in its place"));
            program = "python3".to_owned();
        }
        let place = file.to_string_lossy().into_owned();
        let rest: Vec<String> = match &self.form {
            Form::Marimo => vec![place],
            Form::Jupyter => {
                let words = "-m nbconvert --to notebook --execute --inplace --log-level=ERROR \
                             --ExecutePreprocessor.timeout=-1 --ExecutePreprocessor.kernel_name=python3";
                words.split(' ').map(str::to_owned).chain([place]).collect()
            }
            Form::Call(call) => call.words(&self.process.path, &self.base, root, file)?,
            Form::Script => self.called(root, &place),
        };
        Ok(std::iter::once(program).chain(rest).collect())
    }

    /// Returns the words after the program with which a script was called, at its new place.
    fn called(&self, root: &Path, place: &str) -> Vec<String> {
        let again = |word: &String| {
            // The code itself may be called by another way to the same place.
            let named = fs::canonicalize(self.process.folder.join(word));
            let own = word == &*self.file.to_string_lossy() || named.is_ok_and(|named| named == self.file);
            if own { place.to_owned() } else { moved(word, &self.base, root) }
        };
        self.process.words.iter().skip(1).map(again).collect()
    }

    /// Puts the files that lay around the code into a folder; returns what is not as it was.
    fn bring_files(&self, instance: &Instance, run: &Record, root: &Path) -> Result<Vec<String>> {
        let repository = &self.kept.origin["repository"];
        let Some(commit) = repository["commit"].as_str().filter(|_| self.in_repository()) else {
            return self.copy_older(instance, run, root);
        };
        let mut warnings = Vec::new();
        if repository["too_large"] == Json::Bool(true) {
            warnings.push("the changes since the commit were too large to keep: they are absent".to_owned());
        }
        let difference = self.kept.difference.as_deref();
        warnings.extend(surroundings::restore(instance.env(), &self.base, commit, difference, root)?);
        for entry in repository["untracked"].as_array().into_iter().flatten() {
            let Some(path) = entry["path"].as_str() else { continue };
            let (from, to) = (self.base.join(path), root.join(path));
            if from == self.file || to.exists() {
                continue;
            }
            let now = digest_file(&from).ok().map(|digest| digest.to_hex());
            match (entry["digest"].as_str(), now) {
                (Some(then), Some(now)) if then == now => copy(&from, &to)?,
                // A folder, or a large file: what it held is not known.
                (None, _) => {}
                _ => warnings.push(format!("{path} has changed or is gone: it was in no commit")),
            }
        }
        Ok(warnings)
    }

    fn in_repository(&self) -> bool {
        self.kept.origin["repository"]["root"].as_str().is_some_and(|root| Path::new(root) == self.base)
    }

    /// Copies what lay beside the code before the run began; outputs came later, and so did other changes.
    fn copy_older(&self, instance: &Instance, run: &Record, root: &Path) -> Result<Vec<String>> {
        let began = run.moment("started_at").map_or(0, |moment| moment.0);
        let began = UNIX_EPOCH + Duration::from_micros(u64::try_from(began).unwrap_or(0));
        let storages = instance.registry("Storage")?.all()?;
        let storages: BTreeSet<PathBuf> =
            storages.iter().filter_map(|storage| fs::canonicalize(storage.text("root")?).ok()).collect();
        let taken = |entry: &DirEntry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0
                || !(name.starts_with('.')
                    || name == "__pycache__"
                    || entry.path().join("pyvenv.cfg").exists()
                    || fs::canonicalize(entry.path()).is_ok_and(|path| storages.contains(&path)))
        };
        let (mut files, mut bytes, mut later) = (0, 0, 0);
        for entry in WalkDir::new(&self.base).sort_by_file_name().into_iter().filter_entry(taken) {
            let Ok(entry) = entry else { continue };
            let Some(found) = entry.metadata().ok().filter(|found| found.is_file()) else { continue };
            if entry.path() == self.file {
                continue;
            }
            if found.modified().is_ok_and(|changed| changed > began) {
                later += 1;
                continue;
            }
            (files, bytes) = (files + 1, bytes + found.len());
            if files > FILES || bytes > BYTES {
                let text =
                    "holds much beside the code: not all of it is there, keep the code in a repository";
                return Ok(vec![format!("{} {text}", self.base.display())]);
            }
            let rest = entry.path().strip_prefix(&self.base).unwrap_or(entry.path());
            copy(entry.path(), &root.join(rest))?;
        }
        let text = "of its files changed or came since the run began: they are absent";
        Ok(if later > 0 { vec![format!("{later} {text}")] } else { Vec::new() })
    }

    fn write_code(&self, transform: &Record, file: &Path) -> Result<Option<String>> {
        let code = transform.text("source_code").unwrap_or_default();
        match self.form {
            Form::Jupyter => write_program(file, &notebook_text(code, transform.text("description")))?,
            Form::Script | Form::Marimo | Form::Call(_) => write_program(file, code)?,
        }
        let changed = transform.text("hash") != Some(source_hash(code).as_str());
        Ok(changed.then(|| format!("secrets in {} are blanked out", file.display())))
    }

    /// Returns how the outputs of a run came out in the new run that the folder names.
    pub(super) fn compare(&self, instance: &Instance, run: &Record, root: &Path) -> Result<Judged> {
        let note = root.join(NEW_RUN);
        let uid = fs::read_to_string(&note).map_err(|error| Error::io(&note, error))?;
        let new = instance.registry("Run")?.filter(Q::is("uid", uid))?.first()?;
        let mut warnings = Vec::new();
        let made = match &new {
            Some(new) => outputs(instance, new)?,
            None => {
                warnings.push("it ended before it tracked a run".to_owned());
                Vec::new()
            }
        };
        let mut compared = Vec::new();
        for first in outputs(instance, run)? {
            let alike = |other: &&Record| match first.text("key") {
                Some(key) => other.text("key") == Some(key),
                None => other.text("description") == first.text("description"),
            };
            let again =
                made.iter().find(|other| other.uid() == first.uid()).or_else(|| made.iter().find(alike));
            let verdict = match (again, instance.content_of(&first)?) {
                (None, _) => Verdict::Missing,
                (Some(again), _) if again.uid() == first.uid() => Verdict::Same,
                (Some(_), None) => Verdict::Unknown,
                (Some(again), Some(content)) => match instance.content_of(again)? {
                    None => Verdict::Unknown,
                    Some(other) if other.digest == content.digest => Verdict::Same,
                    Some(_) => Verdict::Different,
                },
            };
            let path = first.text("key").or(first.text("description")).unwrap_or(first.uid()).into();
            compared.push(Compared { path, uid: first.uid().to_owned(), verdict });
        }
        compared.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(new) = &new {
            warnings.extend(other_inputs(instance, run, new)?);
            let params = |run: &Record| run.get("params").and_then(Value::as_json).cloned();
            let root = fs::canonicalize(root).map_err(|error| Error::io(root, error))?;
            if params(run).map(|then| with_places_moved(&then, &self.base, &root)) != params(new) {
                warnings.push("its parameters are others than then".to_owned());
            }
        }
        Ok(Judged { outputs: compared, run: new, warnings })
    }
}

/// Returns the artifacts that a run made, those that were there already included.
fn outputs(instance: &Instance, run: &Record) -> Result<Vec<Record>> {
    let id = run.id().unwrap_or_default();
    let made = Q::is("run_id", id).or(Q::is("recreating_runs", id));
    let all = instance.query(model::require("Artifact")?).filter(made)?.order_by(["id"])?.all()?;
    let mut seen = BTreeSet::new();
    Ok(all.into_iter().filter(|artifact| seen.insert(artifact.id())).collect())
}

/// Says which inputs were others: whoever asks for the latest version gets the latest one.
fn other_inputs(instance: &Instance, run: &Record, new: &Record) -> Result<Vec<String>> {
    let read = |run: &Record| -> Result<BTreeSet<(String, String)>> {
        let inputs = instance.related(run, "input_artifacts")?.all()?;
        let name = |input: &Record| input.text("key").unwrap_or(input.stem_uid()).to_owned();
        Ok(inputs.iter().map(|input| (name(input), input.uid().to_owned())).collect())
    };
    let (then, now) = (read(run)?, read(new)?);
    let gone = then.difference(&now).map(|(name, uid)| format!("it read {name} ({uid}) then, and not now"));
    let added = now.difference(&then).map(|(name, uid)| format!("it read {name} ({uid}) now, and not then"));
    Ok(gone.chain(added).collect())
}

/// Returns the run of which it is known how it was started, and what surrounded it: the run itself, else the nearest of
/// those that called it.
fn starter(instance: &Instance, run: &Record) -> Result<Option<(Record, Surroundings)>> {
    let mut seen = BTreeSet::new();
    let mut next = Some(run.clone());
    while let Some(run) = next.filter(|run| seen.insert(run.id())) {
        if let Some(kept) = instance.surroundings(&run)? {
            return Ok(Some((run, kept)));
        }
        let caller = run.int("initiated_by_run_id").filter(|_| run.text("entrypoint").is_some());
        next = caller.map(|id| instance.by_id(model::require("Run")?, id)).transpose()?;
    }
    Ok(None)
}

/// Returns the folder to fill again.
fn base(kept: &Surroundings, process: &Process, file: &Path, env: &Env) -> PathBuf {
    let repository = kept.origin["repository"]["root"].as_str().map(PathBuf::from);
    let around = |folder: &PathBuf| file.starts_with(folder);
    let own = || file.parent().unwrap_or(file).to_owned();
    // A home is no project.
    let called = || Some(process.folder.clone()).filter(|folder| around(folder) && *folder != env.home);
    repository.filter(around).or_else(called).unwrap_or_else(own)
}

/// Returns what the process knew of itself.
fn process(kept: &Surroundings) -> Process {
    let origin = &kept.origin;
    let path = |name: &str| origin[name].as_str().map(PathBuf::from);
    let texts = |name: &str| -> Vec<String> {
        origin[name].as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    Process {
        interpreter: kept.environment["interpreter"].as_str().unwrap_or_default().to_owned(),
        program: path("program").unwrap_or_default(),
        prefix: PathBuf::new(),
        path: texts("path").into_iter().map(PathBuf::from).collect(),
        folder: path("folder").unwrap_or_default(),
        words: texts("words"),
        file: path("file"),
    }
}

/// Returns the version that an interpreter says it has.
fn version(program: &Path) -> Option<String> {
    let said = Command::new(program).arg("--version").output().ok()?.stdout;
    String::from_utf8(said).ok()?.split_whitespace().last().map(str::to_owned)
}
