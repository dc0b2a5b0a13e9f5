//! The command as users run it: the built binary in a scratch home and directory, one file per command.

#![allow(clippy::unwrap_used, reason = "a test that cannot set its scene must fail at once")]

#[path = "annotate.rs"]
mod annotate;
#[path = "connect.rs"]
mod connect;
#[path = "create.rs"]
mod create;
#[path = "delete.rs"]
mod delete;
#[path = "describe.rs"]
mod describe;
#[path = "diff.rs"]
mod diff;
#[path = "env.rs"]
mod env;
#[path = "gc.rs"]
mod gc;
#[path = "help.rs"]
mod help;
#[path = "info.rs"]
mod info;
#[path = "init.rs"]
mod init;
#[path = "interrupt.rs"]
mod interrupt;
#[path = "kill.rs"]
mod kill;
#[path = "lab.rs"]
mod lab;
#[path = "lineage.rs"]
mod lineage;
#[path = "list.rs"]
mod list;
#[path = "load.rs"]
mod load;
#[path = "log.rs"]
mod log;
#[path = "login.rs"]
mod login;
#[path = "migrate.rs"]
mod migrate;
#[path = "record.rs"]
mod record;
#[path = "repair.rs"]
mod repair;
#[path = "rerun.rs"]
mod rerun;
#[path = "run.rs"]
mod run;
#[path = "save.rs"]
mod save;
#[path = "settings.rs"]
mod settings;
#[path = "storage.rs"]
mod storage;
#[path = "../../engine/tests/stores/mod.rs"]
mod stores;
#[path = "streams.rs"]
mod streams;
#[path = "../../engine/tests/support/mod.rs"]
mod support;
#[path = "switch.rs"]
mod switch;
#[path = "unlock.rs"]
mod unlock;
#[path = "unplugged.rs"]
mod unplugged;
#[path = "update.rs"]
mod update;
#[path = "verify.rs"]
mod verify;
#[path = "voice.rs"]
mod voice;

#[test]
fn no_test_file_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let listed = include_str!("cli.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".rs") && name != "cli.rs" {
            assert!(listed.contains(&format!("#[path = \"{name}\"]")), "{name} is never compiled");
        }
    }
}

#[test]
fn every_command_has_a_test_file() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    // These are tested in the file of the command they belong to.
    let beside = [
        ("cache", "settings"),
        ("completions", "help"),
        ("disconnect", "connect"),
        ("get", "describe"),
        ("logout", "login"),
    ];
    for entry in std::fs::read_dir(root.join("src/commands")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let file =
            beside.iter().find(|(command, _)| *command == name).map_or(name.as_str(), |(_, file)| file);
        assert!(root.join("tests").join(format!("{file}.rs")).exists(), "{name} has no test");
    }
}
