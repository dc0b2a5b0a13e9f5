use clap::Args;
use holotype::describe::format_size;
use holotype::model::Registry;
use holotype::query::{ColumnData, TableColumn};
use holotype::{Event, Q, QuerySet, Record, Timestamp, Value};
use serde_json::{Map, Value as Json};

use crate::entity;
use crate::error::{Failure, Result};
use crate::records;
use crate::table::{Sheet, SheetColumn};
use crate::ui::Ui;
use crate::voice::Level;

/// So many records are listed when nothing is said about it.
const LIMIT: usize = 20;

/// List the records of a registry, newest first
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype list artifact
  holotype list artifacts --filter key__startswith=raw/ --filter size__gt=1000000
  holotype list artifact --columns uid,key,storage__root,created_by__handle
  holotype list bionty.CellType --filter name__icontains='t cell' --limit 5
  holotype list branch --json")]
pub(crate) struct ListArgs {
    /// Registry: artifact, branch, collection, run, ulabel, bionty.CellType, …
    registry: String,
    /// How many records at most
    #[arg(long, default_value_t = LIMIT, value_parser = at_least_one)]
    limit: usize,
    /// Condition FIELD=VALUE, where FIELD may carry a look-up such as __contains, __gt, __in, __isnull or a relation
    #[arg(long, value_name = "FIELD=VALUE")]
    filter: Vec<String>,
    /// Fields to show, separated by commas; they may reach into relations to one record
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    columns: Vec<String>,
    /// Also list what is in the trash, in the archive and on other branches
    #[arg(long)]
    all: bool,
    /// Name of the registry in release 1.9
    #[arg(long, hide = true)]
    name: Option<String>,
}

