//! The words of every event, as the format's users know them.

use holotype::Event;
use holotype_cli::voice::{LEVELS, Level, Program, VERBOSITIES, line, shown, verbosity, word, word_as};

fn says(event: Event, level: Level, text: &str) {
    assert_eq!(word(&event), (level, text.to_owned()), "{event:?}");
}

fn s(text: &str) -> String {
    text.to_owned()
}

#[test]
fn levels_have_their_number_sign_colour_and_verbosity() {
    let table: Vec<(u8, Option<char>, Option<u8>, u8)> = LEVELS
        .into_iter()
        .map(|level| (level.number(), level.glyph(), level.colour(), level.verbosity()))
        .collect();
    assert_eq!(
        table,
        [
            (40, Some('✗'), Some(91), 0),
            (31, Some('→'), Some(92), 1),
            (32, Some('•'), Some(94), 1),
            (30, Some('!'), Some(93), 1),
            (25, Some('✓'), Some(92), 2),
            (21, Some('✓'), Some(92), 3),
            (20, Some('•'), Some(94), 3),
            (15, Some('•'), Some(96), 4),
            (10, Some('•'), Some(90), 5),
            (41, None, None, 0),
        ]
    );
}

#[test]
fn verbosities_have_names_and_numbers() {
    for (number, name) in VERBOSITIES.into_iter().enumerate() {
        assert_eq!(verbosity(name).map(usize::from), Some(number));
        assert_eq!(verbosity(&number.to_string()).map(usize::from), Some(number));
    }
    assert_eq!(verbosity("loud"), None);
    assert_eq!(verbosity("6"), None);
    assert_eq!(verbosity(""), None);
}

#[test]
fn a_message_shows_from_its_verbosity_on() {
    assert!(shown(Level::Warning, 1));
    assert!(!shown(Level::Warning, 0));
    assert!(!shown(Level::Success, 1));
    assert!(shown(Level::Save, 3) && !shown(Level::Save, 2));
    assert!(shown(Level::Print, 0) && shown(Level::Error, 0));
}

#[test]
fn a_line_is_sign_blank_text_with_colour_only_on_the_sign() {
    assert_eq!(line(Level::Important, "saved", false), "→ saved");
    assert_eq!(line(Level::Important, "saved", true), "\u{1b}[92m→\u{1b}[0m saved");
    assert_eq!(line(Level::Print, "tree", true), "tree");
}

#[test]
fn returned_records() {
    says(
        Event::ReturnedSameHash { registry: "Artifact", repr: s("Artifact(uid='a')") },
        Level::Important,
        "returning artifact with same hash: Artifact(uid='a'); to track this artifact as an input, use: \
         ln.Artifact.get()",
    );
    says(
        Event::ReturnedSameHash { registry: "Collection", repr: s("Collection(uid='a')") },
        Level::Warning,
        "returning collection with same hash: Collection(uid='a'); if you intended to query to track this collection \
         as an input, use: ln.Collection.get()",
    );
    says(
        Event::ReturnedSameHash { registry: "Schema", repr: s("Schema(uid='a')") },
        Level::Important,
        "returning schema with same hash: Schema(uid='a')",
    );
    says(
        Event::ReturnedSameHashAndKey { registry: "Artifact", repr: s("A()"), from_trash: false },
        Level::Warning,
        "returning artifact  with same hash & key: A()",
    );
    says(
        Event::ReturnedSameHashAndKey { registry: "Artifact", repr: s("A()"), from_trash: true },
        Level::Warning,
        "returning artifact from trash with same hash & key: A()",
    );
    says(
        Event::ReturnedSameName { registry: "ULabel", field: s("name"), name: s("apple") },
        Level::Important,
        "returning ulabel with same name: 'apple'",
    );
    says(
        Event::UpdatedField { field: s("description"), from: s("None"), to: s("d2") },
        Level::Warning,
        "updated description from None to d2",
    );
    says(
        Event::KeptKey { registry: "Artifact", existing: s("a"), passed: s("b") },
        Level::Warning,
        "key a on existing artifact differs from passed key b, keeping original key; update manually if needed or \
         pass skip_hash_lookup=True if you want to duplicate the artifact",
    );
}

