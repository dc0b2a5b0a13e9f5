//! What a command line stands for, and which files are to be looked at while it runs.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::recognise::{self, Code, recognise};
use super::rules::Rules;
use crate::db::Sql;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::source_hash;
use crate::instance::Instance;
use crate::trace::{Files, Watch};
use crate::track::{SourceFile, SourceKind, redacted_arguments};
use crate::value::{Kind, Value};

/// A command that a user wants to run, and what is to become of its files.
#[derive(Clone, Debug, Default)]
pub struct NewCommand {
    /// The words of the command line.
    pub words: Vec<String>,
    /// Patterns of the files to save as outputs; all new and changed ones in the project by default.
    pub outputs: Vec<String>,
    /// Patterns of the files to register as inputs where they are not yet.
    pub inputs: Vec<String>,
    /// Patterns of files to pass over.
    pub ignore: Vec<String>,
    /// What the keys of outputs begin with.
    pub prefix: Option<String>,
    /// Files are not traced: the patterns alone say what is read and made.
    pub untraced: bool,
    /// Key of the transform instead of the one that follows from the command.
    pub key: Option<String>,
    /// Name of the run.
    pub name: Option<String>,
    /// Project, by name or uid.
    pub project: Option<String>,
    /// Space of everything that is made, by name or uid.
    pub space: Option<String>,
    /// Branch of everything that is made, by name or uid.
    pub branch: Option<String>,
}

/// A command that can be run.
#[derive(Clone, Debug)]
pub struct CommandPlan {
    /// The words to run, the program first.
    pub words: Vec<String>,
    /// Where the program was found; links are not followed.
    pub program: PathBuf,
    /// Where it runs.
    pub folder: PathBuf,
    /// Key of the transform.
    pub key: String,
    /// What the code is called with.
    pub arguments: Vec<String>,
    pub(super) source: Option<SourceFile>,
    /// The source is a file, not text on the command line.
    on_disk: bool,
    pub(super) rules: Rules,
    pub(super) new: NewCommand,
    /// Folders that the command finds beside those of its outputs.
    pub(super) folders: Vec<PathBuf>,
    sizes: HashSet<u64>,
}

impl CommandPlan {
    /// Returns what to watch while the command runs.
    pub fn watch(&self) -> Watch {
        Watch {
            files: Files::inside(self.rules.folders()).keeping(self.sizes.clone()),
            traced: !self.new.untraced,
            forwards: true,
        }
    }

    /// Returns the source file, where there is one on disk.
    pub(super) fn script_path(&self) -> Option<&Path> {
        self.source.as_ref().filter(|_| self.on_disk).map(|source| source.path.as_path())
    }

    /// Returns the plan of a command that somebody else runs, for what is to be known of it afterwards.
    pub(super) fn of_others(
        words: Vec<String>,
        arguments: Vec<String>,
        program: PathBuf,
        folder: PathBuf,
        source: Option<SourceFile>,
        key: String,
        rules: Rules,
    ) -> CommandPlan {
        CommandPlan {
            arguments,
            on_disk: source.as_ref().is_some_and(|source| source.path.is_file()),
            new: NewCommand::default(),
            folders: Vec::new(),
            sizes: HashSet::new(),
            words,
            program,
            folder,
            key,
            source,
            rules,
        }
    }

    /// Says in one line what would be run.
    pub fn describe(&self) -> Vec<String> {
        let code = match (self.script_path(), &self.source) {
            (Some(path), _) => format!("script {}", path.display()),
            (None, Some(_)) => "text on the command line".to_owned(),
            (None, None) => format!("program {}", self.program.display()),
        };
        vec![
            format!("would run: {}", redacted_arguments(&self.words).join(" ")),
            format!("code: {code}"),
            format!("key of the transform: {}", self.key),
        ]
    }
}

