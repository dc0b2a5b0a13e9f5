"""Tracking from notebooks, each in a real kernel."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from notebooks import Notebook, environment

# Where the package under test lies: an installation, or the source tree.
SOURCE = str(Path(str(find_spec("holotype").origin)).parents[1])  # type: ignore[union-attr]
START = "import holotype as ln\nln.setup.init(storage='storage')"
TITLE = ("# My title\n\nsome text",)


@pytest.fixture(autouse=True)
def _source(monkeypatch: pytest.MonkeyPatch) -> None:
    known = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{SOURCE}{os.pathsep}{known}" if known else SOURCE)


class Desk:
    """A folder with a home in which notebooks are executed."""

    def __init__(self, folder: Path) -> None:
        self.home, self.work = folder / "home", folder / "work"
        for made in (self.home, self.work):
            made.mkdir()

    def write(self, name: str, *cells: str | tuple[str]) -> Path:
        """Writes a notebook; cells in a tuple are markdown."""
        made: list[Any] = [
            nbformat.v4.new_markdown_cell(cell[0])
            if isinstance(cell, tuple)
            else nbformat.v4.new_code_cell(cell)
            for cell in cells
        ]
        for number, cell in enumerate(made):
            cell["id"] = f"c{number}"
        nbformat.write(nbformat.v4.new_notebook(cells=made), self.work / name)
        return self.work / name

    def execute(
        self, path: Path, *order: int, session: bool = True, ask: str = "None", **variables: str
    ) -> tuple[str, Any]:
        """Runs the cells in an order, and returns what they printed and the value of an expression."""
        env = environment(self.home, path) | variables
        if not session:
            del env["JPY_SESSION_NAME"]
        notebook = nbformat.read(path, as_version=4)
        resources = {"metadata": {"path": str(self.work)}}
        client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources)
        with client.setup_kernel(env=env):
            executed = Notebook(client, self.work)
            for index in order or range(len(notebook.cells)):
                client.execute_cell(notebook.cells[index], index)
            printed = [executed.printed(cell["id"]) for cell in notebook.cells if cell["cell_type"] == "code"]
            return "".join(printed), executed.ask(ask)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_notebook_is_kept_with_its_page(desk: Desk) -> None:
    path = desk.write("nb.ipynb", TITLE, START, "ln.track()", "print(1)", "ln.finish()")
    told, (transform, run, report) = desk.execute(
        path,
        ask="(lambda r: [[r.transform.uid, r.transform.kind, r.transform.key, r.transform.description,"
        " r.transform.source_code], [r.uid, r.status, r._is_consecutive, str(ln.context.run)],"
        " [r.report.description, r.report.suffix, r.report.kind, r.report.run_id,"
        " r.report.path.read_text()]])(ln.Run.get())",
    )
    assert re.search(
        rf"→ created Transform\('{transform[0]}', key='nb.ipynb'\), started new Run\('{run[0]}'\) at ", told
    )
    assert (
        f'• tip: to identify the notebook across renames, pass the uid: ln.track("{transform[0][:12]}")'
        in told
    )
    assert re.search(
        rf"→ finished Run\('{run[0]}'\) after \d+s at \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", told
    )
    assert transform[1:4] == ["notebook", "nb.ipynb", "My title"]
    assert transform[4] == (
        f"# %% [markdown]\n#\n#\n# some text\n\n# %%\n{START}\n\n# %%\nln.track()\n\n# %%\nprint(1)\n\n"
        "# %%\nln.finish()\n"
    )
    assert run[1:] == ["completed", True, "None"]
    assert report[:4] == [f"Report of run {run[0]}", ".html", "__lamindb_run__", None]
    assert "<html" in report[4]
    assert "some text" in report[4]
    assert "My title" not in report[4]
    assert "In&nbsp;[" not in report[4]
    assert not list(desk.home.rglob("report_*"))


def test_an_unchanged_notebook_stays_the_version_it_is(desk: Desk) -> None:
    path = desk.write("nb.ipynb", START, "ln.track()", "ln.finish()")
    desk.execute(path)
    told, rows = desk.execute(
        path, ask="[[t.uid[12:] for t in ln.Transform.filter()], [r.transform_id for r in ln.Run.filter()]]"
    )
    assert "found notebook nb.ipynb, making new version -- anticipating changes" in told
    assert rows == [["0000"], [1, 1]]
    desk.write("nb.ipynb", START, "ln.track()", "1 + 1", "ln.finish()")
    _, uids = desk.execute(path, ask="[t.uid[12:] for t in ln.Transform.filter()]")
    assert uids == ["0000", "0001"]


def test_tracking_again_goes_on_with_the_run(desk: Desk) -> None:
    path = desk.write("nb.ipynb", START, "ln.track()", "ln.track()", "ln.track(new_run=True)", "ln.finish()")
    told, count = desk.execute(path, ask="ln.Run.filter().count()")
    assert told.count("started new Run(") == 2
    assert told.count("re-started Run(") == 1
    assert count == 2


def test_the_packages_of_a_notebook_are_listed(desk: Desk) -> None:
    path = desk.write("nb.ipynb", START, "import nbformat, os\nln.track(pypackages=True)")
    told, _ = desk.execute(path)
    assert re.search(rf"→ notebook imports: .*\bnbformat=={re.escape(nbformat.__version__)}\n", told)


def test_cells_out_of_order_are_mentioned(desk: Desk) -> None:
    path = desk.write("nb.ipynb", START, "ln.track()", "print('b')", "print('a')", "ln.finish()")
    told, consecutive = desk.execute(path, 0, 1, 3, 2, 4, ask="ln.Run.get()._is_consecutive")
    assert "! cells [(2, 4), (4, 3)] were not run consecutively" in told
    assert "finished Run(" in told
    assert consecutive is False


def test_a_refused_question_keeps_the_run(desk: Desk) -> None:
    path = desk.write(
        "nb.ipynb", START, "ln.track()", "print('b')", "print('a')", "ln.finish(ignore_non_consecutive=False)"
    )
    # A kernel without anybody to ask means no.
    told, run = desk.execute(path, 0, 1, 3, 2, 4, ask="[ln.context.run is not None, ln.Run.get().status]")
    assert "were not run consecutively" in told
    assert run == [True, "started"]


def test_a_notebook_that_was_not_saved_has_to_be(desk: Desk) -> None:
    patience = "import holotype._notebook_report as report\nreport._PATIENCE = 1"
    path = desk.write("nb.ipynb", START, "ln.track()", patience, "ln.finish()", "ln.finish()")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    told, status = desk.execute(path, ask="ln.Run.get().status")
    first, _, second = told.partition("and re-run finish()")
    assert re.search(r"please hit CTRL \+ s to save the notebook in your editor\.+\n", first)
    assert "! the notebook on disk wasn't saved within the last 10 sec" in second
    assert "finished Run(" in second
    assert status == "completed"


def test_a_batch_finds_the_notebook_by_its_cells(desk: Desk) -> None:
    path = desk.write("nb.ipynb", START, "ln.track()", "print(1)", "ln.finish()")
    desk.write("other.ipynb", START, "print(2)")
    (desk.work / "broken.ipynb").write_text("{")
    told, run = desk.execute(
        path,
        session=False,
        ask="(lambda r: [r.transform.key, r.status, r.report_id, r._is_consecutive])(ln.Run.get())",
    )
    assert "→ to save the notebook html, run: holotype save nb.ipynb" in told
    assert run == ["nb.ipynb", "completed", None, True]
    told, rows = desk.execute(
        path, session=False, ask="[ln.Transform.filter().count(), ln.Run.filter().count()]"
    )
    assert "loaded Transform(" in told
    assert rows == [1, 2]


def test_a_batch_with_equal_notebooks_wants_a_path(desk: Desk) -> None:
    path = desk.write("nb.ipynb", START, "ln.track()", "ln.finish()")
    shutil.copy(path, desk.work / "copy.ipynb")
    with pytest.raises(
        CellExecutionError, match=r"several notebooks .* pass its path: ln\.track\(path='\.\.\.'\)"
    ):
        desk.execute(path, session=False)
    path = desk.write("nb.ipynb", START, "ln.track(path='nb.ipynb')", "ln.finish()")
    shutil.copy(path, desk.work / "copy.ipynb")
    assert desk.execute(path, session=False, ask="ln.Run.get().transform.key")[1] == "nb.ipynb"
    named = desk.write("third.ipynb", START, "ln.track()", "ln.finish()")
    shutil.copy(named, desk.work / "fourth.ipynb")
    _, keys = desk.execute(
        named,
        session=False,
        ask="[r.transform.key for r in ln.Run.filter()]",
        NBPRJ_TEST_NBPATH=str(named),
    )
    assert keys == ["nb.ipynb", "third.ipynb"]


def test_nbconvert_executes_as_a_batch(desk: Desk) -> None:
    path = desk.write("nb.ipynb", START, "ln.track()", "ln.finish()")
    env = environment(desk.home, path)
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--stdout", str(path)]
    # The session of another notebook, from which nbconvert was called, says nothing.
    done = subprocess.run(
        command,
        env=env | {"JPY_SESSION_NAME": str(desk.work / "x.ipynb")},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert "to save the notebook html, run: holotype save nb.ipynb" in done.stdout
    assert "key='nb.ipynb'" in done.stdout


def test_a_notebook_needs_a_name(desk: Desk) -> None:
    path = desk.write("Untitled.ipynb", START, "ln.track()")
    with pytest.raises(
        CellExecutionError, match=r"Your notebook file name is 'Untitled\.ipynb', please rename it"
    ):
        desk.execute(path)


def test_an_editor_tells_by_a_variable(desk: Desk) -> None:
    path = desk.write("nb.ipynb", f"__vsc_ipynb_file__ = r'{desk.work / 'nb.ipynb'}'\n{START}", "ln.track()")
    shutil.copy(path, desk.work / "copy.ipynb")
    _, key = desk.execute(path, session=False, ask="ln.context.transform.key")
    assert key == "nb.ipynb"


def test_a_server_on_this_machine_is_asked(tmp_path: Path) -> None:
    from holotype._notebook_path import _ask_servers

    asked: list[str | None] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            sessions = [
                {"kernel": {"id": "other"}, "path": "x.ipynb"},
                {"kernel": {"id": "abc-1"}, "path": "nb.ipynb"},
            ]
            self.wfile.write(json.dumps(sessions).encode())

        def log_message(self, *args: Any) -> None:
            pass

    (tmp_path / "nb.ipynb").write_text("{}")
    kernel = SimpleNamespace(
        kernel=SimpleNamespace(
            config={"IPKernelApp": {"connection_file": str(tmp_path / "kernel-abc-1.json")}}
        )
    )
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        told = {"token": "secret", "root_dir": str(tmp_path)}
        far = told | {"url": "http://198.51.100.7:8888/"}
        near = told | {"url": f"http://127.0.0.1:{server.server_port}/"}
        (tmp_path / "jpserver-1.json").write_text("no server")
        (tmp_path / "jpserver-2.json").write_text(json.dumps(far))
        assert _ask_servers(kernel) is None
        assert asked == []
        (tmp_path / "jpserver-3.json").write_text(json.dumps(near))
        assert _ask_servers(kernel) == tmp_path / "nb.ipynb"
        assert asked == ["token secret"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


COLAB = """\
import json, sys

