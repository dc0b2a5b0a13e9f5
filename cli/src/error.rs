//! Why a command failed, what to do next, and the exit code.

use std::fmt;

use holotype::{Error, ErrorKind};

use crate::voice::Program;

/// Exit code of a command that did its work.
pub const SUCCESS: u8 = 0;
/// Exit code of a command that failed.
pub const FAILURE: u8 = 1;
/// Exit code of a command that was called wrongly.
pub const USAGE: u8 = 2;
/// Exit code of a command that the user broke off, as shells know it.
const INTERRUPTED: u8 = 130;

/// Why a command did not do its work.
#[derive(Debug)]
pub enum Failure {
    /// The engine refused or failed.
    Engine(Error),
    /// The command itself found that it cannot go on.
    Told(String),
    /// The command was called with arguments that do not fit together.
    Usage(String),
    /// The user closed the input at a question, or said no to what the command is for.
    Aborted,
    /// What was run ended with this code and has spoken for itself.
    Ended(u8),
}

/// The result of a command.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Engine(error)
    }
}

impl Failure {
    /// Returns true when the engine failed with this kind of error.
    pub fn is(&self, kind: ErrorKind) -> bool {
        matches!(self, Failure::Engine(error) if error.kind() == kind)
    }

    /// Returns the exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => USAGE,
            Failure::Ended(code) => *code,
            _ if self.is(ErrorKind::Interrupted) => INTERRUPTED,
            _ => FAILURE,
        }
    }

    /// Returns the message, with advice naming the commands of `program`.
    pub fn text(&self, program: Program) -> String {
        program.advise(&self.to_string())
    }

    /// Returns what to do next, where the message does not say it.
    pub fn hint(&self, program: Program) -> Option<String> {
        let Failure::Engine(error) = self else { return None };
        let program = program.name();
        Some(match error.kind() {
            ErrorKind::InstanceNotConfigured => {
                format!(
                    "make one here: {program} init --storage ./data, or use a known one: {program} connect owner/name"
                )
            }
            ErrorKind::IncompleteArtifact => {
                format!(
                    "save the same content again to complete it, or delete it: {program} delete artifact --uid …"
                )
            }
            ErrorKind::NoWriteAccess => {
                "ask who locked it, or work on a branch or space that you may write".to_owned()
            }
            ErrorKind::Corrupt => "restore the file from a copy and save it again".to_owned(),
            _ => return None,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The operating system's message is the bare path; a sentence names what is wrong with it.
            Failure::Engine(error)
                if error.kind() == ErrorKind::FileNotFound && error.message().starts_with('/') =>
            {
                write!(f, "No such file or folder: {}", error.message())
            }
            Failure::Engine(error) => f.write_str(error.message()),
            Failure::Told(text) | Failure::Usage(text) => f.write_str(text),
            Failure::Aborted => f.write_str("Aborted."),
            Failure::Ended(code) => write!(f, "It ended with exit code {code}."),
        }
    }
}
