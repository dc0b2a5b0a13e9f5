"""Selecting records: one, several, by look-ups, in order, and what errors say."""

from __future__ import annotations

from pathlib import Path

import pytest

import holotype as ln
from holotype.errors import (
    FieldError,
    InvalidArgument,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
)
from holotype.models import Avg, BasicQuerySet, Count, Max, Min, QuerySet, Sum


@pytest.fixture
def fruit(instance: Path) -> list[ln.ULabel]:
    """Four labels, two of which have a description."""
    rows = [("apple", "red"), ("pear", None), ("plum", "blue"), ("Apricot", None)]
    return [ln.ULabel(name=name, description=text, type=None).save() for name, text in rows]


def names(query: BasicQuerySet) -> list[str]:
    return [record.name for record in query]


def test_one_record(fruit: list[ln.ULabel]) -> None:
    apple = fruit[0]
    assert ln.ULabel.get(1) == ln.ULabel.get(apple.uid[:4]) == ln.ULabel.get(name="apple") == apple
    assert ln.ULabel.filter(name="apple").one() == apple
    assert ln.ULabel.filter(name="kiwi").one_or_none() is None
    assert ln.ULabel.filter(name="kiwi").first() is None
    assert ln.ULabel.filter().first() == apple
    assert ln.ULabel.filter().last() == fruit[-1]
    assert ln.ULabel.filter().latest("name") == fruit[2]
    assert ln.ULabel.filter().earliest("id") == apple


def test_no_record(fruit: list[ln.ULabel]) -> None:
    with pytest.raises(ln.ULabel.DoesNotExist, match=r"^ULabel matching query does not exist\.$"):
        ln.ULabel.get(99)
    with pytest.raises(ln.ULabel.DoesNotExist, match=r"^ULabel matching query does not exist\.$"):
        ln.ULabel.get(name="kiwi")
    with pytest.raises(
        ObjectDoesNotExist, match="No record found with uid 'zzzz'. Did you forget a keyword as in "
    ):
        ln.ULabel.get("zzzz")
    with pytest.raises(ObjectDoesNotExist):
        ln.ULabel.filter(name="kiwi").one()


def test_too_many_records(fruit: list[ln.ULabel]) -> None:
    text = r"get\(\) returned more than one ULabel -- it returned 4!"
    with pytest.raises(ln.ULabel.MultipleObjectsReturned, match=text):
        ln.ULabel.get(name__isnull=False)
    with pytest.raises(MultipleObjectsReturned, match=r"^<QuerySet \[ULabel\("):
        ln.ULabel.filter().one()
    with pytest.raises(MultipleObjectsReturned):
        ln.ULabel.filter().one_or_none()


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({"name": "apple"}, ["apple"]),
        ({"name__iexact": "APPLE"}, ["apple"]),
        ({"name__contains": "p"}, ["apple", "pear", "plum", "Apricot"]),
        ({"name__startswith": "p"}, ["pear", "plum"]),
        ({"name__endswith": "r"}, ["pear"]),
        ({"name__in": ["pear", "plum", "kiwi"]}, ["pear", "plum"]),
        ({"name__in": ("pear",)}, ["pear"]),
        ({"name__in": {"pear": 1}.keys()}, ["pear"]),
        ({"name__regex": "^a"}, ["apple"]),
        ({"name__iregex": "^a"}, ["apple", "Apricot"]),
        ({"id__gt": 2}, ["plum", "Apricot"]),
        ({"id__range": (2, 3)}, ["pear", "plum"]),
        ({"description__isnull": True}, ["pear", "Apricot"]),
        ({"description": None}, ["pear", "Apricot"]),
        ({"created_by__handle": "anonymous", "id__lte": 1}, ["apple"]),
        ({"created_at__year__gte": 2020, "id": 1}, ["apple"]),
    ],
)
def test_look_ups(fruit: list[ln.ULabel], conditions: dict[str, object], found: list[str]) -> None:
    assert names(ln.ULabel.filter(**conditions).order_by("id")) == found


