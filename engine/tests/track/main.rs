//! Tracking: the law of transforms and runs, of notebooks and secrets, and of many writers at once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod construct;
mod finish;
mod inputs;
mod notebook;
mod params;
mod race;
mod redact;
mod resolve;
mod save;
mod surroundings;

use std::path::Path;

use holotype::testing::Scratch;
use holotype::track::{Finish, FinishOptions, Finished, RenameQuestion, TrackOptions, Tracked, Tracking};
use holotype::{Event, Instance, Record, Result};

/// Returns the options to track a file below the working directory.
fn of(instance: &Instance, name: &str) -> TrackOptions {
    let source = instance.source_file(Path::new(name), false).unwrap();
    TrackOptions { source: Some(source), ..TrackOptions::default() }
}

/// Returns the options to track a notebook that a person runs.
fn interactive(instance: &Instance, name: &str) -> TrackOptions {
    let source = instance.source_file(Path::new(name), true).unwrap();
    TrackOptions { source: Some(source), ..TrackOptions::default() }
}

fn started(tracking: Result<Tracking>) -> Tracked {
    match tracking.unwrap() {
        Tracking::Started(tracked) => *tracked,
        other => panic!("no run was started: {other:?}"),
    }
}

fn asked(tracking: Result<Tracking>) -> RenameQuestion {
    match tracking.unwrap() {
        Tracking::Ask(question) => question,
        other => panic!("nothing was asked: {other:?}"),
    }
}

fn done(finish: Result<Finish>) -> Finished {
    match finish.unwrap() {
        Finish::Done(finished) => *finished,
        other => panic!("not finished: {other:?}"),
    }
}

/// Writes a script and tracks it.
fn track(scratch: &Scratch, name: &str, code: &str) -> Tracked {
    scratch.file(name, code).unwrap();
    started(scratch.instance().track(&of(scratch.instance(), name)))
}

/// Tracks a script and finishes it at once.
fn run(scratch: &Scratch, name: &str, code: &str) -> Tracked {
    let tracked = track(scratch, name, code);
    done(scratch.instance().finish(&FinishOptions::default()));
    tracked
}

/// Returns all rows of a registry, oldest first.
fn all(instance: &Instance, registry: &str) -> Vec<Record> {
    instance.registry(registry).unwrap().order_by(["id"]).unwrap().all().unwrap()
}

/// Returns `uid suffix, key, is_latest` of every transform.
fn versions(instance: &Instance) -> Vec<(String, String, bool)> {
    let row = |row: &Record| {
        let key = row.text("key").unwrap().to_owned();
        (row.uid()[12..].to_owned(), key, row.flag("is_latest"))
    };
    all(instance, "Transform").iter().map(row).collect()
}

/// Returns the texts of the events that are plain text.
fn texts(events: &[Event]) -> Vec<&str> {
    let text = |event| match event {
        &Event::Note(ref text) | &Event::Warning(ref text) | &Event::Tip(ref text) => Some(text.as_str()),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}

/// Returns a notebook of format 4 with these cells: kind, source, execution count.
fn notebook(cells: &[(&str, &str, Option<i64>)]) -> String {
    let cells: Vec<serde_json::Value> = cells
        .iter()
        .map(|(kind, source, count)| match *kind {
            "code" => serde_json::json!({
                "cell_type": kind, "source": source, "metadata": {}, "outputs": [], "execution_count": count
            }),
            _ => serde_json::json!({"cell_type": kind, "source": source, "metadata": {}}),
        })
        .collect();
    serde_json::json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).to_string()
}