#[test]
fn similar_names() {
    let event = |similar: &[&str]| Event::SimilarNames {
        registry: "ULabel",
        field: s("name"),
        name: s("apples"),
        similar: similar.iter().map(|name| s(name)).collect(),
    };
    says(
        event(&["apple"]),
        Level::Warning,
        "you are trying to create a ulabel with name='apples' but a record with similar name exists: 'apple'. Did you \
         mean to load it?",
    );
    says(
        event(&["apple", "apples!"]),
        Level::Warning,
        "you are trying to create a ulabel with name='apples' but records with similar names exist: 'apple', \
         'apples!'. Did you mean to load one of them?",
    );
    says(
        Event::TipPassType { registry: "ULabel" },
        Level::Warning,
        "tip: pass `type` to map ulabel into a type hierarchy",
    );
}

#[test]
fn versions() {
    says(
        Event::NewVersion { key: s("k"), storage: s("/root") },
        Level::Important,
        "creating new artifact version for key 'k' in storage '/root'",
    );
    says(
        Event::LatestAgain { version: s("0000") },
        Level::Important,
        "content equals version 0000 of this artifact, which is now the latest",
    );
    says(
        Event::NewLatest { registry: "Artifact", uid: s("abc0001") },
        Level::ImportantHint,
        "new latest Artifact version is: abc0001",
    );
    says(
        Event::RevisesNotLatest { repr: s("A()") },
        Level::Warning,
        "`revises` was not the latest version, updated it to the current head: A()",
    );
    says(
        Event::RenamingArtifact { from: s("a"), to: s("b") },
        Level::Warning,
        "renaming artifact from 'a' to b",
    );
    says(
        Event::OverwritesVersion { uid: s("u0000") },
        Level::Warning,
        "version u0000 shares its storage path with this version and is overwritten",
    );
    says(
        Event::KeptVersionContent { uid: s("u0000"), path: s("/r/u0000.csv") },
        Level::Important,
        "the content of version u0000 is kept at /r/u0000.csv",
    );
    says(
        Event::ReplacesCopy { path: s("/cache/bucket/x.csv") },
        Level::Info,
        "replacing the existing cache path /cache/bucket/x.csv",
    );
}

#[test]
fn tracking_is_missing() {
    says(Event::NoRun, Level::Warning, "no run & transform got linked, call `ln.track()` & re-run");
    says(Event::InputNotTracked, Level::Warning, "run input wasn't tracked, call `ln.track()` and re-run");
}

#[test]
fn where_content_goes() {
    says(
        Event::WillCopy { key: Some(s("k")), storage_key: s(".lamindb/u.txt") },
        Level::Hint,
        "path content will be copied to default storage upon `save()` with key 'k'",
    );
    says(
        Event::WillCopy { key: None, storage_key: s(".lamindb/u.txt") },
        Level::Hint,
        "path content will be copied to default storage upon `save()` with key `None` ('.lamindb/u.txt')",
    );
    says(Event::InPlace { root: s("./r"), key: s("k") }, Level::Hint, "path in storage './r' with key 'k'");
    says(
        Event::LastSuffixOnly { suffix: s(".bai"), what: "file" },
        Level::Hint,
        "file has more than one suffix (path.suffixes), using only last suffix: '.bai' - if you want your composite \
         suffix to be recognized add it to lamindb.core.storage.VALID_SIMPLE_SUFFIXES.add()",
    );
    says(
        Event::SuffixDropped { suffix: s(".a b") },
        Level::Hint,
        "suffix '.a b' is not kept: a suffix has at most 30 letters, digits, '.', '_' and '-'",
    );
    says(Event::Storing { uid: s("u"), path: s("/r/u") }, Level::Save, "storing artifact 'u' at '/r/u'");
    says(Event::StoreFailed { repr: s("A()") }, Level::Warning, "could not upload artifact: A()");
}