def test_conditions_combine(fruit: list[ln.ULabel]) -> None:
    either = ln.Q(name="apple") | ln.Q(name="plum")
    assert names(ln.ULabel.filter(either).order_by("id")) == ["apple", "plum"]
    assert names(ln.ULabel.filter(either & ln.Q(description="red"))) == ["apple"]
    assert names(ln.ULabel.filter(either, description="blue")) == ["plum"]
    assert names(ln.ULabel.filter(~either).order_by("id")) == ["pear", "Apricot"]
    assert names(ln.ULabel.filter().exclude(name__startswith="p").order_by("id")) == ["apple", "Apricot"]
    assert ln.ULabel.get(either & ~ln.Q(name="plum")).name == "apple"
    with pytest.raises(TypeError, match="Q objects or keywords"):
        ln.ULabel.filter("apple")


def test_records_and_queries_as_values(fruit: list[ln.ULabel]) -> None:
    kind = ln.ULabel(name="fruit", is_type=True, type=None).save()
    for label in fruit[:2]:
        label.type = kind
        label.save()
    assert ln.ULabel.filter(type=kind).count() == 2
    assert ln.ULabel.filter(type__in=[kind]).count() == 2
    assert ln.ULabel.filter(type__in=ln.ULabel.filter(name="fruit")).count() == 2
    assert ln.ULabel.filter(id__in=kind.ulabels).count() == 2
    assert ln.ULabel.filter(ulabels__name="pear").one() == kind
    with pytest.raises(ValueError, match="not saved"):
        ln.ULabel.filter(type=ln.ULabel(name="draft", is_type=True, type=None))


def test_order_and_slices(fruit: list[ln.ULabel]) -> None:
    by_name = ln.ULabel.filter().order_by("-name")
    assert names(by_name) == ["plum", "pear", "apple", "Apricot"]
    assert names(by_name.reverse())[0] == "Apricot"
    assert names(by_name[1:3]) == ["pear", "apple"]
    assert by_name[0].name == "plum"
    assert names(ln.ULabel.filter().order_by(ln.ULabel.name)[:1]) == ["Apricot"]
    assert names(by_name[::2]) == ["plum", "apple"]
    for bad in (lambda: by_name[-1], lambda: by_name[:-1]):
        with pytest.raises(ValueError, match=r"Negative indexing is not supported\."):
            bad()
    with pytest.raises(IndexError):
        _ = by_name[99]
    with pytest.raises(TypeError, match="slice"):
        ln.ULabel.filter()[:2].filter(name="plum")


def test_a_query_is_like_a_list(fruit: list[ln.ULabel]) -> None:
    query = ln.ULabel.filter(name__startswith="p")
    assert len(query) == query.count() == 2
    assert query
    assert not ln.ULabel.filter(name="kiwi")
    assert fruit[1] in query
    assert fruit[0] not in query
    assert fruit[0] in ln.ULabel.filter()[:1]
    assert query.exists()
    assert query.none().count() == 0
    assert query.to_list() == query.list() == list(query)
    assert set(query.to_list("name")) == {"pear", "plum"}
    assert (ln.ULabel.filter(name="apple") | query).count() == 3
    assert (ln.ULabel.filter(name="pear") & query).count() == 1
    assert set(query.in_bulk()) == {2, 3}


def test_values(fruit: list[ln.ULabel]) -> None:
    query = ln.ULabel.filter(id__lte=2).order_by("id")
    assert query.values_list("name", "id") == [("apple", 1), ("pear", 2)]
    assert query.values_list("name", flat=True) == ["apple", "pear"]
    assert query.values("name") == [{"name": "apple"}, {"name": "pear"}]
    assert query.values()[0]["created_by_id"] == 1
    assert ln.ULabel.filter().values_list("created_by_id", flat=True).distinct() == [1]
    with pytest.raises(TypeError, match="flat"):
        query.values_list("name", "id", flat=True)


