"""Notebooks in a real Jupyter server: saved, run again, renamed, duplicated, edited, and run out of order."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from jupyter import Server, Tab, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

START = "import holotype as ln"
REST = ("ln.track()", "print('the result')", "ln.finish()")
RUNS = "[[r.transform.key, r.transform.uid[12:], r.status] for r in ln.Run.filter().order_by('id')]"
TRANSFORMS = "[[t.key, t.uid[12:]] for t in ln.Transform.filter().order_by('id')]"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("jupyter")) as started:
        yield started


def init(name: str) -> str:
    """Returns the first cell of a notebook that makes an instance."""
    return f"{START}\nln.setup.init(storage='./store', name='{name}')"


@contextmanager
def opened(server: Server, path: str, *cells: str) -> Iterator[Tab]:
    tab = Tab(server, path, *cells)
    try:
        yield tab
    finally:
        tab.close()


def test_a_saved_notebook_is_kept_and_run_again_and_edited(server: Server) -> None:
    cells = (init("edit"), *REST)
    with opened(server, "edit/nb.ipynb", *cells) as tab:
        told = tab.run()
        assert "created Transform(" in told
        assert "key='nb.ipynb'" in told
        assert (
            tab.ask("ln.Transform.get().source_code") == "\n\n".join(f"# %%\n{cell}" for cell in cells) + "\n"
        )
        page = tab.ask("ln.Run.get().report.cache().read_text()")
        assert "the result" in page
        # In the same kernel: the notebook is the draft of its next version until it turns out to be the same.
        tab.edit(0, START)
        tab.run()
        assert tab.ask(RUNS) == [["nb.ipynb", "0000", "completed"], ["nb.ipynb", "0001", "completed"]]
        tab.run()
        assert tab.ask(TRANSFORMS) == [["nb.ipynb", "0000"], ["nb.ipynb", "0001"]]
        assert tab.ask("ln.Run.filter().count()") == 3
    # The kernel is started anew, as after an edit on another day.
    with opened(server, "edit/nb.ipynb") as tab:
        tab.edit(2, "print('another result')")
        assert "making new version" in tab.run()
        assert tab.ask(TRANSFORMS) == [["nb.ipynb", "0000"], ["nb.ipynb", "0001"], ["nb.ipynb", "0002"]]
        assert "another result" in tab.ask("ln.Run.filter().last().report.cache().read_text()")


def test_a_renamed_notebook_is_the_same_and_a_copy_another_one(server: Server) -> None:
    with opened(server, "name/first.ipynb", init("name"), *REST) as tab:
        tab.run()
        # The kernel was told the old name when it started.
        tab.rename("name/second.ipynb")
        tab.run(answer="1")
        assert tab.ask(TRANSFORMS) == [["first.ipynb", "0000"], ["second.ipynb", "0001"]]
        assert tab.ask("len({t.uid[:12] for t in ln.Transform.filter()})") == 1
        copy = tab.duplicate()
    assert copy == "name/second-Copy1.ipynb"
    with opened(server, copy) as tab:
        assert "created Transform(" in tab.run(answer="2")
        assert tab.ask(TRANSFORMS)[2:] == [["second-Copy1.ipynb", "0000"]]
        assert tab.ask("len({t.uid[:12] for t in ln.Transform.filter()})") == 2


def test_a_notebook_may_be_renamed_while_it_is_tracked(server: Server) -> None:
    with opened(server, "live/before.ipynb", init("live"), *REST) as tab:
        tab.run(0, 1, 2)
        tab.rename("live/after.ipynb")
        # Somebody else takes the name that the kernel knows.
        Tab(server, "live/before.ipynb", "1 + 1").close()
        tab.run(3)
        assert tab.ask("[[r.transform.key, r.status] for r in ln.Run.filter()]") == [
            ["before.ipynb", "completed"]
        ]
        assert "print('the result')" in tab.ask("ln.Transform.get().source_code")


def test_cells_that_run_out_of_order_are_noted(server: Server) -> None:
    with opened(
        server, "order/nb.ipynb", init("order"), "ln.track()", "a = 1", "b = 2", "ln.finish()"
    ) as tab:
        told = tab.run(0, 1, 3, 2, 4)
        assert "were not run consecutively" in told
        assert tab.ask("[ln.Run.get()._is_consecutive, ln.Run.get().status]") == [False, "completed"]
