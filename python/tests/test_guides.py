"""Every guide runs from the first cell to the last in a real Jupyter kernel."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from notebooks import running

GUIDES = sorted((Path(__file__).parents[2] / "docs" / "guides").glob("*.ipynb"))


def test_there_are_guides() -> None:
    assert GUIDES


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_guides_are_stored_without_outputs(guide: Path) -> None:
    notebook = nbformat.read(guide, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_guides_run(guide: Path, tmp_path: Path) -> None:
    with running(guide, tmp_path) as notebook:
        assert notebook.ask("ln.context.run is None"), "the guide ends with ln.finish()"
        assert notebook.ask("ln.Artifact.filter().count()") > 0


def test_the_guide_to_keys_shows_what_it_says(tmp_path: Path) -> None:
    with running(GUIDES[0].with_name("keys.ipynb"), tmp_path) as guide:
        key, path = guide.printed("virtual").splitlines()[-2:]
        assert key == "screen/plate1.csv"
        assert re.search(r"/atlas/\.lamindb/\w{20}\.csv$", path)
        assert guide.ask(f"sorted({guide.out('find')}['key'])") == ["screen/plate1.csv", "screen/plate2.csv"]
        assert guide.printed("rename").splitlines() == ["screen/second/plate2.csv", "True"]
        assert "no setter" in guide.printed("path")
        uids = re.findall(r"^(\w{20}) (\d) rows$", guide.printed("versions"), re.MULTILINE)
        assert [(uid[16:], rows) for uid, rows in uids] == [("0000", "2"), ("0001", "3")]
        assert guide.printed("equal").splitlines()[-1] == "True screen/plate1.csv"
        refusal, kept = guide.printed("clash").splitlines()[-2:]
        assert "screen/plate1.csv" in refusal
        assert kept == "screen/second/plate2.csv"
        assert guide.printed("real").splitlines()[-1] == "shared/layout.csv"
        assert ".." in guide.printed("escape")
        assert guide.printed("inplace").splitlines()[-1] == "legacy/plate0.csv True"
        assert guide.printed("folder").splitlines()[-1] == "4 files, 96 bytes"
        assert guide.ask(f"len({guide.out('from-dir')})") == 4
        assert guide.ask(f"sorted({guide.out('labels')}['key'])") == ["screen/images", "screen/plate1.csv"]
        assert guide.ask(f"len({guide.out('collection')})") == 5
        assert guide.shown("describe").startswith("Artifact: screen/plate1.csv (0001)")
