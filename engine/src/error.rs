//! The one error of the engine: a kind, a message that names its object, and what lies beneath.

use std::fmt;

/// What went wrong, coarse enough for a face to choose an exception, an exit code or a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No record matches.
    DoesNotExist,
    /// More than one record matches where one was asked for.
    MultipleResults,
    /// A field, relation or lookup that the registry does not have.
    Field,
    /// A record's fields are wrong: missing, unknown, too long.
    FieldValidation,
    /// A value breaks a rule of its registry.
    Validation,
    /// An argument that makes no sense here.
    InvalidArgument,
    /// A value of the wrong form.
    Value,
    /// A value of the wrong type.
    Type,
    /// A constraint of the database or of identity would break.
    Integrity,
    /// Other records still point at the one to be removed.
    Protected,
    /// A file or folder that is not there.
    FileNotFound,
    /// A target that is there already.
    FileExists,
    /// The operating system refused access.
    PermissionDenied,
    /// Any other failure of a file system.
    Io,
    /// Content that was never completely stored.
    IncompleteArtifact,
    /// Stored bytes differ from what the registry says.
    Corrupt,
    /// A path in no registered storage location.
    UnknownStorageLocation,
    /// A storage location that belongs to another instance.
    StorageAlreadyManaged,
    /// A storage location that still holds objects.
    StorageNotEmpty,
    /// No instance of that name.
    InstanceNotFound,
    /// No instance is connected.
    InstanceNotConfigured,
    /// A settings file lacks a required key.
    SettingsOutdated,
    /// The database is of a level or kind that this version does not know.
    UnknownDatabase,
    /// The database reported a failure.
    Database,
    /// The database stayed locked by other writers.
    Busy,
    /// Somebody else has the lock of the instance.
    InstanceLocked,
    /// What is on this machine and what is in the cloud went different ways.
    SyncConflict,
    /// `connect` inside a directory bound to another instance.
    ConnectWithinDevDir,
    /// Tracking has not been started.
    TrackNotCalled,
    /// The tracking context must be changed by the user.
    UpdateContext,
    /// A branch of that name exists.
    BranchAlreadyExists,
    /// The record is locked, or lives in a space that may not be written.
    NoWriteAccess,
    /// The operation is not supported for this kind of object.
    Unsupported,
    /// The user broke the operation off.
    Interrupted,
}

/// Returns every kind, so that faces can prove that they map all of them.
pub const KINDS: &[ErrorKind] = &[
    ErrorKind::DoesNotExist,
    ErrorKind::MultipleResults,
    ErrorKind::Field,
    ErrorKind::FieldValidation,
    ErrorKind::Validation,
    ErrorKind::InvalidArgument,
    ErrorKind::Value,
    ErrorKind::Type,
    ErrorKind::Integrity,
    ErrorKind::Protected,
    ErrorKind::FileNotFound,
    ErrorKind::FileExists,
    ErrorKind::PermissionDenied,
    ErrorKind::Io,
    ErrorKind::IncompleteArtifact,
    ErrorKind::Corrupt,
    ErrorKind::UnknownStorageLocation,
    ErrorKind::StorageAlreadyManaged,
    ErrorKind::StorageNotEmpty,
    ErrorKind::InstanceNotFound,
    ErrorKind::InstanceNotConfigured,
    ErrorKind::SettingsOutdated,
    ErrorKind::UnknownDatabase,
    ErrorKind::Database,
    ErrorKind::Busy,
    ErrorKind::InstanceLocked,
    ErrorKind::SyncConflict,
    ErrorKind::ConnectWithinDevDir,
    ErrorKind::TrackNotCalled,
    ErrorKind::UpdateContext,
    ErrorKind::BranchAlreadyExists,
    ErrorKind::NoWriteAccess,
    ErrorKind::Unsupported,
    ErrorKind::Interrupted,
];

/// An error of the engine.
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of every fallible call of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Returns an error of `kind` with a message that names the object and the next step.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), source: None }
    }

    /// Returns the error with its cause attached.
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns an error for a failed file operation on `path`.
    pub fn io(path: &std::path::Path, error: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let path = path.display();
        let (kind, message) = match error.kind() {
            Io::NotFound => (ErrorKind::FileNotFound, format!("{path}")),
            Io::AlreadyExists => (ErrorKind::FileExists, format!("{path} already exists")),
            Io::PermissionDenied => (ErrorKind::PermissionDenied, format!("No permission for {path}")),
            Io::StorageFull => (ErrorKind::Io, format!("No space left on the device while writing {path}")),
            _ => (ErrorKind::Io, format!("{path}: {error}")),
        };
        Error::new(kind, message).because(error)
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the message without its causes.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Shorthands for the kinds that are raised most.
macro_rules! shorthand {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),* $(,)?) => {
        impl Error {
            $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self { Error::new(ErrorKind::$kind, message) })*
        }
    };
}
shorthand! {
    /// Returns an [`ErrorKind::InvalidArgument`] error.
    invalid => InvalidArgument,
    /// Returns an [`ErrorKind::Value`] error.
    value => Value,
    /// Returns an [`ErrorKind::Type`] error.
    type_ => Type,
    /// Returns an [`ErrorKind::Field`] error.
    field => Field,
    /// Returns an [`ErrorKind::FieldValidation`] error.
    field_validation => FieldValidation,
    /// Returns an [`ErrorKind::Validation`] error.
    validation => Validation,
    /// Returns an [`ErrorKind::Integrity`] error.
    integrity => Integrity,
    /// Returns an [`ErrorKind::DoesNotExist`] error.
    does_not_exist => DoesNotExist,
    /// Returns an [`ErrorKind::Database`] error.
    database => Database,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
