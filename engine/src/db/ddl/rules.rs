//! Rules about types that PostgreSQL keeps by itself: functions, checks and triggers.
//!
//! Names are those of the format, so that later migrations of LaminDB find and replace them.

use crate::model;

/// The end of the name of the trigger that keeps the types of a registry free of cycles.
const CYCLE_TRIGGERS: [(&str, &str); 6] = [
    ("Feature", "04c90"),
    ("Project", "e2567"),
    ("Record", "56c18"),
    ("Reference", "3d37c"),
    ("Schema", "b403c"),
    ("ULabel", "863ae"),
];

/// Lets a connection switch triggers off by listing their names in the setting `pgtrigger.ignore`.
const SHOULD_IGNORE: &str = r"CREATE OR REPLACE FUNCTION _pgtrigger_should_ignore(trigger_name name)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT COALESCE(
        trigger_name::text = ANY (NULLIF(current_setting('pgtrigger.ignore', true), '')::text[]), false
    )
$$";

/// Keeps the former name of a feature among its synonyms and, with the moment, in `_aux`.
const RENAME_FUNCTION: &str = r#"CREATE OR REPLACE FUNCTION pgtrigger_update_feature_on_name_change_6c32d()
RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    facts jsonb := CASE WHEN jsonb_typeof(NEW._aux) = 'object' THEN NEW._aux ELSE '{}'::jsonb END;
    moment text := to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
BEGIN
    IF _pgtrigger_should_ignore(TG_NAME) THEN
        RETURN NEW;
    END IF;
    IF COALESCE(NEW.synonyms, '') = '' THEN
        NEW.synonyms := OLD.name;
    ELSIF strpos(NEW.synonyms, OLD.name) = 0 THEN
        NEW.synonyms := NEW.synonyms || '|' || OLD.name;
    END IF;
    NEW._aux := facts || jsonb_build_object(
        'renamed', COALESCE(facts -> 'renamed', '{}'::jsonb) || jsonb_build_object(moment, OLD.name)
    );
    RETURN NEW;
END
$$"#;

const RENAME_TRIGGER: &str = "CREATE TRIGGER pgtrigger_update_feature_on_name_change_6c32d
BEFORE UPDATE ON lamindb_feature FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
EXECUTE FUNCTION pgtrigger_update_feature_on_name_change_6c32d()";

/// Returns the statements that make functions, checks and triggers; the tables must be there.
pub(super) fn type_rules() -> Vec<String> {
    let mut statements = vec![SHOULD_IGNORE.to_owned()];
    for (name, suffix) in CYCLE_TRIGGERS {
        let Some(registry) = model::find(name) else { continue };
        let noun = name.to_lowercase();
        statements.push(valid_type(registry.table, &noun));
        statements.push(format!(
            "ALTER TABLE {} ADD CONSTRAINT {noun}_type_is_valid_fk CHECK (is_valid_{noun}_type({}))",
            registry.table,
            if noun == "record" { "type_id, is_type" } else { "type_id" }
        ));
        let trigger = format!("pgtrigger_prevent_{noun}_type_cycle_{suffix}");
        statements.push(cycle_function(&trigger, registry.table, &noun));
        statements.push(format!(
            "CREATE TRIGGER {trigger}\nBEFORE INSERT OR UPDATE ON {} FOR EACH ROW \
             WHEN (NEW.type_id IS NOT NULL)\nEXECUTE FUNCTION {trigger}()",
            registry.table
        ));
    }
    statements.push(RENAME_FUNCTION.to_owned());
    statements.push(RENAME_TRIGGER.to_owned());
    statements
}

/// Returns the function that is true for no type and for the id of a type.
///
/// A type of records that has a schema describes rows, so it can be the type of rows but not of types.
fn valid_type(table: &str, noun: &str) -> String {
    let (argument, also) = match noun {
        "record" => (", record_is_type boolean", " AND NOT (record_is_type AND schema_id IS NOT NULL)"),
        _ => ("", ""),
    };
    format!(
        "CREATE OR REPLACE FUNCTION is_valid_{noun}_type({noun}_type_id integer{argument})
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT {noun}_type_id IS NULL
        OR EXISTS (SELECT 1 FROM {table} WHERE id = {noun}_type_id AND is_type{also})
$$"
    )
}

/// Returns the function that refuses a type of another space, the row itself as its type, and cycles.
fn cycle_function(trigger: &str, table: &str, noun: &str) -> String {
    let kind = if noun == "record" { "locked" } else { "single-space" };
    format!(
        "CREATE OR REPLACE FUNCTION {trigger}()
RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    required text;
    allowed boolean;
BEGIN
    IF _pgtrigger_should_ignore(TG_NAME) THEN
        RETURN NEW;
    END IF;
    SELECT _aux ->> 'ss', space_id = NEW.space_id INTO required, allowed FROM {table} WHERE id = NEW.type_id;
    IF required <> '1' THEN
        allowed := EXISTS (SELECT 1 FROM lamindb_space WHERE id = NEW.space_id AND uid = required);
    END IF;
    IF required IS NOT NULL AND NOT allowed THEN
        RAISE EXCEPTION 'Cannot set type: {noun} space must match {kind} type space';
    END IF;
    IF NEW.type_id = NEW.id THEN
        RAISE EXCEPTION 'Cannot set type: {noun} cannot be its own type';
    END IF;
    IF EXISTS (
        WITH RECURSIVE above(id, level) AS (
            SELECT type_id, 1 FROM {table} WHERE id = NEW.type_id
            UNION ALL
            SELECT t.type_id, above.level + 1
            FROM above JOIN {table} t ON t.id = above.id
            WHERE above.level < 100
        )
        SELECT 1 FROM above WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'Cannot set type: would create a cycle';
    END IF;
    RETURN NEW;
END
$$"
    )
}
