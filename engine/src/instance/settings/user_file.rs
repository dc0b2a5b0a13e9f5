//! Who works here: `current_user.env` and `user--<handle>.env`.

use std::fmt;
use std::path::Path;

use super::dirs::SettingsDir;
use super::dotenv::{DotEnv, Writer};
use super::files::{self, Access};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::uid;

/// Uid of whoever did not say who they are.
pub const ANONYMOUS_UID: &str = "00000000";
const ANONYMOUS: &str = "anonymous";
const CURRENT: &str = "current_user.env";
const REMEDY: &str = "log in again";

/// The identity that records are created under.
#[derive(Clone, PartialEq, Eq)]
pub struct UserSettings {
    /// Address for mail.
    pub email: Option<String>,
    /// Legacy key of an account service.
    pub password: Option<String>,
    /// Token of an account service.
    pub access_token: Option<String>,
    /// Identity within databases: 8 base62 characters.
    pub uid: String,
    /// Identity within an account service.
    pub uuid: Option<String>,
    /// Short unique name.
    pub handle: String,
    /// Name for people.
    pub name: Option<String>,
    /// Key of an account service.
    pub api_key: Option<String>,
}

impl UserSettings {
    /// Returns the identity of a user who never said who they are.
    pub fn anonymous() -> Self {
        Self::local(ANONYMOUS_UID, ANONYMOUS)
    }

    fn local(uid: &str, handle: &str) -> Self {
        UserSettings {
            email: None,
            password: None,
            access_token: None,
            uid: uid.to_owned(),
            uuid: None,
            handle: handle.to_owned(),
            name: None,
            api_key: None,
        }
    }

    /// Returns true for [`UserSettings::anonymous`].
    pub fn is_anonymous(&self) -> bool {
        self.uid == ANONYMOUS_UID
    }

    /// Returns the current user, or nothing if no file says who it is.
    ///
    /// # Errors
    /// [`crate::ErrorKind::SettingsOutdated`] for a damaged file.
    pub fn find_current(env: &Env) -> Result<Option<Self>> {
        Self::read(&SettingsDir::of(env).file(CURRENT))
    }

    /// Returns the current user; without any file that is the anonymous one, whose file is written.
    ///
    /// # Errors
    /// [`crate::ErrorKind::SettingsOutdated`] for a damaged file.
    pub fn current(env: &Env) -> Result<Self> {
        if let Some(user) = Self::find_current(env)? {
            return Ok(user);
        }
        let user = Self::anonymous();
        env.emit(Event::AnonymousUser);
        let dir = SettingsDir::of(env);
        // A home that can't be written to must not keep anyone from reading.
        if dir.ensure(env)
            && let Err(error) = user.write(env, &dir.file(CURRENT))
        {
            env.emit(Event::Warning(format!("The user settings were not saved: {error}")));
        }
        Ok(user)
    }

    /// Returns the identity that a handle or a mail address has had on this machine.
    ///
    /// # Errors
    /// [`crate::ErrorKind::SettingsOutdated`] for a damaged file.
    pub fn find(env: &Env, handle_or_email: &str) -> Result<Option<Self>> {
        if handle_or_email.contains(['/', '\\', '\0']) {
            return Ok(None);
        }
        Self::read(&SettingsDir::of(env).file(&user_file(handle_or_email)))
    }

    /// Writes the files of this user and makes it the current one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for text that no settings file can carry; failures of the file system.
    pub fn save_as_current(&self, env: &Env) -> Result<()> {
        let dir = SettingsDir::of(env);
        if self.handle != ANONYMOUS {
            self.write(env, &dir.file(&user_file(&self.handle)))?;
            if let Some(email) = &self.email {
                check_email(email)?;
                self.write(env, &dir.file(&user_file(email)))?;
            }
        }
        self.write(env, &dir.file(CURRENT))
    }

