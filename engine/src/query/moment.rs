//! Parts of days and moments, such as the year, on both databases.

use super::lookup::Part;
use crate::db::Sql;
use crate::value::Kind;

/// Returns the part of the day or moment that a column holds.
pub(super) fn part(column: Sql, kind: Kind, part: Part) -> Sql {
    let mut sql = Sql::default();
    sql.fork(sqlite(column.clone(), part), postgres(column, kind, part));
    sql
}

/// Returns a stored moment so that it compares in time: SQLite holds texts with three or with six decimals.
pub(super) fn comparable(moment: Sql) -> Sql {
    let mut padded = Sql::new("substr(");
    padded.append(moment.clone()).push(" || CASE length(").append(moment.clone());
    padded.push(") WHEN 19 THEN '.000000' ELSE '000000' END, 1, 26)");
    let mut sql = Sql::default();
    sql.fork(padded, moment);
    sql
}

fn sqlite(column: Sql, part: Part) -> Sql {
    let around = |before: &str, after: &str| {
        let mut sql = Sql::new(before);
        sql.append(column.clone()).push(after);
        sql
    };
    let number = |letter: &str| around(&format!("CAST(strftime('%{letter}', "), ") AS INTEGER)");
    match part {
        Part::Year => number("Y"),
        Part::IsoYear => number("G"),
        Part::Month => number("m"),
        Part::Day => number("d"),
        Part::Week => number("V"),
        Part::IsoWeekDay => number("u"),
        Part::Hour => number("H"),
        Part::Minute => number("M"),
        Part::Second => number("S"),
        Part::WeekDay => {
            let mut sql = number("w");
            sql.push(" + 1");
            sql
        }
        Part::Quarter => {
            let mut sql = Sql::new("(");
            sql.append(number("m")).push(" + 2) / 3");
            sql
        }
        Part::Date => around("date(", ")"),
        Part::Time => around("time(", ")"),
    }
}

fn postgres(column: Sql, kind: Kind, part: Part) -> Sql {
    // The parts are those in UTC, whatever zone the connection prefers.
    let mut utc = Sql::new("(");
    utc.append(column).push(if kind == Kind::DateTime { " AT TIME ZONE 'UTC')" } else { ")::timestamp" });
    let around = |before: &str, after: &str| {
        let mut sql = Sql::new(before);
        sql.append(utc.clone()).push(after);
        sql
    };
    let number = |field: &str| around(&format!("FLOOR(EXTRACT({field} FROM "), "))::integer");
    match part {
        Part::Year => number("YEAR"),
        Part::IsoYear => number("ISOYEAR"),
        Part::Month => number("MONTH"),
        Part::Day => number("DAY"),
        Part::Week => number("WEEK"),
        Part::IsoWeekDay => number("ISODOW"),
        Part::Hour => number("HOUR"),
        Part::Minute => number("MINUTE"),
        Part::Second => number("SECOND"),
        Part::WeekDay => {
            let mut sql = Sql::new("(");
            sql.append(number("DOW")).push(" + 1)");
            sql
        }
        Part::Quarter => number("QUARTER"),
        Part::Date => around("", "::date"),
        Part::Time => around("to_char(", ", 'HH24:MI:SS')"),
    }
}
