//! The voice: how loud a message is, what it looks like, and the words of every event.
//!
//! The engine emits typed [`Event`]s and never speaks; the command line and the Python package both take their
//! words from here, so that the two never say the same thing differently.

mod runs;
mod terms;
mod words;

use holotype::Event;

/// Verbosity at which the faces start: warnings and everything more important.
pub const DEFAULT_VERBOSITY: u8 = 1;

/// How loud a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something happened that the user must know.
    Important,
    /// Advice that the user should see.
    ImportantHint,
    /// Something may not be what the user meant.
    Warning,
    /// Something went well.
    Success,
    /// Content was stored.
    Save,
    /// Something happened.
    Info,
    /// Advice.
    Hint,
    /// Detail for those who look for a fault.
    Debug,
    /// Output itself, such as a tree of files.
    Print,
}

/// Every level, loudest first; [`Level::Print`] stands last since it is not a loudness.
pub const LEVELS: [Level; 10] = [
    Level::Error,
    Level::Important,
    Level::ImportantHint,
    Level::Warning,
    Level::Success,
    Level::Save,
    Level::Info,
    Level::Hint,
    Level::Debug,
    Level::Print,
];

impl Level {
    /// Returns the number that logging frameworks compare.
    pub fn number(self) -> u8 {
        match self {
            Level::Error => 40,
            Level::Important => 31,
            Level::ImportantHint => 32,
            Level::Warning => 30,
            Level::Success => 25,
            Level::Save => 21,
            Level::Info => 20,
            Level::Hint => 15,
            Level::Debug => 10,
            Level::Print => 41,
        }
    }

    /// Returns the sign in front of a message; `None` for plain output.
    pub fn glyph(self) -> Option<char> {
        Some(match self {
            Level::Error => '✗',
            Level::Important => '→',
            Level::Warning => '!',
            Level::Success | Level::Save => '✓',
            Level::ImportantHint | Level::Info | Level::Hint | Level::Debug => '•',
            Level::Print => return None,
        })
    }

    /// Returns the ANSI code of the sign's colour; `None` for plain output.
    pub fn colour(self) -> Option<u8> {
        Some(match self {
            Level::Error => 91,
            Level::Important | Level::Success | Level::Save => 92,
            Level::ImportantHint | Level::Info => 94,
            Level::Warning => 93,
            Level::Hint => 96,
            Level::Debug => 90,
            Level::Print => return None,
        })
    }

    /// Returns the least verbosity at which messages of this level show.
    pub fn verbosity(self) -> u8 {
        match self {
            Level::Error | Level::Print => 0,
            Level::Important | Level::ImportantHint | Level::Warning => 1,
            Level::Success => 2,
            Level::Save | Level::Info => 3,
            Level::Hint => 4,
            Level::Debug => 5,
        }
    }
}

/// Names of the verbosities 0 to 5.
pub const VERBOSITIES: [&str; 6] = ["error", "warning", "success", "info", "hint", "debug"];

/// Returns the verbosity of that name or number; `None` when there is no such one.
pub fn verbosity(name: &str) -> Option<u8> {
    let number = name.parse().ok().filter(|number: &u8| usize::from(*number) < VERBOSITIES.len());
    number.or_else(|| VERBOSITIES.iter().position(|known| *known == name).and_then(|i| u8::try_from(i).ok()))
}

/// Returns true when a message of this level shows at this verbosity.
pub fn shown(level: Level, verbosity: u8) -> bool {
    verbosity >= level.verbosity()
}

/// Returns the line of a message: sign, blank, text.
pub fn line(level: Level, text: &str, colour: bool) -> String {
    match (level.glyph(), level.colour()) {
        (Some(glyph), Some(code)) if colour => format!("\u{1b}[{code}m{glyph}\u{1b}[0m {text}"),
        (Some(glyph), _) => format!("{glyph} {text}"),
        _ => text.to_owned(),
    }
}

/// The name under which the command line was called: advice must name a command that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Program {
    /// `holotype`.
    #[default]
    Holotype,
    /// `lamin`, the name that existing notebooks and scripts call.
    Lamin,
}

impl Program {
    /// Returns a message of the engine, which names commands as the format's users know them, with this program's name.
    pub fn advise(self, message: &str) -> String {
        message.replace("run: lamin ", &format!("run: {} ", self.name()))
    }

    /// Returns the name of the command.
    pub fn name(self) -> &'static str {
        match self {
            Program::Holotype => "holotype",
            Program::Lamin => "lamin",
        }
    }
}

/// Returns the level and the words of an event.
pub fn word(event: &Event) -> (Level, String) {
    word_as(event, Program::Holotype)
}

/// Returns the level and the words of an event, with advice naming the commands of `program`.
pub fn word_as(event: &Event, program: Program) -> (Level, String) {
    words::word(event, program)
}

/// Returns the name of a registry inside a sentence: `Artifact` is `artifact`, `bionty.CellType` is `celltype`.
pub(crate) fn noun(registry: &str) -> String {
    registry.rsplit('.').next().unwrap_or(registry).to_lowercase()
}

/// Returns texts in single quotes, separated by commas, cut after `most`.
pub(crate) fn quoted_list(texts: &[String], most: usize) -> String {
    let shown: Vec<String> = texts.iter().take(most).map(|text| format!("'{text}'")).collect();
    let more = if texts.len() > most { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}
