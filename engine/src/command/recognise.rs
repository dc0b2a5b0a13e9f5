//! What a command line runs: a script, text on the line itself, or a program.

use std::fs;
use std::path::{Path, PathBuf};

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// A file that an interpreter or the system runs.
    Script { path: PathBuf },
    /// Text on the command line, with the name it goes by.
    Text { text: String, name: String },
    /// A program that is no file of the project.
    Program { name: String },
}

/// A command line taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recognised {
    pub(super) code: Code,
    /// What the code is called with.
    pub(super) arguments: Vec<String>,
}

/// How a program takes its code.
struct Interpreter {
    /// Names of the program, without the version at their end.
    names: &'static [&'static str],
    /// Letters of the options that are followed by code.
    code: &'static [char],
    /// Options that are followed by the name of the file.
    file: &'static [&'static str],
    /// Options that are followed by something else.
    valued: &'static [&'static str],
    /// What the first word is that is no option.
    bare: Bare,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    File,
    Code,
    /// Something else; the code lies in the first of these files that exists.
    Else(&'static [&'static str]),
}

const INTERPRETERS: [Interpreter; 10] = [
    Interpreter {
        names: &["python", "pypy"],
        code: &['c'],
        file: &[],
        valued: &["-W", "-X", "--check-hash-based-pycs"],
        bare: Bare::File,
    },
    Interpreter {
        names: &["bash", "sh", "dash", "zsh", "ksh"],
        code: &['c'],
        file: &[],
        valued: &["-o", "+o", "-O", "+O", "--rcfile", "--init-file"],
        bare: Bare::File,
    },
    Interpreter { names: &["Rscript"], code: &['e'], file: &[], valued: &[], bare: Bare::File },
    Interpreter { names: &["R"], code: &['e'], file: &["-f", "--file"], valued: &[], bare: Bare::Else(&[]) },
    Interpreter { names: &["perl", "ruby"], code: &['e', 'E'], file: &[], valued: &["-I"], bare: Bare::File },
    Interpreter { names: &["julia", "node"], code: &['e'], file: &[], valued: &[], bare: Bare::File },
    Interpreter {
        names: &["awk", "gawk", "mawk"],
        code: &[],
        file: &["-f", "--file"],
        valued: &["-F", "-v"],
        bare: Bare::Code,
    },
    Interpreter {
        names: &["make", "gmake"],
        code: &[],
        file: &["-f", "--file", "--makefile"],
        valued: &["-C", "-I", "-j", "-l", "-o", "-W"],
        bare: Bare::Else(&["GNUmakefile", "makefile", "Makefile"]),
    },
    Interpreter {
        names: &["snakemake"],
        code: &[],
        file: &["-s", "--snakefile"],
        valued: &[],
        bare: Bare::Else(&["Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile"]),
    },
    Interpreter {
        names: &["nextflow"],
        code: &[],
        file: &["run"],
        valued: &["-C", "-c"],
        bare: Bare::Else(&[]),
    },
];

/// Suffixes of scripts and what runs those that cannot be run themselves.
pub(super) const RUNNERS: [(&str, &str); 6] =
    [("py", "python3"), ("sh", "bash"), ("R", "Rscript"), ("r", "Rscript"), ("pl", "perl"), ("jl", "julia")];

/// Takes apart a command line that is called in `folder`.
pub(super) fn recognise(words: &[String], folder: &Path) -> Recognised {
    let Some(first) = words.first() else {
        return Recognised { code: Code::Program { name: String::new() }, arguments: Vec::new() };
    };
    let own = folder.join(first);
    if first.contains('/') && own.starts_with(folder) && is_script(&own) {
        return script(words, own, 0);
    }
    let name = Path::new(first).file_name().map_or(first.clone(), |name| name.to_string_lossy().into_owned());
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let known = INTERPRETERS.iter().find(|known| known.names.contains(&bare));
    let found = known.and_then(|interpreter| interpreter.take(words, bare, folder));
    found.unwrap_or_else(|| Recognised { code: Code::Program { name }, arguments: words[1..].to_vec() })
}