def test_aggregates(fruit: list[ln.ULabel]) -> None:
    numbers = ln.ULabel.filter().aggregate(Count("id"), Max("id"), Min("id"), Avg("id"), total=Sum("id"))
    assert numbers == {"id__count": 4, "id__max": 4, "id__min": 1, "id__avg": 2.5, "total": 10}
    assert ln.ULabel.filter().aggregate(Count("created_by_id", distinct=True)) == {"created_by_id__count": 1}
    with pytest.raises(TypeError, match="3 is no aggregate: pass Count"):
        ln.ULabel.filter().aggregate(total=3)


def test_update(fruit: list[ln.ULabel]) -> None:
    assert ln.ULabel.filter(name__startswith="p").update(description="green") == 2
    assert ln.ULabel.filter(description="green").count() == 2
    with pytest.raises(FieldError):
        ln.ULabel.filter().update(colour="green")


def test_unknown_names_are_answered_with_the_known_ones(fruit: list[ln.ULabel]) -> None:
    with pytest.raises(
        FieldError, match=r"^Unknown field 'nam'.* Did you mean 'name'\? Available fields: .*branch_id"
    ):
        ln.ULabel.filter(nam="apple")
    with pytest.raises(FieldError, match="Unsupported lookup 'foo' for CharField"):
        ln.ULabel.filter(name__foo="apple")
    with pytest.raises(
        FieldError, match=r"Invalid lookup 'anonymous' for created_by\. Did you mean created_by__name\?"
    ):
        ln.ULabel.filter(created_by="anonymous")
    with pytest.raises(
        InvalidArgument, match=r"(?s)^You can query either by available fields: .*\n.*names: temperatur"
    ):
        ln.Artifact.filter(temperatur=3)
    with pytest.raises(InvalidArgument):
        ln.Artifact.get(temperatur=3)
    with pytest.raises(ValueError, match="Invalid Branch status 'zz'"):
        ln.Branch.filter(status="zz")


def test_what_is_in_the_trash_is_hidden_unless_asked_for(fruit: list[ln.ULabel]) -> None:
    apple = fruit[0]
    apple.delete()
    assert apple.branch_id == -1
    assert not ln.ULabel.filter(name="apple").exists()
    assert not ln.ULabel.search("apple").exists()
    assert not hasattr(ln.ULabel.lookup(), "apple")
    assert ln.ULabel.get(apple.uid) == apple
    assert ln.ULabel.filter(uid=apple.uid).one() == apple
    assert ln.ULabel.filter(name="apple", branch=None).one() == apple
    assert ln.ULabel.filter(visibility=-1).one() == apple
    assert ln.ULabel.filter(branch__name="trash").one() == apple
    assert ln.ULabel.objects.filter(name="apple").one() == apple
    with pytest.raises(ln.ULabel.DoesNotExist):
        ln.ULabel.get(name="apple")
    apple.restore()
    assert ln.ULabel.get(name="apple") == apple


def test_classes_and_representations(fruit: list[ln.ULabel]) -> None:
    assert type(ln.ULabel.filter()) is QuerySet
    assert type(ln.ULabel.objects) is BasicQuerySet
    assert type(ln.Artifact.filter()).__name__ == "ArtifactQuerySet"
    assert repr(ln.ULabel.name) == "FieldAttr(ULabel.name)"
    assert repr(ln.ULabel.filter(name="kiwi")) == "<QuerySet []>"
    assert repr(ln.ULabel.filter(id=1)).startswith("<QuerySet [ULabel(uid='")
    ln.save(ln.ULabel.from_values([f"label {i}" for i in range(20)], create=True))
    assert repr(ln.ULabel.filter()).endswith(", '...(remaining elements truncated)...']>")
    assert "<table>" in ln.ULabel.filter()._repr_html_()
    assert "apple" in fruit[0]._repr_html_()


