//! Queries on an instance that the reference made: look-ups, relations, order, slices, search.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Fixture;
use holotype::db::Sql;
use holotype::query::{Aggregate, Case, Q};
use holotype::{Operand, Result, Value};

fn names(records: &[holotype::Record], field: &str) -> Vec<String> {
    let mut names: Vec<String> =
        records.iter().filter_map(|record| record.text(field).map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn every_operator_finds_what_it_should() -> Result<()> {
    let fixture = Fixture::open("2.12.1");
    let artifacts = fixture.instance.registry("Artifact")?;
    let total = artifacts.count()?;
    let count =
        |path: &str, operand: Operand| artifacts.filter(Q::is(path, operand)).and_then(|query| query.count());
    assert_eq!(count("suffix", ".parquet".into())?, 1);
    assert_eq!(count("suffix__iexact", ".PARQUET".into())?, 1);
    assert_eq!(
        count("suffix__in", vec![".parquet", ".csv"].into())?,
        count("suffix__regex", "^\\.(parquet|csv)$".into())?
    );
    assert!(count("key__startswith", "real/".into())? >= 2);
    assert_eq!(count("key__endswith", "one.txt".into())?, count("key__iregex", "ONE\\.TXT$".into())?);
    assert_eq!(count("key__isnull", true.into())? + count("key__isnull", false.into())?, total);
    assert_eq!(count("size__gte", 0i64.into())? + count("size__isnull", true.into())?, total);
    assert_eq!(count("size__range", vec![0i64, i64::MAX].into())?, count("size__gte", 0i64.into())?);
    assert_eq!(count("created_at__year__gte", 2020i64.into())?, total);
    assert_eq!(count("created_at__year", 1999i64.into())?, 0);
    assert_eq!(count("key__contains", "%".into())?, 0, "wildcards are taken literally");
    assert_eq!(count("key__contains", "' OR 1=1 --".into())?, 0, "hostile text is a value");
    Ok(())
}

#[test]
fn starts_are_found_whatever_their_case_and_last_character() -> Result<()> {
    let fixture = Fixture::open("2.12.1");
    let keys = [
        "Abc",
        "abC/d",
        "ab",
        "abd",
        "a_c",
        "aZ",
        "az{",
        "a@b",
        "a`b",
        "aA",
        "a[",
        "%x",
        "_x",
        "\\x",
        "Ünï",
        "ünï",
        "\u{10ffff}a",
        "\u{d7ff}a",
        "\u{e000}a",
        "",
        "ab\u{10ffff}",
        "日本語/a",
        "日本",
    ];
    fixture.instance.db().write(|tx| {
        for (at, key) in keys.iter().enumerate() {
            let mut sql = Sql::new(
                "INSERT INTO lamindb_artifact (is_latest, uid, key, description, suffix, _key_is_virtual, _overwrite_versions, storage_id, created_by_id) VALUES (1, ",
            );
            sql.bind(format!("start{at:015}")).push(", ").bind(*key).push(", ").bind(*key).push(", '', 1, 0, 1, 1)");
            tx.execute(&sql)?;
        }
        Ok(())
    })?;
    let artifacts = fixture.instance.registry("Artifact")?.filter(Q::is("uid__startswith", "start"))?;
    let starts = keys.iter().flat_map(|key| key.char_indices().map(|(at, c)| &key[..at + c.len_utf8()]));
    for start in starts.chain(["", "AB", "aB", "a^", "A", "Z", "\u{10ffff}\u{10ffff}", "\0"]) {
        let fold = |text: &str| text.to_ascii_lowercase();
        let mut wanted: Vec<String> = keys
            .iter()
            .filter(|key| fold(key).starts_with(&fold(start)))
            .map(|key| (*key).to_owned())
            .collect();
        wanted.sort();
        let exact = artifacts.filter(Q::is("description", start))?.all()?;
        assert!(exact.iter().all(|record| record.text("description") == Some(start)), "{start:?}");
        assert_eq!(exact.len(), keys.iter().filter(|key| **key == start).count(), "{start:?}");
        for op in ["startswith", "istartswith"] {
            let found = artifacts.filter(Q::is(format!("key__{op}"), start))?.all()?;
            assert_eq!(names(&found, "key"), wanted, "{op} {start:?}");
        }
    }
    Ok(())
}

#[test]
fn relations_are_followed_both_ways_without_repeating_rows() -> Result<()> {
    let fixture = Fixture::open("2.12.1");
    let instance = &fixture.instance;
    let artifacts = instance.registry("Artifact")?;
    let all = artifacts.all()?;
    let mut by_hand: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for artifact in &all {
        for label in instance.related(artifact, "ulabels")?.all()? {
            by_hand
                .entry(label.text("name").unwrap().to_owned())
                .or_default()
                .push(artifact.uid().to_owned());
        }
    }
    assert!(!by_hand.is_empty(), "the fixture has labels");
    for (label, mut uids) in by_hand {
        let found = artifacts.filter(Q::is("ulabels__name", label.as_str()))?.all()?;
        uids.sort();
        assert_eq!(names(&found, "uid"), uids, "{label}");
        let labels = instance.registry("ULabel")?.filter(Q::is("artifacts__uid", uids[0].as_str()))?.all()?;
        assert!(names(&labels, "name").contains(&label));
    }
    let tracked = artifacts.filter(Q::is("run__transform__key__endswith", ".py"))?.count()?;
    let by_id = artifacts.filter(Q::is("run__isnull", false))?.count()?;
    assert_eq!(tracked, by_id);
    assert_eq!(artifacts.filter(Q::is("run__transform__isnull", true))?.count()?, all.len() - by_id);
    let without = artifacts.exclude(Q::is("run__transform__key__endswith", ".py"))?.count()?;
    assert_eq!(without + tracked, all.len(), "exclude keeps rows without a run");
    Ok(())
}

#[test]
fn unknown_names_are_refused_with_the_valid_ones() {
    let fixture = Fixture::open("2.12.1");
    let artifacts = fixture.instance.registry("Artifact").unwrap();
    let message = |path: &str| artifacts.filter(Q::is(path, 1i64)).unwrap_err().to_string();
    assert!(message("keyy").starts_with("Unknown field 'keyy'."), "{}", message("keyy"));
    assert!(message("keyy").contains("Did you mean 'key'?"));
    assert!(message("key__contians").contains("Unsupported lookup 'contians' for CharField"));
    assert!(message("run__transform__foo").contains("foo"));
    let text = artifacts.filter(Q::is("created_by", "anonymous")).unwrap_err().to_string();
    assert_eq!(text, "Invalid lookup 'anonymous' for created_by. Did you mean created_by__name?");
    assert!(
        artifacts.filter(Q::is("key__regex", "(")).unwrap_err().to_string().contains("no regular expression")
    );
}

#[test]
fn order_slice_and_aggregates() -> Result<()> {
    let fixture = Fixture::open("2.12.1");
    let artifacts = fixture.instance.registry("Artifact")?;
    let ids = artifacts.order_by(["-id"])?.all_ids()?;
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]));
    assert_eq!(artifacts.order_by(["-id"])?.slice(2, Some(5)).all_ids()?, ids[2..5]);
    assert_eq!(artifacts.order_by(["id"])?.reverse().all_ids()?, ids);
    assert_eq!(artifacts.slice(1, Some(4)).slice(1, None).count()?, 2);
    let by_storage = artifacts.order_by(["storage__root", "id"])?;
    assert_eq!(by_storage.all()?.len(), ids.len());
    let values = artifacts.aggregate(&[
        (Aggregate::Count, "id"),
        (Aggregate::Sum, "size"),
        (Aggregate::Max, "size"),
    ])?;
    let sizes: Vec<i64> = artifacts.all()?.iter().filter_map(|record| record.int("size")).collect();
    assert_eq!(
        values,
        [
            (ids.len() as i64).into(),
            sizes.iter().sum::<i64>().into(),
            Value::Int(*sizes.iter().max().unwrap())
        ]
    );
    Ok(())
}