#[test]
fn deletion() {
    says(Event::Trashed { repr: s("A()") }, Level::Important, "moved record to trash: A()");
    says(
        Event::DeletingAllVersions,
        Level::Important,
        "deleting all versions of this artifact because they all share the same store",
    );
    says(Event::Deleted { path: s("/r/k") }, Level::Success, "deleted /r/k");
    says(Event::Remains { path: s("/r/k") }, Level::Important, "a file/folder remains here: /r/k");
    says(Event::NotSavedNothingToDelete, Level::Warning, "record is not yet saved, delete has no effect");
    says(
        Event::StorageArgumentIgnored,
        Level::Warning,
        "storage argument is ignored; can't delete store of a previous version if overwrite_versions is True",
    );
}

#[test]
fn moving_and_replacing() {
    says(Event::Moving { from: s("a"), to: s("b") }, Level::Important, "moving artifact from 'a' to 'b'");
    says(
        Event::DeletedStale { key: s(".lamindb/u.txt") },
        Level::Success,
        "deleted stale object at storage key .lamindb/u.txt",
    );
    says(
        Event::ReplacesKey { key: (s("a.csv"), s("a.data")), real_key: None },
        Level::Warning,
        "replacing the file will replace key 'a.csv' with 'a.data' and delete 'a.csv' upon `save()`",
    );
    says(
        Event::ReplacesKey { key: (s("a.csv"), s("a.data")), real_key: Some((s("x.csv"), s("x.data"))) },
        Level::Warning,
        "replacing the file will replace key 'a.csv' with 'a.data', _real_key 'x.csv' with 'x.data' and delete \
         'x.csv' upon `save()`",
    );
}

#[test]
fn folders_and_collections() {
    says(
        Event::FolderOutsideStorage { from: s("/f"), to: s("/r/f") },
        Level::Warning,
        "folder is outside existing storage location, will copy files from /f to /r/f",
    );
    says(
        Event::CreatedFromDir { n: 3, storage: s("/r"), prefix: s("f") },
        Level::Success,
        "created 3 artifacts from directory using storage /r and key = f/",
    );
    says(
        Event::NonUniqueHashes { hashes: vec![s("h"), s("i")] },
        Level::Warning,
        "your collection contains artifacts with non-unique hashes:  ['h', 'i']",
    );
}

#[test]
fn storage_locations() {
    says(Event::StorageCreated { root: s("/r") }, Level::Important, "created managed storage location at /r");
    says(
        Event::StorageReferenced { root: s("/r"), instance_uid: Some(s("i")) },
        Level::Important,
        "referenced read-only storage location at /r, is managed by instance with uid i",
    );
    says(
        Event::StorageReferenced { root: s("/r"), instance_uid: None },
        Level::Important,
        "referenced read-only storage location at /r",
    );
    says(
        Event::StorageAlreadyMarked { root: s("/r"), uid: s("u") },
        Level::Warning,
        "storage location /r is already marked with uid u, meaning that it is managed by another LaminDB instance -- \
         if you manage your instance with LaminHub you get an overview of all your storage locations",
    );
    says(
        Event::NoWriteAccess { root: s("/r") },
        Level::Important,
        "due to lack of write access, LaminDB won't manage this storage location: /r",
    );
}

#[test]
fn local_storage_locations() {
    says(
        Event::LocalStoragesFound { roots: vec![s("/a"), s("/b")] },
        Level::Important,
        "found locations:\n - /a\n - /b",
    );
    says(Event::LocalStorageChosen { root: s("/a") }, Level::Important, "defaulting to local storage: /a");
    says(
        Event::NoLocalStorage,
        Level::Warning,
        "no local storage location found in current environment: defaulting to cloud storage",
    );
    says(
        Event::LocalStorageCorrupted { root: s("/a") },
        Level::Warning,
        "local storage location '/a' is corrupted, cannot find marker file with storage uid",
    );
    says(
        Event::LocalStorageUnreadable { root: s("/a") },
        Level::Warning,
        "ignoring the following location because no permission to read it: /a",
    );
    says(
        Event::MovedToCache { path: s("/c/u.fcs") },
        Level::Important,
        "moved local artifact to cache: /c/u.fcs",
    );
}

