//! Runs: executions of transforms.

use super::declare::{Declaration, Field, Relation, Rule, Shape};
use super::mixins::{CREATED_AT, CREATED_BY, IN_BRANCH, LINK, TRACKS_UPDATES, linked_in_records};
use super::{Default, Kind, NullState};

/// A run.
pub static RUN: Declaration = Declaration {
    doc: "One execution of a transform, with its parameters, inputs, outputs and outcome.",
    mixins: &[&IN_BRANCH, &TRACKS_UPDATES],
    fields: &[
        Field::id(Kind::BigInt),
        Field::uid(20).default(Default::Uid(16)),
        Field::char("name", 150).null().doc("Name of the run, free to choose."),
        Field::text("description").null().doc("What the run was for."),
        Field::char("entrypoint", 255)
            .null()
            .doc("Qualified name of the function that was run, for flows and steps."),
        Field::moment("started_at").db_default(Default::Now).doc("Moment at which the run started."),
        Field::moment("finished_at").null().doc("Moment at which the run finished, failed or was stopped."),
        Field::json("params").null().doc("Parameters of the run, with secrets blanked out."),
        Field::json("extra_data").null().doc("Free JSON data kept beside the fields."),
        Field::char("reference", 255).null().doc("Id or URL of the run in another system."),
        Field::char("reference_type", 25).null().doc("What `reference` is, such as `url`."),
        Field::char("cli_args", 1024).null().doc("Arguments of the command line, joined by blanks."),
        CREATED_AT,
        Field::bool("_is_consecutive")
            .null()
            .doc("True when the cells of a notebook ran once each from top to bottom."),
        Field::small("_status_code")
            .db_default(Default::Int(-3))
            .words(&[
                ("scheduled", -3),
                ("restarted", -2),
                ("started", -1),
                ("completed", 0),
                ("errored", 1),
                ("aborted", 2),
            ])
            .doc("Status: scheduled -3, restarted -2, started -1, completed 0, errored 1, aborted 2."),
    ],
    relations: &[
        Relation::one("transform", "Transform")
            .back("runs")
            .cascade()
            .indexed()
            .doc("Transform that was run."),
        Relation::one("report", "Artifact")
            .null()
            .back("_report_of")
            .indexed()
            .doc("Artifact that holds the log or the rendered notebook."),
        Relation::one("environment", "Artifact")
            .null()
            .back("_environment_of")
            .indexed()
            .doc("Artifact that lists the software present in the run."),
        Relation::one("plan", "Artifact")
            .null()
            .back("_plan_for_runs")
            .indexed()
            .doc("Artifact that holds the plan the run follows."),
        CREATED_BY.back("created_runs").cascade().doc("User who started the run."),
        Relation::one("initiated_by_run", "Run")
            .null()
            .back("initiated_runs")
            .cascade()
            .indexed()
            .doc("Run from which this one was started."),
        Relation::many("json_values", "JsonValue")
            .back("runs")
            .as_host(Shape::Dated)
            .doc("Values of features of the run that are no records."),
        Relation::many("ulabels", "ULabel").back("runs").as_host(Shape::Dated).doc("Labels of the run."),
        linked_in_records("linked_runs", "links_in_record"),
        Relation::many("artifacts", "Artifact")
            .back("runs")
            .through("ArtifactRun", "run", "artifact")
            .doc("Artifacts annotated with the run."),
        Relation::many("linked_artifacts", "Artifact")
            .back("linked_by_runs")
            .through("RunArtifact", "run", "artifact")
            .doc("Artifacts that are values of features of the run."),
    ],
    name_field: Some("started_at"),
    aliases: &[("status", "_status_code")],
    ..Declaration::core("Run", "lamindb_run")
};

/// An artifact as the value of a run's feature.
pub static RUN_ARTIFACT: Declaration = Declaration {
    doc: "Link between `Run` and `Artifact`, for artifacts that are values of the run's features.",
    mixins: &[&LINK],
    fields: &[Field::id(Kind::BigInt)],
    relations: &[
        Relation::one("run", "Run").back("values_artifact").cascade().indexed().doc("The run."),
        Relation::one("artifact", "Artifact")
            .back("links_in_run")
            .indexed()
            .doc("The artifact that is the value."),
        Relation::one("feature", "Feature")
            .null()
            .back("links_runartifact")
            .doc("Feature whose value it is."),
    ],
    uniques: &[
        Rule::over(&["run_id", "artifact_id", "feature_id"])
            .named("unique_runartifact")
            .when("feature_id", NullState::NotNull),
        Rule::over(&["run_id", "artifact_id"])
            .named("unique_runartifact_null_feature")
            .when("feature_id", NullState::Null),
    ],
    ..Declaration::link("RunArtifact", "lamindb_runartifact")
};

/// An annotation of a run with a record.
pub static RUN_RECORD: Declaration = Declaration {
    doc: "Link between `Run` and `Record`.",
    mixins: &[&LINK],
    fields: &[Field::id(Kind::BigInt), CREATED_AT],
    relations: &[
        Relation::one("run", "Run").back("links_record").cascade().indexed().doc("The run."),
        Relation::one("record", "Record").back("links_run").indexed().doc("The record that annotates it."),
        Relation::one("feature", "Feature")
            .null()
            .back("links_runrecord")
            .doc("Feature under which the record annotates, if any."),
        CREATED_BY,
    ],
    uniques: &[
        Rule::over(&["run_id", "record_id", "feature_id"])
            .named("unique_runrecord")
            .when("feature_id", NullState::NotNull),
        Rule::over(&["run_id", "record_id"])
            .named("unique_runrecord_null_feature")
            .when("feature_id", NullState::Null),
    ],
    ..Declaration::link("RunRecord", "lamindb_runrecord")
};