impl Instance {
    /// Returns what a command line stands for; nothing is written.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] without words and for malformed patterns, [`ErrorKind::FileNotFound`] for a
    /// program that is not there.
    pub fn plan_command(&self, new: &NewCommand) -> Result<CommandPlan> {
        let folder = fs::canonicalize(&self.env().cwd).map_err(|error| Error::io(&self.env().cwd, error))?;
        let mut words = new.words.clone();
        let first = words.first().ok_or_else(|| Error::invalid("Pass a command to run"))?;
        let own = folder.join(first);
        // A source that cannot run itself is run by what its suffix says.
        if own.is_file()
            && let Some(runner) = recognise::runner(&own)
            && !(first.contains('/') && is_executable(&own))
        {
            words.insert(0, runner.to_owned());
        }
        let program = self.program(&words[0], &folder)?;
        let recognised = recognise(&words, &folder);
        let (key, source) = match &recognised.code {
            Code::Script { path } => {
                let path = fs::canonicalize(path).map_err(|error| Error::io(path, error))?;
                let mut source = self.source_file(&path, false)?;
                source.key = self.key_of(&path, &folder)?;
                (source.key.clone(), Some(source))
            }
            Code::Text { text, name } => (name.clone(), Some(text_source(name, text, &folder))),
            Code::Program { name } => (name.clone(), None),
        };
        Ok(CommandPlan {
            program,
            key: new.key.clone().unwrap_or(key),
            arguments: recognised.arguments,
            rules: Rules::new(self, new, &words, &folder)?,
            sizes: self.known_sizes()?,
            on_disk: matches!(recognised.code, Code::Script { .. }),
            source,
            words,
            folder,
            new: new.clone(),
            folders: Vec::new(),
        })
    }

    /// Returns where a program is, looked up as a shell does.
    pub(super) fn program(&self, name: &str, folder: &Path) -> Result<PathBuf> {
        let missing = |name: &str| {
            Error::new(ErrorKind::FileNotFound, format!("No program '{name}': check its name and PATH"))
        };
        let found = if name.contains('/') {
            Some(folder.join(name)).filter(|path| is_executable(path))
        } else {
            let path = self.env().vars.get("PATH").map_or("/usr/local/bin:/usr/bin:/bin", String::as_str);
            path.split(':').map(|dir| folder.join(dir).join(name)).find(|path| is_executable(path))
        };
        found.ok_or_else(|| missing(name))
    }

    /// Returns the key of a file: its path below the project, else below the working folder, else its name.
    pub(super) fn key_of(&self, path: &Path, folder: &Path) -> Result<String> {
        let name = || path.file_name().map(PathBuf::from).unwrap_or_default();
        let relative = self
            .below_project(path)
            .or_else(|| path.strip_prefix(folder).ok().map(Path::to_owned))
            .unwrap_or_else(name);
        match relative.to_str() {
            Some(key) => Ok(key.to_owned()),
            None => Err(Error::value(format!(
                "The path {} is not valid UTF-8: rename the file first",
                path.display()
            ))),
        }
    }

    /// Returns the sizes of everything that is registered: a file of another size cannot be any of it.
    fn known_sizes(&self) -> Result<HashSet<u64>> {
        let sql = Sql::new("SELECT DISTINCT \"size\" FROM \"lamindb_artifact\" WHERE \"size\" IS NOT NULL");
        let rows = self.db().rows(&sql, &[Kind::BigInt])?;
        let sizes = rows.iter().filter_map(|row| row.first().and_then(Value::as_int));
        Ok(sizes.filter_map(|size| u64::try_from(size).ok()).collect())
    }
}

/// Returns text of the command line as a source.
pub(super) fn text_source(name: &str, text: &str, folder: &Path) -> SourceFile {
    SourceFile {
        path: folder.join(name.replace('/', "_")),
        kind: SourceKind::Script,
        key: name.to_owned(),
        source_code: text.to_owned(),
        hash: source_hash(text),
        title: None,
        interactive: false,
        gaps: Vec::new(),
    }
}

fn is_executable(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    path.is_file()
}
