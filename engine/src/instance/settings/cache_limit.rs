//! How large the cache may become.

use super::dirs::SettingsDir;
use super::files::{self, Access};
use crate::env::Env;
use crate::error::{Error, Result};

const FILE: &str = "holotype_cache_limit.txt";

/// Returns how many bytes the cache may hold; nothing where it may hold any number. The variable
/// `HOLOTYPE_CACHE_MAX_SIZE` wins over the setting.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for text that is no size.
pub fn cache_limit(env: &Env) -> Result<Option<u64>> {
    let text = match env.var("LAMIN_CACHE_MAX_SIZE") {
        Some(text) => Some(text.to_owned()),
        None => files::read(&SettingsDir::of(env).shared_file(FILE), "set the size of the cache again")?,
    };
    text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(parse_size).transpose()
}

/// Sets how many bytes the cache may hold, or lets it grow without bounds.
///
/// # Errors
/// Failures of the file system.
pub fn set_cache_limit(env: &Env, limit: Option<u64>) -> Result<()> {
    let path = SettingsDir::of(env).shared_file(FILE);
    match limit {
        Some(limit) => files::write(env, &path, &limit.to_string(), Access::Shared),
        None => files::remove(&path).map(|_| ()),
    }
}

/// Returns the bytes that text such as `500MB`, `20 GiB` or `1000000` means; units are powers of 1024.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for anything else.
pub fn parse_size(text: &str) -> Result<u64> {
    let wrong =
        || Error::value(format!("'{text}' is no size: write bytes, or a number with KB, MB, GB or TB"));
    let lower = text.trim().to_ascii_lowercase();
    let split =
        lower.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(split);
    let factor: u64 = match unit.trim() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return Err(wrong()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).ok_or_else(wrong);
    }
    match number.parse::<f64>() {
        Ok(value) if number.contains('.') && value.is_finite() => Ok((value * factor as f64) as u64),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_understood() {
        for (text, bytes) in
            [("17", 17), ("1KB", 1024), ("1.5 MiB", 3 << 19), ("2g", 2 << 30), (" 1 TB ", 1 << 40)]
        {
            assert_eq!(parse_size(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "x", "1XB", "-1", "1.2.3", "99999999999999999999TB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
