//! Features: named dimensions of measurement and annotation, and their values.

use super::declare::{Declaration, Field, Relation, Rule, Shape};
use super::mixins::{CAN_CURATE, HAS_TYPE, IN_BRANCH, TRACKS_RUN, TRACKS_UPDATES};
use super::{Check, Default, Kind};

/// A feature.
pub static FEATURE: Declaration = Declaration {
    doc: "A named dimension of datasets and annotations, such as a column, with its data type.",
    mixins: &[&HAS_TYPE, &IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES, &CAN_CURATE],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(12).default(Default::Uid(12)),
        Field::char("name", 150).indexed().doc("Name, such as the name of a column."),
        Field::char("_dtype_str", 255)
            .null()
            .doc("Data type, such as `float` or `cat[bionty.CellType]`; null for types only."),
        Field::char("_ounit_str", 255).null().doc("Column of the format that is kept but not interpreted."),
        Field::char("unit", 30).null().doc("Unit of measurement, such as `m` or `celsius`."),
        Field::text("description").null().doc("What the feature means."),
        Field::small("array_rank")
            .default(Default::Int(0))
            .doc("Number of dimensions of a value; 0 for a scalar."),
        Field::int("array_size")
            .default(Default::Int(0))
            .doc("Number of elements of a value; 0 for a scalar."),
        Field::json("array_shape")
            .null()
            .db_default(Default::JsonNull)
            .doc("Length of a value in each of its dimensions."),
        Field::text("synonyms").null().doc("Other names of the feature, separated by `|`."),
        Field::json("default_value").null().doc("Value that stands in for a missing one."),
        Field::bool("nullable").null().doc("True when values may be missing."),
        Field::bool("coerce").null().doc("True when validation may convert values to the data type."),
    ],
    relations: &[
        Relation::one("type", "Feature")
            .null()
            .back("features")
            .doc("Type that groups this feature with others."),
        Relation::many("schemas", "Schema")
            .back("features")
            .as_value(Shape::Pair)
            .doc("Schemas that the feature is a member of."),
    ],
    checks: &[Check {
        name: "feature_dtype_str_not_null_when_is_type_false",
        unless: "is_type",
        required: "_dtype_str",
    }],
    aliases: &[("dtype", "_dtype_str"), ("dtype_as_str", "_dtype_str")],
    ..Declaration::core("Feature", "lamindb_feature")
};

/// A value of a feature that is no record.
pub static JSON_VALUE: Declaration = Declaration {
    doc: "A value of a feature that is no record, shared by all artifacts and runs that have it.",
    mixins: &[&IN_BRANCH, &TRACKS_RUN],
    fields: &[
        Field::id(Kind::BigInt),
        Field::json("value").doc("The value as JSON; dates and moments as ISO text."),
        Field::char("hash", 22)
            .null()
            .doc("Hash of the value, by which equal values of a feature are found."),
    ],
    relations: &[Relation::one("feature", "Feature")
        .null()
        .back("values")
        .cascade()
        .doc("Feature whose value it is.")],
    uniques: &[Rule::over(&["feature_id", "hash"])],
    name_field: Some("value"),
    top_level: false,
    ..Declaration::core("JsonValue", "lamindb_jsonvalue")
};