impl ListArgs {
    /// Returns the request to list a registry with everything else left open.
    pub(super) fn of(registry: &str) -> ListArgs {
        ListArgs {
            registry: registry.to_owned(),
            limit: LIMIT,
            filter: Vec::new(),
            columns: Vec::new(),
            all: false,
            name: None,
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("0 is not in the range x>=1".to_owned()),
        Ok(limit) => Ok(limit),
        Err(_) => Err("not a number".to_owned()),
    }
}

pub(crate) fn run(ui: &mut Ui, args: &ListArgs) -> Result<()> {
    let registry = entity::require(&args.registry)?;
    let conditions = args.filter.iter().map(|text| condition(text)).collect::<Result<Vec<_>>>()?;
    let instance = ui.connect()?;
    let mut query = instance.query(registry).filter(Q::And(conditions))?;
    if let Some(name) = &args.name {
        query = query.filter(Q::is("name", name.as_str()))?;
    }
    if !args.all {
        query = query.visible()?;
    }
    if registry.name == "Artifact" && !query.mentions(&["kind", "uid", "id"]) {
        // Logs and environments of runs are artifacts too, but nobody means them.
        query =
            query.filter(Q::is("kind__isnull", true).or(Q::is("kind__startswith", "__lamindb").negate()))?;
    }
    let page = query.order_by(["-id"])?.slice(0, Some(args.limit));
    if ui.json() {
        ui.print_json(&json(&page, &args.columns)?);
        return Ok(());
    }
    let chosen: Vec<&str> = match args.columns.is_empty() {
        true => default_columns(registry),
        false => args.columns.iter().map(String::as_str).collect(),
    };
    let found = page.table(chosen)?;
    let telling = |column: &&TableColumn| !args.columns.is_empty() || tells(&column.data, &column.name);
    let sheet = Sheet::new(found.columns.iter().filter(telling).map(sheet_column).collect());
    let (text, left_out) = sheet.fit(ui.width());
    ui.print(text);
    if !left_out.is_empty() {
        let (n, names) = (left_out.len(), left_out.join(", "));
        let s = if n == 1 { "" } else { "s" };
        ui.say(
            Level::ImportantHint,
            format!("{n} more column{s}: {names} (choose with --columns, or --json)"),
        );
    }
    if found.rows == args.limit && query.count()? > found.rows {
        ui.tell(Event::Truncated { limit: args.limit, registry: registry.name });
    }
    Ok(())
}

/// Returns the condition that `FIELD=VALUE` means.
pub(super) fn condition(text: &str) -> Result<Q> {
    let (path, value) = text.split_once('=').filter(|(path, _)| !path.is_empty()).ok_or_else(|| {
        Failure::Usage(format!("Invalid value for --filter: '{text}' is not of the form FIELD=VALUE"))
    })?;
    let flag = path.ends_with("__isnull");
    let one = |value: &str| match value {
        "None" | "null" => Value::Null,
        "true" | "True" | "1" if flag => Value::from(true),
        "false" | "False" | "0" if flag => Value::from(false),
        value => Value::from(value),
    };
    let several = path.ends_with("__in") || path.ends_with("__range");
    Ok(match several {
        true => Q::is(path, value.split(',').map(one).collect::<Vec<_>>()),
        false => Q::is(path, one(value)),
    })
}

/// Returns the columns that people look for: the fields of the registry itself.
fn default_columns(registry: &'static Registry) -> Vec<&'static str> {
    let shown = Record::shown_columns(registry).into_iter().map(|i| &registry.columns[i]);
    shown.filter(|column| column.to.is_none()).map(|column| column.name).collect()
}

/// Returns true when a column says something about the rows: one that is empty or equal throughout does not.
fn tells(data: &ColumnData, name: &str) -> bool {
    fn any<T>(values: &[Option<T>]) -> bool {
        values.iter().any(Option::is_some)
    }
    name == "uid"
        || match data {
            ColumnData::Bool(flags) => flags.windows(2).any(|pair| pair[0] != pair[1]),
            ColumnData::Int(values) | ColumnData::Moment(values) => any(values),
            ColumnData::Float(values) => any(values),
            ColumnData::Text(values) | ColumnData::Day(values) | ColumnData::Json(values) => any(values),
        }
        || data.is_empty()
}

fn sheet_column(column: &TableColumn) -> SheetColumn {
    fn cells<T>(values: &[Option<T>], show: impl Fn(&T) -> String) -> Vec<String> {
        values.iter().map(|value| value.as_ref().map(&show).unwrap_or_default()).collect()
    }
    let size = column.name == "size";
    let cells = match &column.data {
        ColumnData::Bool(values) => cells(values, |flag| Value::Bool(*flag).to_string()),
        ColumnData::Int(values) if size => cells(values, |bytes| format_size(*bytes)),
        ColumnData::Int(values) => cells(values, i64::to_string),
        ColumnData::Float(values) => cells(values, f64::to_string),
        ColumnData::Moment(values) => cells(values, |micros| Timestamp(*micros).to_display()),
        ColumnData::Text(values) | ColumnData::Day(values) | ColumnData::Json(values) => {
            cells(values, String::clone)
        }
    };
    SheetColumn { name: column.name.clone(), cells, number: matches!(column.data, ColumnData::Int(_)) }
}

/// Returns the records as an array of objects.
fn json(page: &QuerySet, columns: &[String]) -> Result<Json> {
    if columns.is_empty() {
        return Ok(page.all()?.iter().map(records::json).collect());
    }
    let found = page.table(columns.iter().map(String::as_str))?;
    let rows = (0..found.rows).map(|row| {
        let cell = |column: &TableColumn| (column.name.clone(), json_cell(&column.data, row));
        Json::Object(found.columns.iter().map(cell).collect::<Map<_, _>>())
    });
    Ok(rows.collect())
}

fn json_cell(data: &ColumnData, row: usize) -> Json {
    match data {
        ColumnData::Bool(values) => values[row].into(),
        ColumnData::Int(values) => values[row].into(),
        ColumnData::Float(values) => values[row].into(),
        ColumnData::Moment(values) => values[row].map(|micros| Timestamp(micros).to_iso()).into(),
        ColumnData::Text(values) | ColumnData::Day(values) => values[row].clone().into(),
        ColumnData::Json(values) => {
            values[row].as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Json::Null)
        }
    }
}
