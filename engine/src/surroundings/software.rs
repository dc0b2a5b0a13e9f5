//! The file that describes the software of a program best: the lock of the tool that made its environment, else a list.

use std::fs;
use std::path::{Path, PathBuf};

use super::Process;
use crate::env::Env;
use crate::track::EnvironmentFile;

/// Returns the lock file of pixi or uv when one of them made the environment, else what `list` makes.
pub(super) fn software(env: &Env, process: &Process, list: impl FnOnce() -> String) -> EnvironmentFile {
    let locks = [pixi_lock(env, &process.prefix), uv_lock(env, &process.prefix)];
    let read = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        Some(EnvironmentFile { name, content: fs::read(&path).ok()? })
    };
    locks.into_iter().flatten().find_map(read).unwrap_or_else(|| EnvironmentFile {
        name: "run_env_pip.txt".to_owned(),
        content: list().into_bytes(),
    })
}

fn pixi_lock(env: &Env, prefix: &Path) -> Option<PathBuf> {
    let root = Path::new(env.var("PIXI_PROJECT_ROOT")?);
    // The variables of a pixi shell reach programs of other environments, too.
    prefix.starts_with(root.join(".pixi")).then(|| root.join("pixi.lock"))
}

fn uv_lock(env: &Env, prefix: &Path) -> Option<PathBuf> {
    let told = fs::read_to_string(prefix.join("pyvenv.cfg")).unwrap_or_default();
    let made = told.lines().any(|line| line.split('=').next().is_some_and(|name| name.trim() == "uv"));
    let project = prefix.parent().filter(|_| made || env.vars.contains_key("UV"));
    project.map(|project| project.join("uv.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Timestamp;

    #[test]
    fn a_lock_wins_where_its_tool_made_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let found = |variable: (&str, &Path), prefix: &str| {
            let vars = [(variable.0.to_owned(), variable.1.display().to_string())];
            let env = Env::new(|| Timestamp(0), |bytes| bytes.fill(0), "/", "/").with_vars(vars);
            let process = Process { prefix: root.join(prefix), ..Process::default() };
            let EnvironmentFile { name, content } = software(&env, &process, || "list".to_owned());
            (name, String::from_utf8(content).unwrap())
        };
        let listed = ("run_env_pip.txt".to_owned(), "list".to_owned());
        let other = ("LANG", Path::new("C"));
        fs::create_dir_all(root.join(".venv")).unwrap();
        fs::write(root.join("uv.lock"), "uv").unwrap();
        fs::write(root.join("pixi.lock"), "pixi").unwrap();
        fs::write(root.join(".venv/pyvenv.cfg"), "home = /usr/bin\nuvx = 1\n").unwrap();
        assert_eq!(found(other, ".venv"), listed);
        assert_eq!(found(("UV", Path::new("/bin/uv")), ".venv"), ("uv.lock".to_owned(), "uv".to_owned()));
        fs::write(root.join(".venv/pyvenv.cfg"), "home = /usr/bin\nuv = 0.9.1\n").unwrap();
        assert_eq!(found(other, ".venv").0, "uv.lock");
        assert_eq!(found(("PIXI_PROJECT_ROOT", root), ".venv").0, "uv.lock");
        assert_eq!(found(("PIXI_PROJECT_ROOT", root), ".pixi/envs/default").1, "pixi");
        fs::remove_file(root.join("uv.lock")).unwrap();
        assert_eq!(found(other, ".venv"), listed);
    }
}
