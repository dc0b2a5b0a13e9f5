//! The tables of the format, written from the registries.

mod rules;

use super::dialect::Dialect;
use crate::model::{self, Column, NullState, Registry, Unique};

/// Returns the statements that make every table of the format, in an order that works.
pub fn create_all(dialect: Dialect) -> Vec<String> {
    let registries = model::all();
    let mut statements: Vec<String> =
        registries.iter().map(|registry| create_table(dialect, registry)).collect();
    for registry in registries {
        statements.extend(unique_rules(dialect, registry));
        statements.extend(indexes(dialect, registry));
    }
    if dialect == Dialect::Postgres {
        // Tables refer to each other in circles; PostgreSQL wants the target to be there.
        statements.extend(registries.iter().flat_map(foreign_keys));
        statements.extend(rules::type_rules());
        // What was registered last week: among a million artifacts nobody wants to read them all for it.
        statements.push(
            "CREATE INDEX \"holotype_artifact_created_at_idx\" ON \"lamindb_artifact\" (\"created_at\")"
                .to_owned(),
        );
    }
    statements
}

/// Returns the statements that add the tables and indexes of this engine, also to a database that LaminDB made.
pub fn create_own(dialect: Dialect) -> Vec<String> {
    let (bytes, moment) = match dialect {
        Dialect::Sqlite => ("BLOB", "datetime"),
        Dialect::Postgres => ("bytea", "timestamp with time zone"),
    };
    // Without the cascade LaminDB could no longer delete artifacts, because it doesn't know of these rows.
    let mut statements = vec![
        format!(
            "CREATE TABLE IF NOT EXISTS \"holotype_content\" (\n    \
             \"artifact_id\" INTEGER NOT NULL PRIMARY KEY REFERENCES \"lamindb_artifact\" (\"id\") \
             ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,\n    \
             \"digest\" TEXT NOT NULL CHECK (length(\"digest\") = 64),\n    \
             \"size\" bigint NOT NULL,\n    \
             \"hash\" TEXT NULL,\n    \
             \"hash_type\" TEXT NULL,\n    \
             \"manifest\" {bytes} NULL,\n    \
             \"computed_at\" {moment} NOT NULL,\n    \
             \"verified_at\" {moment} NULL\n)"
        ),
        "CREATE INDEX IF NOT EXISTS \"holotype_content_digest_idx\" ON \"holotype_content\" (\"digest\")"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS \"holotype_meta\" (\n    \
         \"key\" TEXT NOT NULL PRIMARY KEY,\n    \"value\" TEXT NOT NULL\n)"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS \"holotype_run\" (\n    \
         \"run_id\" INTEGER NOT NULL PRIMARY KEY REFERENCES \"lamindb_run\" (\"id\") \
         ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,\n    \
         \"environment\" TEXT NOT NULL,\n    \
         \"origin\" TEXT NOT NULL\n)"
            .to_owned(),
        format!(
            "CREATE TABLE IF NOT EXISTS \"holotype_document\" (\n    \
             \"digest\" TEXT NOT NULL PRIMARY KEY CHECK (length(\"digest\") = 64),\n    \
             \"content\" {bytes} NOT NULL\n)"
        ),
        // Who shares a place is asked at every save of a real key; few rows have one of these.
        "CREATE INDEX IF NOT EXISTS \"holotype_artifact_real_key_idx\" ON \"lamindb_artifact\" (\"_real_key\") \
         WHERE \"_real_key\" IS NOT NULL"
            .to_owned(),
    ];
    let registries = model::all();
    match dialect {
        Dialect::Sqlite => statements.extend(registries.iter().flat_map(prefix_indexes)),
        Dialect::Postgres => statements.extend(registries.iter().flat_map(equality_indexes)),
    }
    statements
}

/// Returns the names of what [`create_own`] makes.
pub fn own_names(dialect: Dialect) -> Vec<String> {
    let name = |statement: &String| statement.split('"').nth(1).map(str::to_owned);
    create_own(dialect).iter().filter_map(name).collect()
}

/// Returns what lets all who may read or write artifacts on a server do the same with tables of our own that were just made.
pub(crate) fn share(tables: &[&str]) -> String {
    format!(
        "DO $$ DECLARE given record; BEGIN \
         FOR given IN SELECT DISTINCT grantee, privilege_type AS may \
         FROM pg_class, aclexplode(COALESCE(relacl, acldefault('r', relowner))) \
         WHERE oid = to_regclass('lamindb_artifact') AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') LOOP \
         EXECUTE format('GRANT %s ON {} TO %s', given.may, \
         CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(given.grantee)) END); \
         END LOOP; END $$",
        tables.join(", ")
    )
}

/// Returns the indexes for look-ups of texts by their start, which ignore case on SQLite.
fn prefix_indexes(registry: &Registry) -> impl Iterator<Item = String> {
    registry.columns.iter().filter(|column| column.prefixes).map(move |column| {
        let [name, table, column] = own_index(registry, column, "prefix");
        format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({column} COLLATE NOCASE)")
    })
}

/// Returns the indexes for look-ups of whole texts that the format leaves without one on PostgreSQL.
///
/// They hold hashes: a text of any length fits, where an ordinary index would refuse the row of a long one.
fn equality_indexes(registry: &Registry) -> impl Iterator<Item = String> {
    registry.columns.iter().filter(|column| column.prefixes && !column.indexed).map(move |column| {
        let [name, table, column] = own_index(registry, column, "equal");
        format!(
            "CREATE INDEX IF NOT EXISTS {name} ON {table} USING hash ({column}) WHERE {column} IS NOT NULL"
        )
    })
}

