//! The words of every event.

use holotype::Event;

use super::Level::{self, *};
use super::{Program, noun, runs, terms};

/// Returns the level and the words of an event.
pub(super) fn word(event: &Event, program: Program) -> (Level, String) {
    match event {
        Event::ReturnedSameHash { registry, repr } => same_hash(registry, repr),
        Event::ReturnedSameHashAndKey { registry, repr, from_trash } => {
            // The two blanks are part of the message as the format's users know it.
            let place = if *from_trash { "from trash" } else { "" };
            (Warning, format!("returning {} {place} with same hash & key: {repr}", noun(registry)))
        }
        Event::ReturnedSameName { registry, field, name } => {
            (Important, format!("returning {} with same {field}: '{name}'", noun(registry)))
        }
        Event::SimilarNames { registry, field, name, similar } => {
            (Warning, terms::similar(registry, field, name, similar))
        }
        Event::TipPassType { registry } => {
            (Warning, format!("tip: pass `type` to map {} into a type hierarchy", noun(registry)))
        }
        Event::UpdatedField { field, from, to } => (Warning, format!("updated {field} from {from} to {to}")),
        Event::KeptKey { registry, existing, passed } => {
            let noun = noun(registry);
            (
                Warning,
                format!(
                    "key {existing} on existing {noun} differs from passed key {passed}, keeping original key; update \
                     manually if needed or pass skip_hash_lookup=True if you want to duplicate the {noun}"
                ),
            )
        }
        Event::NewVersion { key, storage } => {
            (Important, format!("creating new artifact version for key '{key}' in storage '{storage}'"))
        }
        Event::LatestAgain { version } => {
            (Important, format!("content equals version {version} of this artifact, which is now the latest"))
        }
        Event::NewLatest { registry, uid } => {
            (ImportantHint, format!("new latest {registry} version is: {uid}"))
        }
        Event::RevisesNotLatest { repr } => {
            (Warning, format!("`revises` was not the latest version, updated it to the current head: {repr}"))
        }
        Event::RenamingArtifact { from, to } => (Warning, format!("renaming artifact from '{from}' to {to}")),
        Event::NoRun => {
            (Warning, "no run & transform got linked, call `ln.track()` & re-run".to_owned())
        }
        Event::InputNotTracked => {
            (Warning, "run input wasn't tracked, call `ln.track()` and re-run".to_owned())
        }
        Event::WillCopy { key, storage_key } => {
            let key = match key {
                Some(key) => format!("key '{key}'"),
                None => format!("key `None` ('{storage_key}')"),
            };
            (Hint, format!("path content will be copied to default storage upon `save()` with {key}"))
        }
        Event::InPlace { root, key } => (Hint, format!("path in storage '{root}' with key '{key}'")),
        Event::LastSuffixOnly { suffix, what } => (
            Hint,
            format!(
                "{what} has more than one suffix (path.suffixes), using only last suffix: '{suffix}' - if you want \
                 your composite suffix to be recognized add it to lamindb.core.storage.VALID_SIMPLE_SUFFIXES.add()"
            ),
        ),
        Event::SuffixDropped { suffix } => (
            Hint,
            format!("suffix '{suffix}' is not kept: a suffix has at most 30 letters, digits, '.', '_' and '-'"),
        ),
        Event::Storing { uid, path } => (Save, format!("storing artifact '{uid}' at '{path}'")),
        Event::StoreFailed { repr } => (Warning, format!("could not upload artifact: {repr}")),
        Event::OverwritesVersion { uid } => {
            (Warning, format!("version {uid} shares its storage path with this version and is overwritten"))
        }
        Event::KeptVersionContent { uid, path } => {
            (Important, format!("the content of version {uid} is kept at {path}"))
        }
        Event::ReplacesCopy { path } => (Info, format!("replacing the existing cache path {path}")),
        Event::Trashed { repr } => (Important, format!("moved record to trash: {repr}")),
        Event::DeletingAllVersions => (
            Important,
            "deleting all versions of this artifact because they all share the same store".to_owned(),
        ),
        Event::Deleted { path } => (Success, format!("deleted {path}")),
        Event::DeletedLater { path } => (Success, format!("deleted {path}, which goes when the database is sent")),
        Event::Remains { path } => (Important, format!("a file/folder remains here: {path}")),
        Event::NotSavedNothingToDelete => {
            (Warning, "record is not yet saved, delete has no effect".to_owned())
        }
        Event::StorageArgumentIgnored => (
            Warning,
            "storage argument is ignored; can't delete store of a previous version if overwrite_versions is True"
                .to_owned(),
        ),
        Event::Moving { from, to } => (Important, format!("moving artifact from '{from}' to '{to}'")),
        Event::DeletedStale { key } => (Success, format!("deleted stale object at storage key {key}")),
        Event::ReplacesKey { key, real_key } => (Warning, replaces_key(key, real_key.as_ref())),
        Event::FolderOutsideStorage { from, to } => (
            Warning,
            format!("folder is outside existing storage location, will copy files from {from} to {to}"),
        ),
        Event::CreatedFromDir { n, storage, prefix } => (
            Success,
            format!("created {n} artifacts from directory using storage {storage} and key = {}/", prefix.trim_end_matches('/')),
        ),
        Event::NonUniqueHashes { hashes } => {
            let hashes: Vec<String> = hashes.iter().map(|hash| format!("'{hash}'")).collect();
            (
                Warning,
                format!("your collection contains artifacts with non-unique hashes:  [{}]", hashes.join(", ")),
            )
        }
        Event::StorageCreated { root } => (Important, format!("created managed storage location at {root}")),
        Event::StorageReferenced { root, instance_uid } => {
            let manager = instance_uid.as_ref().map(|uid| format!(", is managed by instance with uid {uid}"));
            (
                Important,
                format!("referenced read-only storage location at {root}{}", manager.unwrap_or_default()),
            )
        }
        Event::StorageAlreadyMarked { root, uid } => (
            Warning,
            format!(
                "storage location {root} is already marked with uid {uid}, meaning that it is managed by another \
                 LaminDB instance -- if you manage your instance with LaminHub you get an overview of all your \
                 storage locations"
            ),
        ),
        Event::NoWriteAccess { root } => (
            Important,
            format!("due to lack of write access, LaminDB won't manage this storage location: {root}"),
        ),
        Event::LocalStoragesFound { roots } => {
            (Important, format!("found locations:\n - {}", roots.join("\n - ")))
        }
        Event::LocalStorageChosen { root } => (Important, format!("defaulting to local storage: {root}")),
        Event::NoLocalStorage => (
            Warning,
            "no local storage location found in current environment: defaulting to cloud storage".to_owned(),
        ),
        Event::LocalStorageCorrupted { root } => (
            Warning,
            format!("local storage location '{root}' is corrupted, cannot find marker file with storage uid"),
        ),
        Event::LocalStorageUnreadable { root } => {
            (Warning, format!("ignoring the following location because no permission to read it: {root}"))
        }
        Event::MovedToCache { path } => (Important, format!("moved local artifact to cache: {path}")),
        Event::Initialized { slug, dir } => {
            (Important, format!("initialized database {slug} in {}", dir.display()))
        }
        Event::Connected { slug } => (Important, format!("connected lamindb: {slug}")),
        Event::CloudPush { url, slug, unlocking } => {
            let what = if *unlocking { "updating & unlocking" } else { "updating" };
            (Warning, format!("{what} cloud SQLite '{url}' of instance '{slug}'"))
        }
        Event::CloudUnlocked { url, slug } => {
            (Warning, format!("unlocking cloud SQLite '{url}' of instance '{slug}'"))
        }
        Event::CloudHeld => (
            Warning,
            format!("updating local SQLite & locking cloud SQLite (sync back & unlock: {} disconnect)", program.name()),
        ),
        Event::CloudLocked => (
            Warning,
            format!(
                "locked instance (to unlock and push changes to the cloud SQLite file, call: {} disconnect)",
                program.name()
            ),
        ),
        Event::AnonymousUser => {
            (Warning, format!("using anonymous user (to identify, call: {} login)", program.name()))
        }
        Event::NameFromDatabase => {
            (Warning, "using the sql database name for the instance name".to_owned())
        }
        Event::Reinitializing { id } => (
            Warning,
            format!("instance exists with id {id}, but database is not loadable: re-initializing"),
        ),
        Event::Renamed { what, from, to } => (Warning, renamed(what, from, to)),
        Event::RollbackJournal { path } => (
            Warning,
            format!(
                "{path} is on a file system where write-ahead logging is not safe: using a rollback journal, writers \
                 wait for readers"
            ),
        ),
        Event::RunStarted { verb, transform, key, run, run_verb, at } => {
            (Important, format!("{verb} Transform('{transform}', key='{key}'), {run_verb}('{run}') at {at}"))
        }
        Event::NewTransformVersion { kind, key, note } => {
            (Important, format!("found {kind} {key}, making new version{note}"))
        }
        Event::RenamingTransform { from, to } => (Important, format!("renaming transform {from} to {to}")),
        Event::IgnoringTransforms { others } => (Important, runs::ignoring(others)),
        Event::RunFinished { run, seconds, at } => {
            (Important, format!("finished Run('{run}') after {} at {at}", runs::duration(*seconds)))
        }
        Event::RedactedSource { n, place } => {
            (Warning, format!("redacted {n} secret-looking assignment(s) before persisting {place}"))
        }
        Event::Truncated { limit, registry } => {
            (Warning, format!("truncated query result to limit={limit} {registry} objects"))
        }
        Event::Loaded { registry, field, values } => (Success, terms::loaded(registry, field, values)),
        Event::NotCreated { registry, field, values } => (Info, terms::not_created(registry, field, values)),
        Event::TermsReceived { unique, ignored } => (Warning, terms::received(*unique, *ignored)),
        Event::TermsValidated { valid, unique, field } => {
            (Success, format!("{} validated for {field}", terms::share(*valid, *unique, "")))
        }
        Event::TermsNotValidated { terms: values, unique, field } => {
            (Warning, terms::not_validated(values, *unique, field))
        }
        Event::TermsInspected { registry, synonyms, unknown } => {
            (Print, terms::inspected(registry, synonyms, unknown))
        }
        Event::Created { registry, name } => (Important, format!("created {}: {name}", noun(registry))),
        Event::Switched { name } => (Important, format!("switched to {name}")),
        Event::Progress { verb, name, done, total } => (Print, progress(verb, name, *done, *total)),
        Event::Done(text) => (Success, text.clone()),
        Event::Tip(text) => (ImportantHint, text.clone()),
        Event::Warning(text) => (Warning, text.clone()),
        Event::Note(text) => (Important, text.clone()),
        Event::Info(text) => (Info, text.clone()),
    }
}

