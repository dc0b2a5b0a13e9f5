//! The password file of PostgreSQL's own clients: lines of `host:port:database:user:password`.

use std::fs;
use std::path::{Path, PathBuf};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::env::Env;
use crate::event::Event;

/// Returns the password that the user's file holds for where `config` leads, if there is one.
pub(super) fn password(env: &Env, config: &Config) -> Option<String> {
    let path = env.vars.get("PGPASSFILE").map_or_else(|| env.home.join(".pgpass"), PathBuf::from);
    let text = fs::read_to_string(&path).ok()?;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.as_str(),
        // As the clients of PostgreSQL name it, and where nothing else is said.
        _ => "localhost",
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let database = config.get_dbname().unwrap_or_default();
    let wanted = [host, &port, database, config.get_user().unwrap_or_default()];
    let found = text.lines().find_map(|line| matching(line, wanted))?;
    if is_open_to_others(&path) {
        env.emit(Event::Warning(format!(
            "{} is not used because others may read it: run chmod 600 on it",
            path.display()
        )));
        return None;
    }
    Some(found)
}

/// Returns the password of a line if the line is for `wanted`: host, port, database and user.
fn matching(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (character, fields.len()) {
            ('\\', _) => fields.last_mut()?.extend(characters.next()),
            // The last field goes on to the end of the line.
            (':', 1..=4) => fields.push(String::new()),
            _ => fields.last_mut()?.push(character),
        }
    }
    let [first, second, third, fourth, password] = <[String; 5]>::try_from(fields).ok()?;
    let places = [first, second, third, fourth];
    places.iter().zip(wanted).all(|(place, wanted)| place == "*" || place == wanted).then_some(password)
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::matching;

    #[test]
    fn lines_are_for_places() {
        let wanted = ["db.lab", "5432", "atlas", "ada"];
        for (line, password) in [
            ("db.lab:5432:atlas:ada:secret", Some("secret")),
            ("*:*:*:ada:secret", Some("secret")),
            ("db.lab:*:atlas:ada:se:cr\\\\e\\:t", Some("se:cr\\e:t")),
            ("db.lab:5433:atlas:ada:secret", None),
            ("db.lab:5432:atlas:bob:secret", None),
            ("# *:*:*:*:secret", None),
            ("db.lab:5432:atlas", None),
            ("", None),
        ] {
            assert_eq!(matching(line, wanted).as_deref(), password, "{line}");
        }
    }
}