impl Interpreter {
    fn take(&self, words: &[String], name: &str, folder: &Path) -> Option<Recognised> {
        let mut at = 1;
        while let Some(word) = words.get(at) {
            let (option, value) = word.split_once('=').map_or((word.as_str(), None), |(o, v)| (o, Some(v)));
            if self.file.contains(&option) {
                let path = main_file(&folder.join(value.or(words.get(at + 1).map(String::as_str))?))?;
                let after = at + if value.is_some() { 1 } else { 2 };
                let arguments = [&words[1..at], &words[after..]].concat();
                return Some(Recognised { code: Code::Script { path }, arguments });
            }
            if word == "-m" && name.starts_with("py") {
                let name = format!("{name} -m {}", words.get(at + 1)?);
                return Some(Recognised {
                    code: Code::Program { name },
                    arguments: words[at + 2..].to_vec(),
                });
            }
            let letters = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            if letters.is_some_and(|letters| letters.ends_with(self.code) && letters.len() < 6) {
                return Some(text(words.get(at + 1)?, name, words.get(at + 2..).unwrap_or(&[])));
            }
            if self.valued.contains(&word.as_str()) {
                at += 2;
            } else if word.starts_with(['-', '+']) && word.len() > 1 {
                at += 1;
            } else {
                match self.bare {
                    Bare::File => {
                        let path = folder.join(word);
                        return path.is_file().then(|| script(words, path, at));
                    }
                    Bare::Code => return Some(text(word, name, &words[at + 1..])),
                    Bare::Else(_) => at += 1,
                }
            }
        }
        let Bare::Else(files) = self.bare else { return None };
        let elsewhere = words.iter().position(|word| word == "-C" || word == "--directory");
        let folder =
            elsewhere.and_then(|at| words.get(at + 1)).map_or(folder.to_owned(), |at| folder.join(at));
        let path = files.iter().map(|file| folder.join(file)).find(|path| path.is_file())?;
        Some(Recognised { code: Code::Script { path }, arguments: words[1..].to_vec() })
    }
}

fn script(words: &[String], path: PathBuf, at: usize) -> Recognised {
    Recognised { code: Code::Script { path }, arguments: words[at + 1..].to_vec() }
}

fn text(code: &str, interpreter: &str, arguments: &[String]) -> Recognised {
    let shell = INTERPRETERS[1].names.contains(&interpreter);
    let name = if shell { programs(code) } else { format!("{interpreter} one-liner") };
    Recognised { code: Code::Text { text: code.to_owned(), name }, arguments: arguments.to_vec() }
}

/// Returns the file itself, or the main file of the folder.
fn main_file(path: &Path) -> Option<PathBuf> {
    [path.to_owned(), path.join("main.nf")].into_iter().find(|path| path.is_file())
}

/// Returns true for a text that says what runs it, or whose suffix does.
pub(super) fn is_script(path: &Path) -> bool {
    if runner(path).is_some() {
        return path.is_file();
    }
    let mut head = [0; 2];
    let read = || std::io::Read::read_exact(&mut fs::File::open(path)?, &mut head);
    path.is_file() && { read }().is_ok() && head == *b"#!"
}

/// Returns the program that runs files with this suffix.
pub(super) fn runner(path: &Path) -> Option<&'static str> {
    let suffix = path.extension()?.to_str()?;
    RUNNERS.iter().find(|(known, _)| *known == suffix).map(|(_, runner)| *runner)
}

/// Returns the programs that a line of shell calls, as in `zcat | awk | sort`.
fn programs(code: &str) -> String {
    let code = unquoted(code);
    let mut names: Vec<&str> = Vec::new();
    for part in code.split(['|', ';', '&', '\n', '(', ')', '{', '}']) {
        // Settings before a program, and words of the shell itself, are no programs.
        let word = part.split_whitespace().find(|word| !word.contains('=') && !KEYWORDS.contains(word));
        let name = word.map(|word| word.rsplit('/').next().unwrap_or(word));
        let plain = |c: char| c.is_alphanumeric() || "._-+".contains(c);
        if let Some(name) =
            name.filter(|name| name.chars().all(plain) && name.chars().any(char::is_alphabetic))
            && names.last() != Some(&name)
        {
            names.push(name);
        }
    }
    let mut text = names.join(" | ");
    if text.is_empty() {
        text.push_str("shell one-liner");
    }
    text.chars().take(120).collect()
}