#[test]
fn trash_and_other_branches_are_hidden_by_default() -> Result<()> {
    let fixture = Fixture::open("2.12.1");
    let registry = holotype::model::require("Artifact")?;
    let all = fixture.instance.query(registry).count()?;
    let visible = fixture.instance.query(registry).visible()?.count()?;
    assert!(visible < all, "the fixture has trash");
    let trash = fixture.instance.query(registry).filter(Q::is("branch_id", -1i64))?.visible()?;
    assert!(trash.count()? > 0, "asking for a branch shows it");
    let uid = trash.first()?.unwrap().uid().to_owned();
    assert_eq!(fixture.instance.get_uid(registry, &uid)?.uid(), uid, "a uid names a record wherever it is");
    let key = trash.first()?.unwrap().text("key").unwrap().to_owned();
    let hidden = fixture.instance.get_where(registry, Q::is("key", key)).unwrap_err();
    assert_eq!(
        hidden.message(),
        format!(
            "Artifact matching query does not exist. {uid} matches but is in the trash: get it by its uid and restore it."
        )
    );
    Ok(())
}

#[test]
fn tables_hold_scalars_and_search_ranks() -> Result<()> {
    let fixture = Fixture::open("2.12.1");
    let artifacts = fixture.instance.registry("Artifact")?.order_by(["-id"])?;
    let table = artifacts.table(["uid", "key", "storage__root", "created_at"])?;
    assert_eq!(table.rows, artifacts.count()?);
    assert!(artifacts.table(["ulabels__name"]).unwrap_err().to_string().contains("many records"));
    let labels = fixture.instance.registry("ULabel")?;
    let name = labels.first()?.unwrap().text("name").unwrap().to_owned();
    let found = labels.search(&name, &[], Some(5), Case::Ignored)?.all()?;
    assert_eq!(found[0].text("name"), Some(name.as_str()), "an equal name comes first");
    Ok(())
}

