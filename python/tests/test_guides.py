"""Every guide runs from the first cell to the last in a real Jupyter kernel."""

from __future__ import annotations

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