#[test]
fn instances() {
    says(
        Event::Initialized { slug: s("anonymous/i"), dir: "/w".into() },
        Level::Important,
        "initialized database anonymous/i in /w",
    );
    says(Event::Connected { slug: s("anonymous/i") }, Level::Important, "connected lamindb: anonymous/i");
    says(Event::AnonymousUser, Level::Warning, "using anonymous user (to identify, call: holotype login)");
    assert_eq!(
        word_as(&Event::AnonymousUser, Program::Lamin).1,
        "using anonymous user (to identify, call: lamin login)"
    );
    let push = |unlocking| Event::CloudPush { url: s("s3://b/lamin.db"), slug: s("me/i"), unlocking };
    says(push(false), Level::Warning, "updating cloud SQLite 's3://b/lamin.db' of instance 'me/i'");
    says(
        push(true),
        Level::Warning,
        "updating & unlocking cloud SQLite 's3://b/lamin.db' of instance 'me/i'",
    );
    let held = "updating local SQLite & locking cloud SQLite (sync back & unlock: holotype disconnect)";
    says(Event::CloudHeld, Level::Warning, held);
    let locked =
        "locked instance (to unlock and push changes to the cloud SQLite file, call: holotype disconnect)";
    says(Event::CloudLocked, Level::Warning, locked);
    says(Event::NameFromDatabase, Level::Warning, "using the sql database name for the instance name");
    says(
        Event::Reinitializing { id: s("aed0") },
        Level::Warning,
        "instance exists with id aed0, but database is not loadable: re-initializing",
    );
    says(
        Event::Renamed { what: "SQLite file", from: s("a.lndb"), to: s("lamin.db") },
        Level::Warning,
        "The SQLite file is being renamed from a.lndb to lamin.db",
    );
    says(
        Event::Renamed { what: "legacy marker file", from: s("a"), to: s("b") },
        Level::Warning,
        "found legacy marker file, renaming it from a to b",
    );
    says(
        Event::RollbackJournal { path: s("/r/lamin.db") },
        Level::Warning,
        "/r/lamin.db is on a file system where write-ahead logging is not safe: using a rollback journal, writers wait \
         for readers",
    );
}

#[test]
fn runs() {
    says(
        Event::RunStarted {
            verb: "created",
            transform: s("4MuxEYZwGF5q0000"),
            key: s("s1.py"),
            run: s("fpM04qKzPpFUYqjc"),
            run_verb: "started new Run",
            at: s("2026-11-21 23:45:18 UTC"),
        },
        Level::Important,
        "created Transform('4MuxEYZwGF5q0000', key='s1.py'), started new Run('fpM04qKzPpFUYqjc') at 2026-11-21 \
         23:45:18 UTC",
    );
    says(
        Event::NewTransformVersion { kind: s("script"), key: s("s2.py"), note: String::new() },
        Level::Important,
        "found script s2.py, making new version",
    );
    says(
        Event::NewTransformVersion {
            kind: s("notebook"),
            key: s("n.ipynb"),
            note: s(" -- anticipating changes"),
        },
        Level::Important,
        "found notebook n.ipynb, making new version -- anticipating changes",
    );
    says(
        Event::RenamingTransform { from: s("s2.py"), to: s("s2b.py") },
        Level::Important,
        "renaming transform s2.py to s2b.py",
    );
    says(
        Event::IgnoringTransforms { others: vec![(s("u1"), s("a/s.py")), (s("u2"), s("b/s.py"))] },
        Level::Important,
        "ignoring transform with same filename in different folder:\n    u1 → a/s.py\n    u2 → b/s.py",
    );
    for (seconds, text) in [(3, "3s"), (0, "0s"), (60, "1m"), (3_599, "59m"), (7_300, "2h"), (90_000, "1d")] {
        says(
            Event::RunFinished { run: s("r"), seconds, at: s("2026-11-22 00:00:46 UTC") },
            Level::Important,
            &format!("finished Run('r') after {text} at 2026-11-22 00:00:46 UTC"),
        );
    }
    says(
        Event::RedactedSource { n: 1, place: "transform source code" },
        Level::Warning,
        "redacted 1 secret-looking assignment(s) before persisting transform source code",
    );
}