def blocking_request(name, timeout_sec=None):
    assert name == "get_ipynb"
    return {"ipynb": json.load(open("page.json"))}
"""


def test_a_notebook_in_colab_is_what_the_page_shows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    package = desk.home / "packages/google/colab"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "_message.py").write_text(COLAB)
    monkeypatch.setenv("PYTHONPATH", f"{desk.home / 'packages'}{os.pathsep}{os.environ['PYTHONPATH']}")

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            assert self.path == "/api/sessions"
            self.wfile.write(json.dumps([{"name": "reads.ipynb", "path": "fileId=1a2b"}]).encode())

        def log_message(self, *args: Any) -> None:
            pass

    cells = ("import google.colab", START, "ln.track()", "print(1)", "ln.finish()")
    path = desk.write("page.json", TITLE, *cells)
    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        told, found = desk.execute(
            path,
            session=False,
            ask="(lambda r: [r.transform.key, r.transform.kind, r.transform.description, r.status,"
            " r.report.suffix])(ln.Run.get())",
            COLAB_JUPYTER_IP="127.0.0.1",
            KMP_TARGET_PORT=str(server.server_port),
        )
    finally:
        server.shutdown()
    assert found == ["colab/reads.ipynb", "notebook", "My title", "completed", ".html"]
    assert "→ finished Run(" in told