/// Returns the quoted names of an index of our own, its table and its column.
fn own_index(registry: &Registry, column: &Column, what: &str) -> [String; 3] {
    let stem = registry.table.trim_start_matches("lamindb_");
    let name = format!("holotype_{stem}_{}_{what}_idx", column.column);
    [name.as_str(), registry.table, column.column].map(|part| format!("\"{part}\""))
}

fn create_table(dialect: Dialect, registry: &Registry) -> String {
    let mut lines: Vec<String> =
        registry.columns.iter().map(|column| column_definition(dialect, column)).collect();
    lines.extend(registry.checks.iter().map(|check| {
        format!(
            "CONSTRAINT {} CHECK ({} OR {} IS NOT NULL)",
            dialect.quote(check.name),
            dialect.quote(check.unless),
            dialect.quote(check.required)
        )
    }));
    format!("CREATE TABLE {} (\n    {}\n)", dialect.quote(registry.table), lines.join(",\n    "))
}

/// Returns the definition of one column, as `CREATE TABLE` and `ADD COLUMN` take it.
pub(crate) fn column_definition(dialect: Dialect, column: &Column) -> String {
    let name = dialect.quote(column.column);
    if column.name == "id" {
        return format!("{name} {}", dialect.primary_key(column.kind));
    }
    let mut line = format!("{name} {}", dialect.column_type(column.kind));
    if let Some(default) = dialect.default(column.default).filter(|_| column.db_default) {
        line.push_str(" DEFAULT ");
        line.push_str(&default);
    }
    line.push_str(if column.null { " NULL" } else { " NOT NULL" });
    if column.unique {
        line.push_str(" UNIQUE");
    }
    if dialect == Dialect::Sqlite {
        if column.kind == model::Kind::Json {
            line.push_str(&format!(" CHECK ((JSON_VALID({name}) OR {name} IS NULL))"));
        }
        if let Some(target) = column.to.and_then(|to| model::find(to.target)) {
            line.push_str(&format!(
                " REFERENCES {} (\"id\") DEFERRABLE INITIALLY DEFERRED",
                dialect.quote(target.table)
            ));
        }
    }
    line
}

/// Returns the statements for the rules over several columns and for those that compare in lower case.
fn unique_rules(dialect: Dialect, registry: &Registry) -> Vec<String> {
    let mut nameless = 0;
    let mut statement = |unique: &Unique| {
        let name = unique.name.map_or_else(
            || {
                nameless += 1;
                format!("{}_uniq{nameless}", registry.table)
            },
            str::to_owned,
        );
        let (name, table) = (dialect.quote(&name), dialect.quote(registry.table));
        let columns: Vec<String> = unique
            .columns
            .iter()
            .map(|column| match unique.lower {
                true => format!("LOWER({})", dialect.quote(column)),
                false => dialect.quote(column),
            })
            .collect();
        let columns = columns.join(", ");
        match unique.when {
            Some((column, state)) => {
                let state = if state == NullState::Null { "IS NULL" } else { "IS NOT NULL" };
                let column = dialect.quote(column);
                format!("CREATE UNIQUE INDEX {name} ON {table} ({columns}) WHERE {column} {state}")
            }
            // As constraints, LaminDB's own migrations find them on PostgreSQL.
            None if dialect == Dialect::Postgres && !unique.lower => {
                format!("ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE ({columns})")
            }
            None => format!("CREATE UNIQUE INDEX {name} ON {table} ({columns})"),
        }
    };
    registry.uniques.iter().map(&mut statement).collect()
}

fn indexes(dialect: Dialect, registry: &Registry) -> Vec<String> {
    let table = dialect.quote(registry.table);
    let index = |column: &Column, suffix: &str, rest: &str| {
        let name = dialect.quote(&format!("{}_{}_{suffix}", registry.table, column.column));
        format!("CREATE INDEX {name} ON {table} ({}{rest})", dialect.quote(column.column))
    };
    let mut statements = Vec::new();
    for column in &registry.columns {
        let text = dialect == Dialect::Postgres && column.kind.is_text();
        if column.indexed {
            let other_end = other_end(dialect, registry, column);
            let rest = match other_end {
                Some(other) => format!(", {}", dialect.quote(other)),
                // This class serves equality and prefixes alike, whatever the collation.
                None if text => " varchar_pattern_ops".to_owned(),
                None => String::new(),
            };
            statements.push(index(column, "idx", &rest));
        } else if text && column.name == "uid" {
            statements.push(index(column, "like", " varchar_pattern_ops"));
        }
    }
    statements
}

/// Returns the other end of a link whose way back this column is: a server with millions of links then answers which
/// records have a label from the index alone, which takes a tenth of the time.
fn other_end(dialect: Dialect, registry: &Registry, column: &Column) -> Option<&'static str> {
    let near = *registry.uniques.first()?.columns.first()?;
    let back = registry.traits.link && column.to.is_some() && column.column != near;
    (dialect == Dialect::Postgres && back).then_some(near)
}

fn foreign_keys(registry: &Registry) -> Vec<String> {
    let dialect = Dialect::Postgres;
    let key = |column: &Column| {
        let target = model::find(column.to?.target)?;
        Some(format!(
            "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} (\"id\") \
             DEFERRABLE INITIALLY DEFERRED",
            dialect.quote(registry.table),
            dialect.quote(&format!("{}_{}_fk", registry.table, column.column)),
            dialect.quote(column.column),
            dialect.quote(target.table)
        ))
    };
    registry.columns.iter().filter_map(key).collect()
}
