//! Where a command reads and writes.

use std::io::{BufRead, BufReader, BufWriter, IsTerminal, LineWriter, Write, stderr, stdin, stdout};

/// The three streams of a process, or stand-ins for them.
pub struct Streams {
    /// Answers to questions.
    pub input: Box<dyn BufRead + Send>,
    /// Data and messages.
    pub out: Box<dyn Write + Send>,
    /// Errors.
    pub err: Box<dyn Write + Send>,
    /// True when `out` is a terminal.
    pub out_is_terminal: bool,
    /// True when `err` is a terminal.
    pub err_is_terminal: bool,
    /// Width of the terminal behind `out`.
    pub width: Option<u16>,
}

impl Streams {
    /// Returns the streams of this process.
    pub fn of_process() -> Streams {
        let out_is_terminal = stdout().is_terminal();
        // A terminal wants every line at once; a pipe wants few large writes.
        let out: Box<dyn Write + Send> = if out_is_terminal {
            Box::new(LineWriter::new(stdout()))
        } else {
            Box::new(BufWriter::new(stdout()))
        };
        let width = out_is_terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| width.0);
        Streams {
            input: Box::new(BufReader::new(stdin())),
            out,
            err: Box::new(stderr()),
            out_is_terminal,
            err_is_terminal: stderr().is_terminal(),
            width,
        }
    }
}