def test_search(fruit: list[ln.ULabel]) -> None:
    ln.ULabel(name="apple tree", type=None).save()
    assert names(ln.ULabel.search("apple")) == ["apple", "apple tree"]
    assert names(ln.ULabel.search("BLUE")) == ["plum"]
    assert names(ln.ULabel.search("blue", field="name")) == []
    assert names(ln.ULabel.search("blue", field=ln.ULabel.description)) == ["plum"]
    assert names(ln.ULabel.search("Apricot", case_sensitive=True)) == ["Apricot"]
    assert len(ln.ULabel.search("p", limit=2)) == 2
    with pytest.raises(ValueError, match="Cannot search for None value!"):
        ln.ULabel.search(None)
    with pytest.raises(TypeError, match="Please pass a SQLRecord string field"):
        ln.ULabel.search("a", field=7)


def test_lookup(fruit: list[ln.ULabel], capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("CD8+ T cell", "10x", "class"):
        ln.ULabel(name=name, type=None).save()
    found = ln.ULabel.lookup()
    assert type(found).__name__ == "Lookup"
    assert [found.apple, found.cd8_t_cell.name, found.ln_10x.name, found.class_.name] == [
        fruit[0], "CD8+ T cell", "10x", "class"]  # fmt: skip
    assert found.dict()["pear"] == fruit[1]
    assert {"apple", "dict"} <= set(found._fields)
    assert ln.ULabel.lookup(return_field="description").apple == "red"
    assert ln.ULabel.lookup(field="description").red == fruit[0]
    ln.settings.creation.search_names = False
    twin = ln.ULabel(name="apple").save()
    capsys.readouterr()
    first = ln.ULabel.lookup(keep="first")
    assert (first.apple, first.apple) == (fruit[0], fruit[0])
    assert capsys.readouterr().out == "! 2 records found for 'apple'. Returning based on keep='first'.\n"
    assert ln.ULabel.lookup(keep="last").apple == twin
    assert ln.ULabel.lookup(keep=False).apple == [fruit[0], twin]


def test_another_instance_beside_this_one(fruit: list[ln.ULabel], capsys: pytest.CaptureFixture[str]) -> None:
    ln.setup.init(storage="./other")
    ln.ULabel(name="stone", type=None).save()
    capsys.readouterr()
    there = ln.ULabel.using("anonymous/store")
    assert there.get(name="apple").description == "red"
    assert there.filter(name="stone").count() == 0
    assert ln.ULabel.connect("store").get(name="apple")._state.db == "anonymous/store"
    assert ln.ULabel.get(name="stone")._state.db == "default"
    db = ln.DB("anonymous/store")
    assert (repr(db), repr(db.ULabel)) == ("DB('anonymous/store')", "<QuerySet [ULabel]>")
    assert db.ULabel.filter(name="apple").count() == 1
    assert db.bionty.CellType.df().empty
    with pytest.raises(TypeError, match="Cannot instantiate ULabel from DB"):
        db.ULabel(name="x")
    with pytest.raises(AttributeError, match="Registry 'Artefact' not found"):
        _ = db.Artefact
    assert capsys.readouterr().out == ""


def test_annotations(instance: Path) -> None:
    apple, pear, plum = (ln.ULabel(name=name).save() for name in ("apple", "pear", "plum"))
    for size in (1, 2, 6):
        Path(f"{size}.txt").write_text("x" * size)
        artifact = ln.Artifact(f"{size}.txt", key=f"{size}.txt", run=False).save()
        artifact.ulabels.add(apple)
    artifact.ulabels.add(pear)
    labels = ln.ULabel.filter().annotate(
        Count("artifacts"),
        total=Sum("artifacts__size"),
        mean=Avg("artifacts__size"),
        least=Min("artifacts__size"),
        last=Max("artifacts__created_at"),
        makers=Count("artifacts__created_by", distinct=True),
    )
    found = labels.order_by("-total", "name")
    assert found.to_list("name") == ["apple", "pear", "plum"]
    assert found.to_list("artifacts__count") == [3, 1, 0]
    assert found.values_list("total", "mean", "least", "makers") == [
        (9, 3.0, 1, 1),
        (6, 6.0, 6, 1),
        (None, None, None, 0),
    ]
    assert [label.total for label in found] == [9, 6, None]
    assert found[0].mean == 3.0
    assert found.first().last == artifact.created_at
    assert found.last().last is None
    assert labels.get(name="pear").artifacts__count == 1
    assert next(iter(found.iterator())).least == 1
    assert labels.order_by("-total", "name")[1:].to_list("total") == [6, None]
    assert labels.search("apple").one().total == 9

    assert labels.filter(total__gte=6, mean__lt=4.5).one() == apple
    assert set(labels.filter(ln.Q(artifacts__count=0) | ln.Q(least=6))) == {pear, plum}
    assert set(labels.exclude(artifacts__count__in=[3])) == {pear, plum}
    assert labels.filter(mean__range=(5, 7)).one() == pear
    assert labels.filter(mean__isnull=True, name__startswith="p").one() == plum
    assert labels.filter(artifacts__count__gt=0, artifacts__size__gt=5).count() == 2
    assert labels.filter(last__lte=artifact.created_at).count() == 2
    assert labels.aggregate(Max("total"), n=Avg("artifacts__count")) == {"total__max": 9, "n": 4 / 3}
    assert ln.Artifact.filter(ulabels__in=labels.filter(artifacts__count=1)).one() == artifact
    frame = labels.to_dataframe(include=["mean", "artifacts__count"], order_by="id")
    assert frame["mean"].dtype == "float64"
    assert frame["artifacts__count"].tolist() == [3, 1, 0]
    assert ln.Artifact.filter().annotate(own=Max("size")).order_by("own").to_list("own") == [1, 2, 6]


def test_annotations_say_what_is_wrong(instance: Path) -> None:
    query = ln.ULabel.filter()
    with pytest.raises(ValueError, match="'name' conflicts with a field on ULabel"):
        query.annotate(name=Count("artifacts"))
    with pytest.raises(ValueError, match="'n' conflicts"):
        query.annotate(n=Count("artifacts")).annotate(n=Count("artifacts"))
    with pytest.raises(FieldError, match="Unknown field 'artefacts'"):
        query.annotate(n=Count("artefacts"))
    with pytest.raises(FieldError, match="is a condition"):
        query.annotate(n=Count("name__startswith"))
    with pytest.raises(TypeError, match="neither sum nor mean"):
        query.annotate(n=Avg("name"))
    with pytest.raises(TypeError, match="is no aggregate"):
        query.annotate(n="artifacts")
    counted = query.annotate(n=Count("artifacts"))
    with pytest.raises(FieldError, match="annotation 'n'"):
        counted.filter(n__startswith="1")
    with pytest.raises(FieldError, match="Unsupported lookup 'size'"):
        counted.filter(n__size=1)
    with pytest.raises(ValueError, match="is a number"):
        counted.filter(n="many")
    with pytest.raises(ValueError, match="n__isnull=True"):
        counted.filter(n__gt=None)


def test_sets_of_queries(fruit: list[ln.ULabel]) -> None:
    with_p = ln.ULabel.filter(name__contains="p")
    described = ln.ULabel.filter(description__isnull=False)
    assert set(with_p.intersection(described).to_list("name")) == {"apple", "plum"}
    assert set(with_p.difference(described).to_list("name")) == {"pear", "Apricot"}
    assert with_p.difference(described, ln.ULabel.filter(name="pear")).one().name == "Apricot"


def test_a_query_explains_itself(fruit: list[ln.ULabel]) -> None:
    assert "SEARCH t0" in ln.ULabel.filter(id=1).explain()
