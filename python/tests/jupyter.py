"""A Jupyter server, and a front end that does with it what a person does in JupyterLab."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from jupyter_client.blocking import BlockingKernelClient

from notebooks import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Server:
    """A running Jupyter server."""

    def __init__(self, root: Path, runtime: Path, url: str, token: str) -> None:
        self.root, self.runtime = root, runtime
        self._url, self._token = url, token

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Sends a request to the server and returns what it answers."""
        request = urllib.request.Request(
            f"{self._url}api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Starts a server below `folder`, and ends it with all of its kernels."""
    home, root, runtime = (folder / name for name in ("home", "root", "runtime"))
    for made in (home, root):
        made.mkdir(parents=True)
    variables = environment(home, root) | {"JUPYTER_RUNTIME_DIR": str(runtime)}
    # The server tells its kernels.
    del variables["JPY_SESSION_NAME"]
    options = [f"--ServerApp.root_dir={root}", "--no-browser", "--port=0", "--allow-root"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *options],
        env=variables,
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _found(root, runtime, process)
    finally:
        process.terminate()
        process.wait(30)


def _found(root: Path, runtime: Path, process: subprocess.Popen[bytes]) -> Server:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        for file in runtime.glob("jpserver-*.json"):
            try:
                told = json.loads(file.read_text())
                server = Server(root, runtime, told["url"], told["token"])
                server.ask("GET", "status")
                return server
            except (OSError, ValueError):
                # Still being written, or not listening yet.
                continue
        time.sleep(0.1)
    raise AssertionError("the Jupyter server did not start")


class Tab:
    """A notebook that is open in a front end, with a kernel."""

    def __init__(self, server: Server, path: str, *cells: str) -> None:
        """Opens a notebook; with cells, it is a new one."""
        self._server, self.path = server, path
        if cells:
            made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            (server.root / path).parent.mkdir(exist_ok=True)
        else:
            made = nbformat.from_dict(server.ask("GET", f"contents/{path}")["content"])
        self.notebook = made
        self.save()
        wanted = {"path": path, "name": Path(path).name, "type": "notebook", "kernel": {"name": "python3"}}
        self._session = server.ask("POST", "sessions", wanted)
        file = server.runtime / f"kernel-{self._session['kernel']['id']}.json"
        self._client = BlockingKernelClient(connection_file=str(file))
        self._client.load_connection_file()
        # A busy machine misses heartbeats.
        self._client.start_channels(hb=False)
        self._client.wait_for_ready(timeout=60)

    def run(self, *order: int, answer: str | None = None) -> str:
        """Runs cells, by default all from the first to the last; returns what they printed, without colours.

        Before `ln.finish()` the notebook is saved, as a person does. Questions get the answer.
        """
        return "".join(
            self._run(self.notebook.cells[at], answer) for at in order or range(len(self.notebook.cells))
        )

    def _run(self, cell: Any, answer: str | None) -> str:
        if "ln.finish()" in cell.source:
            self.save()
        cell.outputs = []

        def take(message: dict[str, Any]) -> None:
            if message["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                cell.outputs.append(nbformat.v4.output_from_msg(message))

        def reply(message: dict[str, Any]) -> None:
            assert answer is not None, message["content"]["prompt"]
            self._client.input(answer)

        reply = self._client.execute_interactive(
            cell.source, allow_stdin=True, stdin_hook=reply, output_hook=take, timeout=120
        )["content"]
        cell.execution_count = reply["execution_count"]
        printed = _COLOUR.sub(
            "", "".join(output["text"] for output in cell.outputs if output.output_type == "stream")
        )
        assert reply["status"] == "ok", f"{printed}\n{reply.get('ename')}: {reply.get('evalue')}"
        return printed

    def ask(self, expression: str) -> Any:
        """Returns the value of an expression in the kernel, passed through JSON."""
        reply = self._client.execute_interactive(
            "import json as _json",
            silent=True,
            user_expressions={"value": f"_json.dumps({expression}, default=str)"},
            timeout=120,
        )
        value = reply["content"]["user_expressions"]["value"]
        assert value["status"] == "ok", value
        return json.loads(eval(value["data"]["text/plain"]))

    def edit(self, at: int, source: str) -> None:
        """Changes a cell."""
        self.notebook.cells[at].source = source

    def save(self) -> None:
        """Saves the notebook by way of the server."""
        body = {"type": "notebook", "format": "json", "content": self.notebook}
        self._server.ask("PUT", f"contents/{self.path}", body)

    def rename(self, path: str) -> None:
        """Gives the notebook another name: the file first, then the session, as JupyterLab does."""
        self._server.ask("PATCH", f"contents/{self.path}", {"path": path})
        told = {"path": path, "name": Path(path).name, "type": "notebook"}
        self._server.ask("PATCH", f"sessions/{self._session['id']}", told)
        self.path = path

    def duplicate(self) -> str:
        """Copies the file and returns the path of the copy, which the server names."""
        folder = self.path.rpartition("/")[0]
        copied = self._server.ask("POST", f"contents/{folder}", {"copy_from": self.path})
        return str(copied["path"])

    def close(self) -> None:
        """Ends the kernel; the file stays."""
        self._client.stop_channels()
        self._server.ask("DELETE", f"sessions/{self._session['id']}")
