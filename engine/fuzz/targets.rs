//! What the fuzzer and the tests feed with bytes: nothing a user, a file or another program may hold makes it panic.

use holotype::instance::marker::Marker;
use holotype::instance::name::Slug;
use holotype::instance::root::StorageRoot;
use holotype::instance::settings::{InstanceSettings, SystemSettings, UserSettings};
use holotype::query::lookup::{OPS, PARTS, unalias};
use holotype::testing::Scratch;
use holotype::{ErrorKind, Operand, Q, Value, model};

thread_local! {
    /// One instance for all inputs: they read, and write settings files that the next input replaces.
    static SCRATCH: Scratch = Scratch::with_modules(&["bionty"]).unwrap_or_else(|error| panic!("no instance: {error}"));
}

/// Spells a look-up out of bytes and runs it: it is refused with a clear error or answered, and the database never finds
/// fault with the statement.
pub fn look_up(data: &[u8]) {
    let [which, shape, rest @ ..] = data else { return };
    let all = model::all();
    let registry = &all[usize::from(*which) % all.len()];
    let mut words = registry.available_fields();
    words.extend(OPS.iter().map(|(name, _)| *name));
    words.extend(PARTS.iter().map(|(name, _)| *name));
    words.extend(["id", "pk", "name", "artifacts", "created_by", "type", "ulabels"]);
    // Segments of one byte name a word, longer ones are taken as they are.
    let segments: Vec<String> = rest
        .split(|byte| *byte == 0xFF)
        .take(12)
        .map(|segment| match segment {
            [one] => words[usize::from(*one) % words.len()].to_owned(),
            many => String::from_utf8_lossy(many).into_owned(),
        })
        .collect();
    let path = segments.join("__");
    let text = segments.last().cloned().unwrap_or_default();
    let operand = match shape % 9 {
        0 => Operand::One(Value::Text(text)),
        1 => Operand::One(Value::Int(i64::from(*shape))),
        2 => Operand::One(Value::Null),
        3 => Operand::One(Value::Bool(shape & 16 == 0)),
        4 => Operand::Many(Vec::new()),
        5 => Operand::Many(vec![Value::Text(text), Value::Null, Value::Int(3)]),
        6 => Operand::Many(vec![Value::Text("2026-01-01".to_owned()), Value::Text(text)]),
        7 => Operand::One(Value::Float(f64::from(*shape) / 3.0)),
        _ => Operand::One(Value::from(serde_json::json!({text: [null, 1.5, true]}))),
    };
    let _ = unalias(registry, &path);
    let query = SCRATCH.with(|scratch| scratch.instance().query(registry));
    let conditions = [Q::Is(path.clone(), operand.clone()), Q::Is(path.clone(), operand).negate()];
    let _ = query.order_by([path.as_str()]).and_then(|query| query.slice(0, Some(2)).all());
    for condition in conditions {
        let found = query.filter(condition.clone()).and_then(|query| query.count());
        if let Err(error) = found {
            let faults = [ErrorKind::Database, ErrorKind::Io, ErrorKind::Busy, ErrorKind::UnknownDatabase];
            assert!(!faults.contains(&error.kind()), "{condition:?} on {}: {error}", registry.name);
            assert!(!error.message().is_empty(), "{condition:?} is refused without a word");
        }
    }
}

/// Takes bytes for every file of settings, and for what a user types as a name or a root.
pub fn settings(data: &[u8]) {
    let env = &SCRATCH.with(|scratch| scratch.instance().env().clone());
    let text = String::from_utf8_lossy(data);
    let _ = Marker::parse(&text);
    let _ = StorageRoot::parse(env, &text);
    if let Ok(slug) = Slug::parse(&text, "someone") {
        let _ = InstanceSettings::find(env, &slug);
        assert!(!slug.to_string().is_empty());
    }
    let _ = UserSettings::find(env, &text);
    let folder = env.home.join(".lamin");
    if std::fs::create_dir_all(&folder).is_err() {
        return;
    }
    for name in ["instance--someone--fuzzed.env", "user--someone.env", "system.env", "current_user.env"] {
        if std::fs::write(folder.join(name), data).is_err() {
            return;
        }
    }
    if let Ok(slug) = Slug::parse("someone/fuzzed", "someone")
        && let Ok(found) = InstanceSettings::load(env, &slug)
    {
        // What is read can be written and read again.
        let _ = found.save(env);
    }
    let _ = UserSettings::find(env, "someone");
    let _ = UserSettings::find_current(env);
    let _ = SystemSettings::load(env);
}