/// Returns shell code without the texts in quotes and without comments.
fn unquoted(code: &str) -> String {
    let (mut out, mut quote, mut comment) = (String::new(), None, false);
    for c in code.chars() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\n') => {
                comment = false;
                out.push(c);
            }
            (None, '#') if out.is_empty() || out.ends_with(char::is_whitespace) => comment = true,
            (None, _) if comment => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, c) => out.push(c),
        }
    }
    out
}

const KEYWORDS: [&str; 14] =
    ["if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "!", "time"];

#[cfg(test)]
mod tests {
    use super::*;

    fn take(line: &[&str], folder: &Path) -> (String, Vec<String>) {
        let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        let Recognised { code, arguments } = recognise(&words, folder);
        let code = match code {
            Code::Script { path } => format!("script {}", path.strip_prefix(folder).unwrap().display()),
            Code::Text { text, name } => format!("text {name}: {text}"),
            Code::Program { name } => format!("program {name}"),
        };
        (code, arguments)
    }

    #[test]
    fn scripts_texts_and_programs_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        fs::create_dir(folder.join("sub")).unwrap();
        for name in
            ["x.py", "x.sh", "x.R", "x.awk", "Makefile", "sub/Makefile", "Snakefile", "main.nf", "data"]
        {
            fs::write(folder.join(name), "").unwrap();
        }
        fs::write(folder.join("tool"), "#!/bin/sh\n").unwrap();
        let cases: &[(&[&str], &str, &[&str])] = &[
            (&["python3", "-u", "x.py", "--rate", "3"], "script x.py", &["--rate", "3"]),
            (&["/usr/bin/python3.11", "-W", "ignore", "x.py"], "script x.py", &[]),
            (&["python", "-m", "tool.main", "a"], "program python -m tool.main", &["a"]),
            (&["python", "-c", "print(1)", "a"], "text python one-liner: print(1)", &["a"]),
            (&["bash", "-o", "pipefail", "x.sh", "a"], "script x.sh", &["a"]),
            (
                &["bash", "-ec", "A=1 zcat a | /opt/awk 1 > b && sort b"],
                "text zcat | awk | sort: A=1 zcat a | /opt/awk 1 > b && sort b",
                &[],
            ),
            (
                &["bash", "-c", "# two\nawk '{n++} END {print n}' data"],
                "text awk: # two\nawk '{n++} END {print n}' data",
                &[],
            ),
            (&["Rscript", "--vanilla", "x.R", "a"], "script x.R", &["a"]),
            (&["./x.sh", "a", "b"], "script x.sh", &["a", "b"]),
            (&["./tool", "a"], "script tool", &["a"]),
            (&["./data", "a"], "program data", &["a"]),
            (&["awk", "-F", ",", "{print}", "data"], "text awk one-liner: {print}", &["data"]),
            (&["awk", "-f", "x.awk", "data"], "script x.awk", &["data"]),
            (&["make", "-j", "4", "all"], "script Makefile", &["-j", "4", "all"]),
            (&["make", "-C", "sub"], "script sub/Makefile", &["-C", "sub"]),
            (&["snakemake", "-c1"], "script Snakefile", &["-c1"]),
            (&["nextflow", "run", "main.nf", "--in", "a"], "script main.nf", &["--in", "a"]),
            (&["nextflow", "run", ".", "-resume"], "script main.nf", &["-resume"]),
            (&["nextflow", "run", "nf-core/rnaseq"], "program nextflow", &["run", "nf-core/rnaseq"]),
            (&["samtools", "sort", "-o", "x.bam"], "program samtools", &["sort", "-o", "x.bam"]),
            (&["python"], "program python", &[]),
        ];
        for (line, code, arguments) in cases {
            let (found, rest) = take(line, folder);
            let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
            assert_eq!((found.as_str(), rest.as_slice()), (*code, *arguments), "{line:?}");
        }
    }
}
