//! The engine's events, worded by the command line's voice and handed to `holotype._voice`.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use holotype::{Env, Event};
use holotype_cli::voice::{self, Level, Program};
use pyo3::exceptions::{PyKeyError, PyKeyboardInterrupt};
use pyo3::prelude::*;

static VERBOSITY: AtomicU8 = AtomicU8::new(voice::DEFAULT_VERBOSITY);
static AS_LAMIN: AtomicBool = AtomicBool::new(false);

/// Returns the program whose commands messages name.
pub fn program() -> Program {
    if AS_LAMIN.load(Ordering::Relaxed) { Program::Lamin } else { Program::Holotype }
}

/// Returns the environment of this process, whose events are spoken by Python.
pub fn env() -> Env {
    holotype_cli::env::system_env(speak)
        .with_formats(crate::suffixes::formats)
        .with_interrupt(|| Python::try_attach(|py| py.check_signals().is_err()).unwrap_or(false))
}

fn speak(event: Event) {
    if let Event::Progress { verb, name, done, total } = event {
        call("progress", |module| module.call1((verb, name, done, total)).map(drop));
        return;
    }
    let (level, text) = voice::word_as(&event, program());
    if voice::shown(level, VERBOSITY.load(Ordering::Relaxed)) {
        call("speak", |module| module.call1((level.number(), text)).map(drop));
    }
}

/// Calls a function of `holotype._voice` from whichever thread the engine speaks on.
fn call(function: &str, with: impl FnOnce(Bound<'_, PyAny>) -> PyResult<()>) {
    Python::try_attach(|py| {
        let result = py.import("holotype._voice").and_then(|module| module.getattr(function)).and_then(with);
        let Err(error) = result else { return };
        if error.is_instance_of::<PyKeyboardInterrupt>(py) {
            // The engine goes on to a safe end; the interpreter raises the interrupt afterwards.
            let interrupt = py.import("_thread").and_then(|module| module.call_method0("interrupt_main"));
            if interrupt.is_ok() {
                return;
            }
        }
        error.write_unraisable(py, None);
    });
}

/// Returns every level as number, least verbosity, sign and colour.
#[pyfunction]
pub fn levels() -> Vec<(u8, u8, Option<char>, Option<u8>)> {
    let all = voice::LEVELS.iter();
    all.map(|level: &Level| (level.number(), level.verbosity(), level.glyph(), level.colour())).collect()
}

/// Returns the name of the present verbosity.
#[pyfunction]
pub fn verbosity() -> &'static str {
    voice::VERBOSITIES[usize::from(VERBOSITY.load(Ordering::Relaxed))]
}

/// Sets the verbosity by name or number.
#[pyfunction]
pub fn set_verbosity(name: &str) -> PyResult<()> {
    let number = voice::verbosity(name).ok_or_else(|| PyKeyError::new_err(name.to_owned()))?;
    VERBOSITY.store(number, Ordering::Relaxed);
    Ok(())
}

/// Makes advice name the command `lamin` instead of `holotype`.
#[pyfunction]
pub fn speak_as_lamin() {
    AS_LAMIN.store(true, Ordering::Relaxed);
}

/// Returns the name of the command that advice should name.
#[pyfunction]
pub fn command() -> &'static str {
    program().name()
}
