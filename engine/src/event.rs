//! What the engine has to tell: typed events, worded and coloured by the faces.
//!
//! Every event has its words in `cli/src/voice/words.rs`; the enum is exhaustive so that the compiler asks for them.

use std::path::PathBuf;

/// One thing that happened and that a user may want to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An existing record is returned in place of a new one because its content is equal.
    ReturnedSameHash {
        /// Registry, for example `Artifact`.
        registry: &'static str,
        /// The record as users see it.
        repr: String,
    },
    /// An existing record is returned because storage, key and hash are equal.
    ReturnedSameHashAndKey {
        /// Registry, for example `Artifact`.
        registry: &'static str,
        /// The record as users see it.
        repr: String,
        /// True when the record was in the trash and has been moved back.
        from_trash: bool,
    },
    /// An existing record is returned because a record of that name exists.
    ReturnedSameName {
        /// Registry.
        registry: &'static str,
        /// The field that holds the name.
        field: String,
        /// The name.
        name: String,
    },
    /// Records with similar names exist.
    SimilarNames {
        /// Registry.
        registry: &'static str,
        /// The field that holds the name.
        field: String,
        /// The name asked for.
        name: String,
        /// The names found.
        similar: Vec<String>,
    },
    /// A registry with types was searched across all types.
    TipPassType {
        /// Registry.
        registry: &'static str,
    },
    /// A field of a returned record takes the value that was passed.
    UpdatedField {
        /// Field.
        field: String,
        /// Old value as text.
        from: String,
        /// New value as text.
        to: String,
    },
    /// The returned record keeps its key although another one was passed.
    KeptKey {
        /// Registry.
        registry: &'static str,
        /// The key of the record.
        existing: String,
        /// The key passed.
        passed: String,
    },
    /// A new version of a family is made.
    NewVersion {
        /// Key.
        key: String,
        /// Root of the storage location.
        storage: String,
    },
    /// Content equals an older version, which is the latest again.
    LatestAgain {
        /// Version that is the latest now.
        version: String,
    },
    /// A record became the head of its family because the former head went away.
    NewLatest {
        /// Registry.
        registry: &'static str,
        /// Uid of the head.
        uid: String,
    },
    /// `revises` was not the head; the head is used instead.
    RevisesNotLatest {
        /// The head as users see it.
        repr: String,
    },
    /// A new version carries another key than its predecessor.
    RenamingArtifact {
        /// Former key.
        from: String,
        /// Key passed.
        to: String,
    },
    /// Nothing links the artifact to a run.
    NoRun,
    /// A read could not be recorded as a run input.
    InputNotTracked,
    /// Content will be copied on save.
    WillCopy {
        /// Key, if any.
        key: Option<String>,
        /// Storage key below the root when there is no key.
        storage_key: String,
    },
    /// Content stays where it is.
    InPlace {
        /// Root of the location.
        root: String,
        /// Path below the root.
        key: String,
    },
    /// A name with several suffixes is reduced to its last one.
    LastSuffixOnly {
        /// The suffix kept.
        suffix: String,
        /// `file` or `key`.
        what: &'static str,
    },
    /// A suffix cannot be kept in the stored name.
    SuffixDropped {
        /// The suffix as found.
        suffix: String,
    },
    /// Content is being stored.
    Storing {
        /// Uid.
        uid: String,
        /// Target.
        path: String,
    },
    /// Content could not be stored.
    StoreFailed {
        /// The record as users see it.
        repr: String,
    },
    /// A version with a real key overwrites the content of the one before it.
    OverwritesVersion {
        /// Uid of the version whose content goes away.
        uid: String,
    },
    /// The previous content of a real key moved to its automatic key.
    KeptVersionContent {
        /// Uid.
        uid: String,
        /// New place.
        path: String,
    },
    /// What was stored in a bucket takes the place of an older copy in the cache.
    ReplacesCopy {
        /// Path of the copy.
        path: String,
    },
    /// A record went to the trash.
    Trashed {
        /// The record as users see it.
        repr: String,
    },
    /// All versions of a folder artifact go since they share one store.
    DeletingAllVersions,
    /// An object was removed from storage.
    Deleted {
        /// Its path.
        path: String,
    },
    /// An object is removed from storage as soon as the database, which lies in a bucket, was sent.
    DeletedLater {
        /// Its path.
        path: String,
    },
    /// An object stays in storage.
    Remains {
        /// Its path.
        path: String,
    },
    /// The record was never saved, so there is nothing to delete.
    NotSavedNothingToDelete,
    /// The `storage` argument does not apply to an old version of a folder.
    StorageArgumentIgnored,
    /// A real key moves in storage.
    Moving {
        /// From.
        from: String,
        /// To.
        to: String,
    },
    /// A stale object was removed after a replacement.
    DeletedStale {
        /// Storage key.
        key: String,
    },
    /// A replacement changes a real key.
    ReplacesKey {
        /// The key before and after.
        key: (String, String),
        /// The real key before and after, where it differs from the key.
        real_key: Option<(String, String)>,
    },
    /// Files of a folder will be copied into storage.
    FolderOutsideStorage {
        /// Source.
        from: String,
        /// Target.
        to: String,
    },
    /// Artifacts were made from a folder.
    CreatedFromDir {
        /// How many.
        n: usize,
        /// Storage root.
        storage: String,
        /// Key prefix.
        prefix: String,
    },
    /// Artifacts of a collection share a hash.
    NonUniqueHashes {
        /// The hashes.
        hashes: Vec<String>,
    },
    /// A storage location was created.
    StorageCreated {
        /// Root.
        root: String,
    },
    /// A storage location of another instance is referenced.
    StorageReferenced {
        /// Root.
        root: String,
        /// Uid of the managing instance.
        instance_uid: Option<String>,
    },
    /// A location bears another uid.
    StorageAlreadyMarked {
        /// Root.
        root: String,
        /// The uid found.
        uid: String,
    },
    /// A storage location cannot be written, so nobody manages it.
    NoWriteAccess {
        /// Root.
        root: String,
    },
    /// Several local storage locations are on this machine.
    LocalStoragesFound {
        /// Their roots, oldest registration first.
        roots: Vec<String>,
    },
    /// New content goes to this local storage location.
    LocalStorageChosen {
        /// Root.
        root: String,
    },
    /// Artifacts are to be kept local, but no local storage location is on this machine.
    NoLocalStorage,
    /// A local storage location has no marker, or that of another one.
    LocalStorageCorrupted {
        /// Root.
        root: String,
    },
    /// A local storage location may not be read.
    LocalStorageUnreadable {
        /// Root.
        root: String,
    },
    /// Content that was uploaded left its local storage location.
    MovedToCache {
        /// Where it is now.
        path: String,
    },
    /// An instance was initialised.
    Initialized {
        /// `owner/name`.
        slug: String,
        /// Working directory.
        dir: PathBuf,
    },
    /// An instance was connected.
    Connected {
        /// `owner/name`.
        slug: String,
    },
    /// The database in a bucket is replaced by the copy of this machine.
    CloudPush {
        /// URL of the database.
        url: String,
        /// `owner/name`.
        slug: String,
        /// Whether the lock is given back.
        unlocking: bool,
    },
    /// The lock of a database in a bucket was given back; nothing had to be sent.
    CloudUnlocked {
        /// URL of the database.
        url: String,
        /// `owner/name`.
        slug: String,
    },
    /// The copy of a database in a bucket is up to date, and the lock taken until somebody disconnects.
    CloudHeld,
    /// The lock of a new instance stays until somebody disconnects.
    CloudLocked,
    /// The user is not identified.
    AnonymousUser,
    /// The name of the instance was taken from the database URL.
    NameFromDatabase,
    /// The database is not loadable and is made anew.
    Reinitializing {
        /// Hex id.
        id: String,
    },
    /// A file of an older layout was renamed.
    Renamed {
        /// What, for example `SQLite file`.
        what: &'static str,
        /// From.
        from: String,
        /// To.
        to: String,
    },
    /// Write-ahead logging is not safe on this file system.
    RollbackJournal {
        /// Database file.
        path: String,
    },
    /// A transform was created or loaded and a run started.
    RunStarted {
        /// `created` or `loaded`.
        verb: &'static str,
        /// Uid of the transform.
        transform: String,
        /// Key of the transform.
        key: String,
        /// Uid of the run.
        run: String,
        /// `started new Run` or `re-started Run`.
        run_verb: &'static str,
        /// `YYYY-MM-DD HH:MM:SS UTC`.
        at: String,
    },
    /// A source file changed and becomes a new version.
    NewTransformVersion {
        /// `script` or `notebook`.
        kind: String,
        /// Key.
        key: String,
        /// Extra words.
        note: String,
    },
    /// A transform takes another key.
    RenamingTransform {
        /// Former key.
        from: String,
        /// New key.
        to: String,
    },
    /// Transforms with an equal file name live in other folders.
    IgnoringTransforms {
        /// Uid and key of each.
        others: Vec<(String, String)>,
    },
    /// A run finished.
    RunFinished {
        /// Uid.
        run: String,
        /// Duration in seconds.
        seconds: i64,
        /// `YYYY-MM-DD HH:MM:SS UTC`.
        at: String,
    },
    /// Secret-looking assignments were removed from a source before storing.
    RedactedSource {
        /// How many.
        n: usize,
        /// `transform source code` or another place.
        place: &'static str,
    },
    /// A result was cut to the default limit.
    Truncated {
        /// Limit.
        limit: usize,
        /// Registry.
        registry: &'static str,
    },
    /// Some of the wanted values exist in the registry, others do not.
    Loaded {
        /// Registry.
        registry: &'static str,
        /// Field that holds the values.
        field: String,
        /// The values that exist.
        values: Vec<String>,
    },
    /// Values do not exist in the registry.
    NotCreated {
        /// Registry.
        registry: &'static str,
        /// Field.
        field: String,
        /// The values.
        values: Vec<String>,
    },
    /// Some of the values that were to be validated are empty or repeated.
    TermsReceived {
        /// Unique values.
        unique: usize,
        /// Empty and repeated values.
        ignored: usize,
    },
    /// Values that were found in the registry.
    TermsValidated {
        /// How many unique values were found.
        valid: usize,
        /// Unique values received.
        unique: usize,
        /// Field.
        field: String,
    },
    /// Values that were not found in the registry.
    TermsNotValidated {
        /// The values.
        terms: Vec<String>,
        /// Unique values received.
        unique: usize,
        /// Field.
        field: String,
    },
    /// What an inspection found out about values that are not valid.
    TermsInspected {
        /// Registry.
        registry: &'static str,
        /// Values that are synonyms of valid ones.
        synonyms: Vec<String>,
        /// Values that nothing is known of.
        unknown: Vec<String>,
    },
    /// A record was created by its name.
    Created {
        /// Registry, for example `Branch`.
        registry: &'static str,
        /// Name.
        name: String,
    },
    /// Branch or space switched.
    Switched {
        /// Name.
        name: String,
    },
    /// Bytes moved by a long operation.
    Progress {
        /// Operation, such as `copying`.
        verb: &'static str,
        /// What it works on.
        name: String,
        /// Done so far, in `unit`.
        done: u64,
        /// In all, in `unit`.
        total: u64,
    },
    /// Anything else worth a line at level success.
    Done(String),
    /// Advice that shows at the default verbosity.
    Tip(String),
    /// Anything else worth a line at level warning.
    Warning(String),
    /// Anything else worth a line at level important.
    Note(String),
    /// Anything else worth a line at level info.
    Info(String),
}
