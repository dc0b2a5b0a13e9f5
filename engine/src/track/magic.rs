//! Lines of notebook cells that Python cannot read: magics, shell commands and help requests become comments.

/// Shell commands that notebooks take without a sign in front.
const COMMANDS: [&str; 12] =
    ["cat", "cd", "copy", "cp", "ddir", "echo", "ldir", "ls", "mkdir", "mv", "ren", "rm"];

/// Returns the lines of a code cell with everything that is no Python commented out.
///
/// Comments that look like such lines get a second sign, so that the way back to a notebook is unambiguous.
pub(super) fn comment_out(lines: &[String]) -> Vec<String> {
    let mut quotes = Quotes::default();
    let mut continued = false;
    let mut out = Vec::with_capacity(lines.len());
    for line in lines {
        if continued && !quotes.open() {
            out.push(format!("# {line}"));
            continued = line.ends_with('\\');
        } else if !quotes.open() && is_foreign(line) {
            let indent = line.len() - line.trim_start().len();
            out.push(format!("{}# {}", &line[..indent], &line[indent..]));
            continued = line.ends_with('\\');
        } else {
            out.push(line.clone());
        }
        quotes.read(line);
    }
    out
}

/// Returns the lines that [`comment_out`] would turn into these.
pub(super) fn uncomment(lines: &[String]) -> Vec<String> {
    let mut quotes = Quotes::default();
    let mut continued = false;
    let mut out = Vec::with_capacity(lines.len());
    for line in lines {
        let bare = line.trim_start();
        let foreign = !quotes.open() && (continued || is_foreign(line));
        let line = match bare.strip_prefix("# ").filter(|_| foreign) {
            Some(rest) => format!("{}{rest}", &line[..line.len() - bare.len()]),
            None => line.clone(),
        };
        continued = foreign && line.ends_with('\\');
        quotes.read(&line);
        out.push(line);
    }
    out
}

/// Returns true for a line that only a notebook understands, also when it is commented already.
fn is_foreign(line: &str) -> bool {
    let bare = uncommented(line.trim_start());
    is_magic(bare)
        || is_shell(bare)
        || is_question(bare)
        || is_captured(bare)
        || is_command(uncommented(line))
}

/// Returns the line without the comment signs in front of it.
fn uncommented(mut line: &str) -> &str {
    while let Some(rest) = line.strip_prefix('#') {
        line = rest.strip_prefix(' ').unwrap_or(rest);
    }
    line
}

/// `%name`, `%%name`.
fn is_magic(line: &str) -> bool {
    let name = line.trim_start_matches('%');
    (1..=3).contains(&(line.len() - name.len())) && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// `!ls`, `?name`.
fn is_shell(line: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix(['!', '?']) else { return false };
    rest.trim_start().starts_with(|c: char| c.is_ascii_alphabetic() || "$./\\{}~".contains(c))
}

/// `name?`, `name??`.
fn is_question(line: &str) -> bool {
    let line = line.trim_end();
    line.ends_with('?') && !line.contains(char::is_whitespace)
}

/// `name = !ls`, `name = %magic`.
fn is_captured(line: &str) -> bool {
    let Some((name, value)) = line.split_once('=') else { return false };
    let (name, value) = (name.trim(), value.trim_start());
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(word);
    let shell =
        value.strip_prefix('!').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    named && (shell || is_magic(value))
}

/// `ls`, `cd folder`; an assignment to or a tuple of such a name is Python.
fn is_command(line: &str) -> bool {
    COMMANDS.iter().filter_map(|command| line.strip_prefix(command)).any(|rest| {
        let mut rest = rest.chars();
        match (rest.next(), rest.next()) {
            (None, _) => true,
            (Some(blank), next) => blank.is_whitespace() && !matches!(next, Some('=' | ',')),
        }
    })
}

/// Whether a line starts inside a string of several lines.
#[derive(Default)]
pub(super) struct Quotes(Option<char>);

impl Quotes {
    /// Returns true inside a string that is not closed yet.
    pub(super) fn open(&self) -> bool {
        self.0.is_some()
    }

    /// Reads one line.
    pub(super) fn read(&mut self, line: &str) {
        if self.0.is_none() && line.trim_start().starts_with('#') {
            return;
        }
        let chars: Vec<char> = line.chars().collect();
        let mut single: Option<char> = None;
        let mut i = 0;
        while i < chars.len() {
            let c = chars[i];
            let triple = chars[i..].len() >= 3 && chars[i..i + 3].iter().all(|other| *other == c);
            match (self.0, single, c) {
                (Some(quote), _, c) if c == quote && triple => {
                    self.0 = None;
                    i += 2;
                }
                (Some(_), _, _) => {}
                (None, Some(quote), c) if c == quote && chars[i - 1] != '\\' => single = None,
                (None, Some(_), _) => {}
                (None, None, '#') => return,
                (None, None, '\'' | '"') if triple => {
                    self.0 = Some(c);
                    i += 2;
                }
                (None, None, '\'' | '"') => single = Some(c),
                _ => {}
            }
            i += 1;
        }
    }
}
