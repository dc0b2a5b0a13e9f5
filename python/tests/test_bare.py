"""The main job without any optional library: `pip install holotype` alone is enough for it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import metadata, requires
from pathlib import Path

import pytest

from holotype._optional import EXTRAS, present, require
from notebooks import environment

# Hides all optional libraries, wherever they are installed.
BARE = f"""
import sys
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted({*EXTRAS, "tiledbsoma"})!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Bare())
"""

JOB = """
import holotype as ln
ln.setup.init(storage="./store")
ln.track()
artifact = ln.Artifact("counts.txt", key="raw/counts.txt").save()
label = ln.ULabel(name="pilot").save()
artifact.ulabels.add(label)
ln.ULabel.from_values(["alpha", "beta"], create=True).save()
found = ln.Artifact.filter(key__startswith="raw/", ulabels=label)
print("keys", found.to_list("key"), found.count(), found.values("size"))
print("record", repr(found.one()))
print("query", repr(found), "<table>" in found._repr_html_(), "counts" in found.one()._repr_html_())
print("text", found.one().load(), ln.Artifact.search("counts").to_list("key"))
print("validate", ln.ULabel.validate(["alpha", "zzz"]), ln.ULabel.inspect(["alpha", "zzz"]).validated)
print("lookup", ln.ULabel.lookup().pilot.name)
print("collection", ln.Collection(artifact, key="all").save().ordered_artifacts.to_list("key"))
(ln.UPath(".") / "store").view_tree()
artifact.describe()
ln.view(registries=["ULabel", "Artifact"], modules="core")
table = ln.Artifact("table.csv", key="table.csv").save()
parquet = ln.Artifact.from_dataframe("table.parquet", key="table.parquet").save()
print("rows", parquet.n_observations)
tasks = (
    found.to_dataframe,
    found.df,
    found.to_arrow,
    found.to_polars,
    ln.ULabel.from_values(["alpha"]).to_dataframe,
    lambda: ln.ULabel.inspect(["a"]).df,
    table.load,
    parquet.load,
    table.open,
    lambda: table.open(engine="polars"),
    ln.examples.datasets.df_iris,
    lambda: ln.loaders.load("cells.h5ad"),
    lambda: ln.loaders.load("cells.yaml"),
)
for task in tasks:
    try:
        print("did", task, task())
    except ImportError as error:
        print("needs", error)
ln.finish()
print("finished", ln.context.run)
"""


@pytest.fixture
def said(tmp_path: Path) -> str:
    """What the job prints where nothing optional is installed."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "counts.txt").write_text("7")
    (work / "table.csv").write_text("a\n1\n")
    for name in ("table.parquet", "cells.h5ad", "cells.yaml"):
        (work / name).write_bytes(b"never read")
    (work / "job.py").write_text(BARE + JOB)
    variables = environment(tmp_path / "home", work / "none.ipynb")
    del variables["JPY_SESSION_NAME"]
    done = subprocess.run(
        [sys.executable, "job.py"], cwd=work, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_main_job_runs_without_optional_libraries(said: str) -> None:
    assert "keys ['raw/counts.txt'] 1 [{'size': 1}]" in said
    assert re.search(r"^record Artifact\(uid='\w{20}', key='raw/counts.txt'", said, re.MULTILINE)
    assert re.search(r"^query <ArtifactQuerySet \[Artifact\(.*\)\]> True True$", said, re.MULTILINE)
    assert "text 7 ['raw/counts.txt']" in said
    assert "validate [True, False] ['alpha']" in said
    assert "collection ['raw/counts.txt']" in said
    assert "rows None" in said
    assert "finished None" in said


def test_without_pandas_view_draws_a_table_of_its_own(said: str) -> None:
    lines = said.splitlines()
    head, *rows = lines[lines.index("ULabel") + 1 :][:4]
    assert head.split()[:3] == ["uid", "id", "name"]
    assert [row.split()[2] for row in rows] == ["beta", "alpha", "pilot"]
    assert {row.index(row.split()[2]) for row in rows} == {head.index("name")}


def test_what_needs_a_library_says_which_extra_brings_it(said: str) -> None:
    needed = re.findall(r"^needs Please install (\w+): pip install 'holotype\[(\w+)\]'$", said, re.MULTILINE)
    pandas, arrow, polars = ("pandas", "pandas"), ("pyarrow", "arrow"), ("polars", "polars")
    expected = [pandas, pandas, arrow, polars, pandas, pandas, pandas, pandas, arrow, polars, pandas]
    assert needed == [*expected, ("anndata", "anndata"), ("yaml", "yaml")]
    assert "did <" not in said


def test_pandas_alone_makes_data_frames(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import holotype as ln

    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ln.ULabel.from_values(["alpha", "beta"], create=True).save()
    frame = ln.ULabel.filter().to_dataframe()
    assert list(frame["name"]) == ["beta", "alpha"]
    assert str(frame["created_at"].dtype) == "datetime64[ns, UTC]"
    Path("table.parquet").write_bytes(b"never read")
    with pytest.raises(ImportError, match=r"pip install 'holotype\[arrow\]'"):
        ln.loaders.load("table.parquet")
    with pytest.raises(ImportError, match=r"pip install 'holotype\[arrow\]'"):
        ln.Artifact(frame, key="frame.parquet")


def test_extras_are_those_of_the_distribution() -> None:
    declared = set(metadata("holotype").get_all("Provides-Extra") or [])
    assert set(EXTRAS.values()) == declared - {"all"}


def test_the_package_itself_needs_little() -> None:
    always = [line for line in requires("holotype") or [] if "extra ==" not in line]
    assert [re.split(r"[^\w-]", line)[0] for line in always] == ["universal-pathlib"]


def test_absent_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "absent", None)
    with pytest.raises(ImportError, match="Please install absent: pip install absent"):
        require("absent")
    assert not present("no_such_package")
    assert present("json")