#[test]
fn tables_are_arrow_record_batches() -> Result<()> {
    let fixture = Fixture::open("2.12.1");
    let artifacts = fixture.instance.registry("Artifact")?.order_by(["id"])?;
    let table = artifacts.table(["key", "size", "is_latest", "created_at"])?;
    let batch = table.to_arrow()?;
    let schema = batch.schema();
    let types: Vec<String> =
        schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    assert_eq!(types, ["key Utf8", "size Int64", "is_latest Boolean", "created_at Timestamp(µs, \"UTC\")"]);
    assert_eq!(batch.num_rows(), table.rows);
    let without = table.columns[0].data == holotype::query::ColumnData::Text(vec![None; table.rows]);
    assert_eq!(batch.column(0).null_count() == table.rows, without, "{:?}", batch.column(0));
    assert_eq!(artifacts.table(Vec::<&str>::new())?.to_arrow()?.num_rows(), table.rows);
    Ok(())
}

#[test]
fn json_is_compared_by_type() -> Result<()> {
    let fixture = Fixture::open("2.12.1");
    let runs = fixture.instance.registry("Run")?;
    let with_params: Vec<_> =
        runs.all()?.into_iter().filter(|run| !run.get("params").unwrap().is_null()).collect();
    assert!(!with_params.is_empty());
    let Some(Value::Json(params)) = with_params[0].get("params").cloned() else { panic!("params are JSON") };
    for (key, value) in params.as_object().unwrap() {
        let found = runs.filter(Q::is(format!("params__{key}"), Value::from(value.clone())))?.count()?;
        assert!(found >= 1, "params__{key}={value}");
        assert!(runs.filter(Q::is("params__has_key", key.as_str()))?.count()? >= 1);
    }
    assert_eq!(runs.filter(Q::is("params__has_key", "no such key"))?.count()?, 0);
    Ok(())
}
