"""Making, saving, relating and deleting records."""

from __future__ import annotations

from pathlib import Path

import pytest

import holotype as ln
from holotype import bionty as bt
from holotype.errors import FieldValidationError, IntegrityError, NoWriteAccess, ValidationError


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    """Lets every question be answered with a text; returns the questions."""
    asked: list[str] = []

    def reply(question: str = "") -> str:
        asked.append(question)
        return text

    monkeypatch.setattr("builtins.input", reply)
    return asked


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: ln.ULabel("apple"), ValueError, "Only one non-keyword arg allowed"),
        (lambda: ln.Feature("f", int), ValueError, "Only keyword args allowed"),
        (
            lambda: ln.User("x", "y"),
            FieldValidationError,
            "Use keyword arguments instead of positional arguments",
        ),
        (lambda: ln.Transform("x"), ValueError, "Only keyword args allowed"),
        (lambda: ln.ULabel(), FieldValidationError, r"\['name'\] are required\."),
        (
            lambda: ln.ULabel(nam="x"),
            FieldValidationError,
            "Only name, type, is_type, .* are valid keyword arguments",
        ),
        (
            lambda: ln.ULabel(name="x", uid="1"),
            ValidationError,
            "`uid` must be exactly 8 characters long, got 1",
        ),
        (
            lambda: ln.ULabel(name="x", branch=ln.Branch.get(1), branch_id=1),
            ValueError,
            "Do not pass both Branch",
        ),
        (lambda: ln.Feature(name="f"), ValidationError, "Please pass dtype, one of"),
        (lambda: ln.Feature(name="f", dtype="foo"), ValueError, "dtype is 'foo' but has to be one of"),
        (lambda: ln.Run(), TypeError, "Pass transform parameter"),
        (lambda: ln.Storage(), ValueError, "needs a root"),
    ],
)
def test_constructors_say_what_is_wrong(
    instance: Path, make: object, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        make()  # type: ignore[operator]


def test_a_type_must_be_one(instance: Path) -> None:
    apple = ln.ULabel(name="apple", type=None).save()
    text = "You can only assign a ulabel with `is_type=True` as `type` to another ulabel"
    with pytest.raises(ValueError, match=text):
        ln.ULabel(name="pear", type=apple)


def test_saving_returns_the_record(instance: Path) -> None:
    label = ln.ULabel(name="apple", type=None)
    assert label._state.adding
    assert (label.id, label.pk) == (None, None)
    assert label.save() is label
    assert not label._state.adding
    assert (label.pk, label._state.db) == (label.id, "default")
    label.description = "red"
    assert ln.ULabel.get(label.id).description is None
    label.save()
    again = ln.ULabel.get(label.id)
    assert again.description == "red"
    again.description = "green"
    again.refresh_from_db()
    assert again.description == "red"


def test_the_same_name_gives_the_same_record(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apple = ln.ULabel(name="apple").save()
    assert "! tip: pass `type` to map ulabel into a type hierarchy" in capsys.readouterr().out
    again = ln.ULabel(name="apple", description="red", type=None)
    assert again == apple
    assert not again._state.adding
    out = capsys.readouterr().out
    assert "→ returning ulabel with same name: 'apple'" in out
    assert "! updated description from None to red" in out
    assert ln.ULabel.get(apple.id).description is None, "not before it is saved"
    ln.ULabel(name="apples", type=None)
    assert "a record with similar name exists: 'apple'. Did you mean to load it?" in capsys.readouterr().out
    ln.settings.creation.search_names = False
    assert ln.ULabel(name="apple")._state.adding


def test_a_new_record_shows_what_it_will_hold(instance: Path) -> None:
    label = ln.ULabel(name="apple", type=None)
    assert len(label.uid) == 8
    assert (label.is_type, label.branch_id, label.created_by.handle) == (False, 1, "anonymous")
    assert repr(label).startswith(f"ULabel(uid='{label.uid}', is_type=False, name='apple', ")
    assert "created_at" not in repr(label), "which is the moment of the save"
    uid = label.uid
    assert label.save().uid == uid
    uids = {new.uid for new in ln.ULabel.from_values(["a", "b"], create=True)}
    assert len(uids) == 2


def test_relations_to_one(instance: Path) -> None:
    fruit = ln.ULabel(name="fruit", is_type=True, type=None)
    apple = ln.ULabel(name="apple", type=None)
    apple.type = fruit
    with pytest.raises(ValueError, match="is not saved: save it before the ULabel that uses it"):
        apple.save()
    fruit.save()
    apple.save()
    again = ln.ULabel.get(apple.id)
    assert again.type == fruit
    assert again.type is again.type, "read once"
    assert again.type_id == fruit.id
    assert again.created_by.handle == "anonymous"
    again.type = None
    assert again.type_id is None
    again.type_id = fruit.id
    assert again.type == fruit
    with pytest.raises(ValueError, match='"ULabel.type" must be a ULabel'):
        again.type = ln.Branch.get(1)
    assert apple.query_types() == [fruit]
    assert fruit.query_ulabels().to_list() == [apple]


def test_relations_to_many(instance: Path) -> None:
    labels = [ln.ULabel(name=name, type=None).save() for name in ("a", "b", "c")]
    Path("x.txt").write_text("x")
    artifact = ln.Artifact("x.txt", key="x.txt", run=False).save()
    artifact.ulabels.add(labels[0], labels[1])
    artifact.ulabels.add(labels[0])
    assert artifact.ulabels.to_list("name") == ["a", "b"]
    assert labels[0].artifacts.one() == artifact
    assert artifact.ulabels.filter(name="b").one() == labels[1]
    assert (len(artifact.ulabels), labels[1] in artifact.ulabels, artifact.ulabels.count()) == (2, True, 2)
    artifact.ulabels.remove(labels[0])
    artifact.ulabels.remove(labels[2])
    assert list(artifact.ulabels) == [labels[1]]
    artifact.ulabels.set([labels[2]])
    assert artifact.ulabels.all().to_list() == [labels[2]]
    labels[0].artifacts.add(artifact)
    assert artifact.ulabels.df()["name"].tolist() == ["c", "a"]
    artifact.ulabels.add(ln.ULabel.filter(name="b"), [labels[0].id])
    assert artifact.ulabels.count() == 3
    assert "RelatedManager [ULabel(" in repr(artifact.ulabels)
    artifact.ulabels.clear()
    assert not artifact.ulabels
    with pytest.raises(ValueError, match="not saved"):
        artifact.ulabels.add(ln.ULabel(name="new", type=None))
    with pytest.raises(TypeError, match="'ULabel' instance expected"):
        artifact.ulabels.add(artifact)
    with pytest.raises(TypeError, match=r"use ulabels\.set"):
        artifact.ulabels = labels
    with pytest.raises(ValueError, match="save it before"):
        ln.ULabel(name="new", type=None).artifacts.all()


def test_parents_and_children(instance: Path) -> None:
    cell, t_cell, cd8 = (bt.CellType(name=name).save() for name in ("cell", "T cell", "CD8 T cell"))
    t_cell.parents.add(cell)
    t_cell.children.add(cd8)
    assert cd8.parents.one() == t_cell
    assert cd8.query_parents().to_list() == [t_cell, cell]
    assert cell.query_children().to_list() == [t_cell, cd8]
    assert bt.CellType.filter(parents__name="T cell").one() == cd8


def test_trash_and_back(
    instance: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apple = ln.ULabel(name="apple", type=None).save()
    assert apple.delete() is None
    assert capsys.readouterr().out.startswith("→ moved record to trash: ULabel(uid=")
    assert apple.branch_id == -1
    asked = answer(monkeypatch, "n")
    assert apple.delete() is None
    assert asked == [
        f"ULabel {apple.uid} is already in trash! Are you sure you want to delete it from your database? "
        "You can't undo this action. (y/n) "
    ]
    assert ln.ULabel.get(apple.uid).branch_id == -1
    assert apple.restore() is apple
    assert ln.ULabel.get(name="apple") == apple
    apple.delete()
    answer(monkeypatch, "y")
    assert apple.delete() == (1, {"lamindb.ULabel": 1})
    assert not ln.ULabel.filter(name="apple", branch=None).exists()
    capsys.readouterr()
    assert apple.delete() is None
    assert capsys.readouterr().out == "! record is not yet saved, delete has no effect\n"


def test_what_has_no_trash(instance: Path) -> None:
    branch = ln.Branch(name="draft").save()
    with pytest.raises(ValueError, match="Soft delete is not possible for Branch"):
        branch.delete(permanent=False)
    branch.delete()
    assert not ln.Branch.filter(name="draft").exists()


def test_deleting_many(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ln.save(ln.ULabel.from_values(["a", "b", "c"], create=True))
    capsys.readouterr()
    assert ln.ULabel.filter(name__in=["a", "b"]).delete() is None
    assert "moved records to trash (branch_id = -1)" in capsys.readouterr().out
    assert ln.ULabel.filter().count() == 1
    assert ln.ULabel.filter(name="c").delete(permanent=True) == (1, {"lamindb.ULabel": 1})
    assert ln.ULabel.filter(branch=None).count() == 2


def test_locked_records_stay_as_they_are(instance: Path) -> None:
    label = ln.ULabel(name="apple", type=None).save()
    label.is_locked = True
    label.save()
    label.name = "pear"
    with pytest.raises(NoWriteAccess, match="locked"):
        label.save()
    assert ln.ULabel.get(label.id).name == "apple"


def test_saving_many_at_once(instance: Path) -> None:
    fruit = ln.ULabel(name="fruit", is_type=True, type=None)
    apple = ln.ULabel(name="apple", type=fruit)
    Path("x.txt").write_text("x")
    artifact = ln.Artifact("x.txt", key="x.txt", run=False)
    assert ln.save([apple, fruit, artifact]) is None
    assert apple.type_id == fruit.id
    assert artifact.path.read_text() == "x"
    with pytest.raises(ValueError, match=r"Please use record\.save\(\) if saving a single record\."):
        ln.save(apple)
    twins = [ln.Branch(name="draft"), ln.Branch(name="DRAFT")]
    with pytest.raises(IntegrityError):
        ln.save(twins)
    assert not ln.Branch.filter(name="draft").exists(), "all or nothing"
    ln.save(twins, ignore_conflicts=True)
    assert ln.Branch.filter(name__iexact="draft").count() == 1


def test_values_are_curated(instance: Path) -> None:
    t_cell = bt.CellType(name="T cell", ontology_id="CL:0000084").save()
    t_cell.add_synonym(["T-lymphocyte", "T lymphocyte"])
    assert bt.CellType.validate(["T cell", "t cell", "T lymphocyte", ""]).tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert bt.CellType.validate(["CL:0000084"], field=bt.CellType.ontology_id).tolist() == [True]
    found = bt.CellType.inspect(["T cell", "T-lymphocyte", "x", "x"], mute=True)
    assert (found.validated, found.non_validated) == (["T cell"], ["T-lymphocyte", "x"])
    assert (found.frac_validated, found.n_unique, found.n_empty) == (33.3, 3, 1)
    assert found.synonyms_mapper == {"T-lymphocyte": "T cell"}
    assert found.df["__validated__"].tolist() == [True, False, False]
    assert bt.CellType.standardize(["t-LYMPHOCYTE", "x"]) == ["T cell", "x"]
    assert bt.CellType.standardize(["t-LYMPHOCYTE", "x"], return_mapper=True) == {"t-LYMPHOCYTE": "T cell"}
    assert bt.CellType.from_values(["T cell", "x"], mute=True) == [t_cell]
    t_cell.remove_synonym("T-lymphocyte")
    assert t_cell.synonyms == "T lymphocyte"
    with pytest.raises(ValidationError, match="can't contain"):
        t_cell.add_synonym("a|b")
    assert not hasattr(ln.Artifact, "validate")


def test_data_types_of_features(instance: Path) -> None:
    label = ln.ULabel(name="Perturbation", is_type=True, type=None).save()
    written = {
        "int": int, "str": str, "date": __import__("datetime").date, "list[str]": list[str],
        "cat[ULabel]": ln.ULabel, "cat[bionty.CellType.ontology_id]": bt.CellType.ontology_id,
        "cat[bionty.CellType]": bt.CellType.name, "list[cat[bionty.CellType]]": list[bt.CellType],
        "cat[bionty.CellType|bionty.Tissue]": [bt.CellType, bt.Tissue],
        f"cat[ULabel[{label.uid}]]": label, "num": "num",
    }  # fmt: skip
    for i, (text, dtype) in enumerate(written.items()):
        assert ln.Feature(name=f"feature {i}", dtype=dtype, type=None).save().dtype_as_str == text
    with pytest.raises(
        ValidationError, match="Feature feature 0 already exists with dtype int, you passed str"
    ):
        ln.Feature(name="feature 0", dtype=str, type=None)


def test_descriptions(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label = ln.ULabel(name="apple", type=None).save()
    capsys.readouterr()
    label.describe()
    assert capsys.readouterr().out.startswith("ULabel: apple")
    text = ln.ULabel.describe(return_str=True)
    assert text.splitlines()[:3] == ["ULabel", "  Simple fields", "    .uid: CharField"]
    ln.view(registries=["ULabel"])
    assert "apple" in capsys.readouterr().out


def test_no_run_can_be_asked_for(instance: Path) -> None:
    transform = ln.Transform(key="flow", kind="pipeline").save()
    ln.track(transform=transform)
    assert ln.ULabel(name="tracked").save().run == ln.context.run
    assert ln.ULabel(name="none", run=None).save().run is None
    assert ln.ULabel(name="false", run=False).save().run is None
    assert bt.CellType(name="by id", run_id=None).save().run is None
    late = ln.ULabel(name="late")
    assert late.run == ln.context.run
    late.run = None
    assert late.save().run is None
    assert ln.ULabel.get(name="late").run is None
    ln.finish()


def test_values_that_are_found_among_others_are_told(
    instance: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ln.ULabel(name="apple").save()
    monkeypatch.setattr(ln.settings, "verbosity", "success")
    capsys.readouterr()
    ln.ULabel.from_values(["apple"])
    assert "loaded" not in capsys.readouterr().out
    ln.ULabel.from_values(["apple", "kiwi"])
    assert capsys.readouterr().out == "✓ loaded 1 ULabel record matching name: 'apple'\n"


def test_families_are_drawn(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, left, right, leaf = (bt.CellType(name=name).save() for name in ("root", "left", "right", "leaf"))
    left.parents.add(root)
    right.parents.add(root)
    leaf.parents.add(right, left)
    capsys.readouterr()
    leaf.view_parents()
    assert capsys.readouterr().out.splitlines() == [
        "leaf",
        "├── left",
        "│   └── root",
        "└── right",
        "    └── root",
    ]
    root.view_children(distance=1)
    assert capsys.readouterr().out.splitlines() == ["root", "├── left", "└── right"]
    left.view_parents(field="uid", with_children=True)
    assert capsys.readouterr().out.splitlines() == [
        left.uid,
        "parents:",
        f"└── {root.uid}",
        "children:",
        f"└── {leaf.uid}",
    ]
    root.parents.add(leaf)
    root.view_parents()
    assert capsys.readouterr().out.count("root (above)") == 2
    with pytest.raises(ValueError, match="save it before viewing"):
        bt.CellType(name="unsaved").view_parents()
    with pytest.raises(ValueError, match="distance"):
        root.view_children(distance=-1)


def test_labels_of_all_registries(instance: Path) -> None:
    for name in ("a", "b"):
        Path(f"{name}.txt").write_text(name)
    one, two = (ln.Artifact(f"{name}.txt", key=f"{name}.txt", run=False).save() for name in ("a", "b"))
    assert repr(one.labels) == "Entities"
    pilot, other = ln.ULabel(name="pilot").save(), ln.ULabel(name="other").save()
    project, cell = ln.Project(name="atlas").save(), bt.CellType(name="T cell").save()
    one.labels.add(pilot)
    one.labels.add([pilot, project, cell])
    assert repr(one.labels).splitlines() == [
        "Entities",
        "└── .ulabels     ULabel     pilot",
        "    .projects    Project    atlas",
        "    .cell_types  CellType   T cell",
    ]
    two.labels.add(ln.ULabel.filter(name="other"))
    two.labels.add_from(one)
    assert set(two.labels.get(ln.ULabel)) == {pilot, other}
    assert two.labels.get(bt.CellType, flat_names=True) == ["T cell"]
    assert two.projects.one() == project
    collection = ln.Collection(one, key="c", run=False).save()
    collection.labels.add([pilot, project])
    assert collection.ulabels.one() == pilot
    with pytest.raises(TypeError, match="A CellType is no label of a Collection"):
        collection.labels.add(cell)
    for wrong in ("pilot", 1, ["pilot"], one):
        with pytest.raises(TypeError):
            one.labels.add(wrong)
    with pytest.raises(TypeError, match="takes a registry"):
        one.labels.get("pilot")
    with pytest.raises(TypeError, match="come from"):
        one.labels.add_from(pilot)
    with pytest.raises(ValueError, match="is not saved"):
        one.labels.add(ln.ULabel(name="unsaved"))
    feature = ln.Feature(name="f", dtype=ln.ULabel).save()
    one.labels.add(pilot, feature=feature)
    assert one.labels.get(feature).one() == pilot
    assert one.features["f"] == pilot
    with pytest.raises(ln.errors.ValidationError, match="needs a categorical dtype for label annotation"):
        one.labels.add(pilot, feature=ln.Feature(name="g", dtype=float).save())
