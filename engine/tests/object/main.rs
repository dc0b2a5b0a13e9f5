//! Object storage: one suite for every place, what only stores elsewhere do, and what happens when the network fails.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod artifacts;
mod care;
mod errors;
mod errors_azure;
mod errors_google;
mod faults;
mod folders;
mod giver;
mod hub;
mod keep_local;
mod protocol;
mod remote;
mod requests;
#[path = "../stores/mod.rs"]
mod stores;
#[path = "../support/mod.rs"]
mod support;
mod web;

use std::path::PathBuf;

use holotype::Env;
use holotype::store::Store;
use stores::{azure, google, server};
use tempfile::TempDir;

/// A storage location under test and a folder beside it.
pub struct Place {
    /// The location.
    pub store: Store,
    dir: TempDir,
}

impl Place {
    fn local() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir(&root).unwrap();
        Place { store: Store::open(root.to_str().unwrap(), &support::env()).unwrap(), dir }
    }

    fn moto() -> Place {
        Place::at(&server::MOTO.root())
    }

    fn s3s() -> Place {
        // This server fails when it is asked whether a folder is a file: it must not be asked again and again.
        let vars = [
            ("AWS_ACCESS_KEY_ID", server::KEY),
            ("AWS_SECRET_ACCESS_KEY", server::SECRET),
            ("AWS_MAX_ATTEMPTS", "2"),
        ];
        Place::with(&server::S3S.root(), &server::with_vars(&vars))
    }

    fn google() -> Place {
        Place::with(&google::root(), &google::env())
    }

    fn azure() -> Place {
        Place::with(&azure::root(), &azure::env())
    }

    fn at(root: &str) -> Place {
        Place::with(root, &server::env())
    }

    fn with(root: &str, env: &Env) -> Place {
        Place { store: Store::open(root, env).unwrap(), dir: tempfile::tempdir().unwrap() }
    }

    /// Returns a path outside the location.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file outside the location.
    pub fn source(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Returns the keys of all files, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.store.list("").unwrap().into_iter().map(|entry| entry.key).collect()
    }
}

/// Runs every test of the suite in every place. Tests after the first semicolon need folders as S3 has them, those after
/// the second tags that are made from content.
macro_rules! suite {
    ($($all:ident),*; $($folders:ident),*; $($tags:ident),*) => {
        mod local {
            $crate::suite!(@ local, $($all,)* $($folders,)* $($tags),*);
        }
        mod moto {
            $crate::suite!(@ moto, $($all,)* $($folders,)* $($tags),*);
        }
        /// This server lists no tags, and fails on what is left of folders whose files have been removed.
        mod s3s {
            $crate::suite!(@ s3s, $($all),*);
        }
        mod google_cloud {
            $crate::suite!(@ google, $($all,)* $($folders,)* $($tags),*);
        }
        mod azure_blob {
            $crate::suite!(@ azure, $($all,)* $($folders),*);
        }
    };
    (@ $place:ident, $($test:ident),*) => {
        $(#[test] fn $test() { $crate::protocol::$test(&$crate::Place::$place()); })*
    };
}
use suite;

suite! {
    a_file_comes_back_as_it_went,
    a_large_file_comes_back_as_it_went,
    a_new_file_replaces_the_old_one,
    unexpected_content_is_refused,
    a_hash_made_elsewhere_is_compared_by_size_only,
    a_large_file_that_changes_is_refused,
    the_user_can_break_off,
    what_is_missing_is_named,
    keys_that_leave_the_root_are_refused,
    a_folder_comes_back_as_it_went,
    a_refused_folder_leaves_the_old_one,
    many_files_succeed_or_fail_one_by_one,
    stored_files_can_be_looked_at,
    wrong_content_is_never_fetched;
    content_is_removed_and_moved,
    content_takes_the_place_of_other_content;
    a_folder_has_the_same_hash_wherever_it_lies,
    a_file_has_the_same_hash_wherever_it_lies
}
