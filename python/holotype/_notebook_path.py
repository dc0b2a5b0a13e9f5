"""Which file runs: a script, or the notebook behind a kernel, which does not tell."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from holotype import _colab, _native
from holotype.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

__all__ = ["Running", "cells", "code", "executed", "renamed", "running", "running_kernel"]

# Programs that run notebooks from beginning to end.
_EXECUTORS = ("nbconvert", "nbclient", "jupyter-execute", "jupyter-run", "papermill")
_TELL = "pass its path: ln.track(path='...')"


class Running(NamedTuple):
    """The file that runs."""

    #: The file.
    path: Path
    #: It is a notebook.
    notebook: bool = False
    #: A person runs the notebook cell by cell.
    interactive: bool = False
    #: Key, where it is not the path's.
    key: str | None = None
    #: The file is a copy of what a page shows, to be fetched again.
    copied: bool = False
    #: The user said which file it is.
    given: bool = False


def running(path: str | os.PathLike[str] | None = None) -> Running:
    """Returns the file that runs.

    Args:
        path: The file, where the user knows better.

    Raises:
        InvalidArgument: If nobody can tell.
    """
    caller = _caller()
    kernel = running_kernel()
    given = None if path is None else Path(path).expanduser().absolute()
    file = caller.get("__file__")
    # What `%run` runs in a kernel is a script, with globals of its own.
    script = file is not None and caller.get("__name__") == "__main__"
    if kernel is not None and (caller is kernel.user_ns or not script):
        shown = None if given else _colab.notebook(_native.cache_dir())
        if shown is not None:
            return Running(shown, True, True, f"colab/{shown.name}", copied=True)
        # Only an editor saves what a person sees: without one, the file stays as it is.
        found = None if _runs_in_batch() else _session_notebook(kernel)
        path = given or found or _quiet_notebook(kernel)
        return Running(path, True, found is not None, given=given is not None)
    if _in_marimo() and (given or file):
        return Running(given or Path(str(file)).absolute(), True, _in_marimo() == "edit")
    if given is not None:
        return Running(given, given.suffix in (".ipynb", ".qmd", ".Rmd"))
    if file is None:
        raise InvalidArgument(
            f"There is no file to track in an interactive session or `python -c`: {_TELL}, or a "
            "pipeline: ln.track(transform=ln.Transform(key='...').save())"
        )
    return Running(Path(file).absolute(), key=_package_key(str(caller.get("__name__")), str(file)))


def _caller() -> dict[str, Any]:
    """Returns the globals of the first function on the stack that is not ours."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in ("holotype", "lamindb"):
            return frame.f_globals
        frame = frame.f_back
    return {}


def _package_key(name: str, file: str) -> str | None:
    """Returns the key of an installed module, which has no place among the user's own files."""
    if name == "__main__" or not {"site-packages", "dist-packages"} & set(Path(file).parts):
        return None
    own = f"{name.replace('.', '/')}"
    return f"pypackages/{own}/__init__.py" if Path(file).stem == "__init__" else f"pypackages/{own}.py"


def running_kernel() -> Any:
    """Returns IPython's shell inside a Jupyter kernel."""
    if "ipykernel" not in sys.modules or "IPython" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    return shell if shell is not None and hasattr(shell, "kernel") else None


def _in_marimo() -> str | None:
    marimo = sys.modules.get("marimo")
    if marimo is None or not marimo.running_in_notebook():
        return None
    return str(marimo.app_meta().mode)