#[test]
fn terms() {
    says(
        Event::Loaded { registry: "ULabel", field: s("name"), values: vec![s("apple")] },
        Level::Success,
        "loaded 1 ULabel record matching name: 'apple'",
    );
    says(
        Event::Loaded { registry: "bionty.CellType", field: s("synonyms"), values: vec![s("a"), s("b")] },
        Level::Success,
        "loaded 2 CellType records matching synonyms: 'a', 'b'",
    );
    says(
        Event::NotCreated { registry: "ULabel", field: s("name"), values: vec![s("kiwi")] },
        Level::Info,
        "did not create ULabel record for 1 non-validated name: 'kiwi'",
    );
    says(
        Event::NotCreated { registry: "bionty.CellType", field: s("name"), values: vec![s("a"), s("b")] },
        Level::Info,
        "did not create CellType records for 2 non-validated names: 'a', 'b'",
    );
    says(
        Event::TermsReceived { unique: 3, ignored: 1 },
        Level::Warning,
        "received 3 unique terms, 1 empty/duplicated term is ignored",
    );
    says(
        Event::TermsReceived { unique: 1, ignored: 2 },
        Level::Warning,
        "received 1 unique term, 2 empty/duplicated terms are ignored",
    );
    says(
        Event::TermsValidated { valid: 1, unique: 3, field: s("name") },
        Level::Success,
        "1 unique term (33.30%) is validated for name",
    );
    says(
        Event::TermsNotValidated { terms: vec![s("Kiwi"), s("foo")], unique: 3, field: s("name") },
        Level::Warning,
        "2 unique terms (66.70%) are not validated for name: 'Kiwi', 'foo'",
    );
    let many: Vec<String> = (0..12).map(|i| i.to_string()).collect();
    says(
        Event::TermsNotValidated { terms: many, unique: 12, field: s("name") },
        Level::Warning,
        "12 unique terms (100.00%) are not validated for name: '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ...",
    );
    says(
        Event::TermsInspected {
            registry: "ULabel",
            synonyms: vec![s("T-lymphocyte")],
            unknown: vec![s("foo"), s("Kiwi")],
        },
        Level::Print,
        "   detected 1 unique terms with synonym: T-lymphocyte\n→  standardize terms via .standardize()\n   couldn't \
         validate 2 terms: 'foo', 'Kiwi'\n→  if you are sure, create new records via ULabel() and save to your registry",
    );
    says(
        Event::TermsInspected { registry: "ULabel", synonyms: vec![], unknown: vec![s("foo")] },
        Level::Print,
        "   couldn't validate 1 term: 'foo'\n→  if you are sure, create new record via ULabel() and save to your registry",
    );
    says(
        Event::Truncated { limit: 20, registry: "ULabel" },
        Level::Warning,
        "truncated query result to limit=20 ULabel objects",
    );
}

#[test]
fn branches() {
    says(Event::Created { registry: "Branch", name: s("b1") }, Level::Important, "created branch: b1");
    says(Event::Switched { name: s("b1") }, Level::Important, "switched to b1");
}

#[test]
fn progress_and_free_texts() {
    let progress = |done, total| Event::Progress { verb: "copying", name: s("x.bin"), done, total };
    says(progress(1, 8), Level::Print, "... copying x.bin: 12.5%");
    says(progress(0, 0), Level::Print, "... copying x.bin: 100.0%");
    says(Event::Done(s("t")), Level::Success, "t");
    says(Event::Tip(s("t")), Level::ImportantHint, "t");
    says(Event::Warning(s("t")), Level::Warning, "t");
    says(Event::Note(s("t")), Level::Important, "t");
    says(Event::Info(s("t")), Level::Info, "t");
}