/// Each registry ends with its own advice on how to track the record as an input.
fn same_hash(registry: &str, repr: &str) -> (Level, String) {
    let noun = noun(registry);
    match registry {
        "Artifact" => (
            Important,
            format!(
                "returning artifact with same hash: {repr}; to track this artifact as an input, use: ln.Artifact.get()"
            ),
        ),
        "Collection" => (
            Warning,
            format!(
                "returning collection with same hash: {repr}; if you intended to query to track this collection as an \
                 input, use: ln.Collection.get()"
            ),
        ),
        _ => (Important, format!("returning {noun} with same hash: {repr}")),
    }
}

fn replaces_key((old, new): &(String, String), real: Option<&(String, String)>) -> String {
    let start = format!("replacing the file will replace key '{old}' with '{new}'");
    match real {
        None => format!("{start} and delete '{old}' upon `save()`"),
        Some((old, new)) => {
            format!("{start}, _real_key '{old}' with '{new}' and delete '{old}' upon `save()`")
        }
    }
}

fn renamed(what: &str, from: &str, to: &str) -> String {
    match what {
        "SQLite file" => format!("The SQLite file is being renamed from {from} to {to}"),
        _ => format!("found {what}, renaming it from {from} to {to}"),
    }
}

fn progress(verb: &str, name: &str, done: u64, total: u64) -> String {
    // An empty file is complete from the start.
    let share = if total == 0 { 100.0 } else { done as f64 * 100.0 / total as f64 };
    format!("... {verb} {name}: {share:.1}%")
}