def _runs_in_batch() -> bool:
    """Returns true when the kernel's parent is known to run notebooks from beginning to end."""
    if "NBPRJ_TEST_NBPATH" in os.environ:
        return True
    try:
        command = Path(f"/proc/{os.getppid()}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return any(name in command for name in _EXECUTORS)


def renamed(source: Running) -> Running:
    """Returns a notebook under the name that it has now: a person may have given it another one since.

    Args:
        source: The notebook as it was found first.
    """
    kernel = running_kernel()
    if kernel is None or source.given or not source.interactive:
        return source
    return source._replace(path=_session_notebook(kernel) or source.path)


def _session_notebook(kernel: Any) -> Path | None:
    """Returns the notebook that an editor or a server tells the kernel about."""
    # A server on this machine knows the name of today, the variable that under which the kernel was started.
    return (
        _named_notebook(kernel.user_ns.get("__vsc_ipynb_file__"))
        or _ask_servers(kernel)
        or _named_notebook(os.environ.get("JPY_SESSION_NAME"))
    )


def _named_notebook(name: str | None) -> Path | None:
    """Returns the notebook of a name, relative to where server or kernel were started, if it is there."""
    if name:
        for path in (Path(name).absolute(), Path.cwd() / Path(name).name):
            if path.suffix == ".ipynb" and path.is_file():
                return path
    return None


def _ask_servers(kernel: Any) -> Path | None:
    """Returns the notebook that a Jupyter server on this machine runs in this kernel."""
    import json
    from urllib.parse import urlsplit
    from urllib.request import ProxyHandler, Request, build_opener

    connection = Path(kernel.kernel.config.get("IPKernelApp", {}).get("connection_file", ""))
    kernel_id = connection.stem.removeprefix("kernel-")
    if not kernel_id:
        return None
    opener = build_opener(ProxyHandler({}))
    for file in sorted(connection.parent.glob("jpserver-*.json")):
        try:
            server = json.loads(file.read_text())
            if urlsplit(server["url"]).hostname not in ("localhost", "127.0.0.1", "::1"):
                continue
            token = {"Authorization": f"token {server['token']}"} if server.get("token") else {}
            with opener.open(Request(f"{server['url']}api/sessions", headers=token), timeout=1) as answer:
                sessions = json.load(answer)
            for session in sessions:
                if session["kernel"]["id"] == kernel_id:
                    return _existing(Path(server["root_dir"]) / session["path"])
        except (OSError, ValueError, KeyError, TypeError):
            # A server that is gone, or of another kind.
            continue
    return None


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _quiet_notebook(kernel: Any) -> Path:
    """Returns the notebook of a kernel that was told nothing: the one that holds what was executed.

    Raises:
        InvalidArgument: If there is none, or more than one.
    """
    named = os.environ.get("NBPRJ_TEST_NBPATH")
    if named:
        return Path(named).absolute()
    done = [source for _, source in executed(kernel)]
    here = Path.cwd()
    fitting = [path for path in sorted(here.glob("*.ipynb")) if _holds(path, done)]
    if len(fitting) == 1:
        return fitting[0]
    which = "several notebooks here hold" if fitting else f"no notebook in {here} holds"
    raise InvalidArgument(f"Could not find out which notebook runs: {which} the executed cells; {_TELL}")


def _holds(path: Path, done: list[str]) -> bool:
    """Returns true when the executed cells stand in the notebook, in that order."""
    try:
        left = iter(source for _, source in cells(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(done) and all(any(source == other for other in left) for source in done)


def cells(text: str) -> list[tuple[dict[str, Any], str]]:
    """Returns the code cells of a notebook that hold code, with their sources.

    Args:
        text: Text of the file.

    Raises:
        ValueError: If it is no notebook.
    """
    import json

    found = []
    for cell in json.loads(text)["cells"]:
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if cell["cell_type"] == "code" and source.strip():
            found.append((cell, source.rstrip("\n")))
    return found


def code(path: Path) -> str:
    """Returns the code of a notebook.

    Raises:
        ValueError: If it is no notebook.
    """
    text = path.read_text(encoding="utf-8")
    return "\n".join(source for _, source in cells(text)) if path.suffix == ".ipynb" else text


def executed(shell: Any = None) -> list[tuple[int, str]]:
    """Returns what the kernel has executed, with execution counts.

    Args:
        shell: IPython's shell; by default that of this process.
    """
    shell = shell or running_kernel()
    history = [] if shell is None else shell.history_manager.input_hist_raw
    return [(count, source.rstrip("\n")) for count, source in enumerate(history) if source.strip()]