    fn read(path: &Path) -> Result<Option<Self>> {
        let Some(file) = DotEnv::read(path, REMEDY)? else { return Ok(None) };
        let text = |key: &str| file.nullable(&format!("lamin_user_{key}"));
        let user = UserSettings {
            email: text("email")?,
            password: text("password")?,
            access_token: text("access_token")?,
            uid: file.required("lamin_user_uid")?,
            uuid: text("uuid")?,
            handle: file.required("lamin_user_handle")?,
            name: text("name")?,
            api_key: file.optional("lamin_user_api_key"),
        };
        if user.uid.len() == ANONYMOUS_UID.len() && uid::is_base62(&user.uid) {
            Ok(Some(user))
        } else {
            Err(file.damaged("has a lamin_user_uid that is not 8 letters and digits"))
        }
    }

    fn write(&self, env: &Env, path: &Path) -> Result<()> {
        let mut file = Writer::default();
        for (key, value) in [
            ("email", self.email.as_deref()),
            ("password", self.password.as_deref()),
            ("access_token", self.access_token.as_deref()),
            ("uid", Some(self.uid.as_str())),
            ("uuid", self.uuid.as_deref()),
            ("handle", Some(self.handle.as_str())),
            ("name", self.name.as_deref()),
            ("api_key", self.api_key.as_deref()),
        ] {
            file.text(&format!("lamin_user_{key}"), value)?;
        }
        files::write(env, path, &file.finish(), Access::Private)
    }
}

impl fmt::Debug for UserSettings {
    /// Writes who it is; secrets stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSettings")
            .field("uid", &self.uid)
            .field("handle", &self.handle)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn user_file(handle_or_email: &str) -> String {
    format!("user--{handle_or_email}.env")
}

/// Takes an identity on this machine, without any account service, and returns it.
///
/// A new handle gets a random uid, kept in `user--<handle>.env`; logging in again later yields the same one.
/// `name` and `email` replace what is known, nothing leaves it.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for a handle or address that can't be used; [`crate::ErrorKind::SettingsOutdated`] for
/// a damaged file of that handle.
pub fn login_local(env: &Env, handle: &str, name: Option<&str>, email: Option<&str>) -> Result<UserSettings> {
    check_handle(handle)?;
    email.map_or(Ok(()), check_email)?;
    let mut user = match UserSettings::find(env, handle)? {
        Some(user) => user,
        None => loop {
            let uid = uid::random(env, ANONYMOUS_UID.len());
            if uid != ANONYMOUS_UID {
                break UserSettings::local(&uid, handle);
            }
        },
    };
    let given = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
    user.name = given(name).or(user.name);
    user.email = given(email).or(user.email);
    user.save_as_current(env)?;
    Ok(user)
}

/// Makes nobody the current user and returns whether somebody was; their own files stay.
///
/// # Errors
/// Failures of the file system.
pub fn logout(env: &Env) -> Result<bool> {
    let known =
        UserSettings::find_current(env).map_or(true, |user| user.is_some_and(|user| !user.is_anonymous()));
    files::remove(&SettingsDir::of(env).file(CURRENT))?;
    Ok(known)
}

fn check_handle(handle: &str) -> Result<()> {
    let reason = if handle == ANONYMOUS {
        "it stands for a user who is not logged in"
    } else if handle == "null" {
        "settings files use 'null' for nothing"
    } else if handle.contains("--") {
        "'--' separates the parts of settings files"
    } else if !handle.starts_with(|c: char| c.is_ascii_alphanumeric())
        || !handle.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        "letters, digits, '-', '_' and '.' are allowed, beginning with a letter or digit"
    } else {
        return Ok(());
    };
    Err(Error::value(format!("The handle '{handle}' can't be used: {reason}")))
}

fn check_email(email: &str) -> Result<()> {
    match email.split_once('@') {
        Some((user, host)) if !user.is_empty() && !host.is_empty() && !email.contains(['/', '\\', ' ']) => {
            Ok(())
        }
        _ => Err(Error::value(format!("'{email}' is no mail address"))),
    }
}
