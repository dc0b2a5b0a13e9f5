"""Asks the real LaminDB about an instance, from the outside: one process per list of commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .venv import referee_python

SIDE = Path(__file__).with_name("lamindb_side.py")


class RefereeError(Exception):
    """LaminDB refused a command; `kind` is the name of its exception class."""

    def __init__(self, kind: str, text: str) -> None:
        """Keeps the class name apart from the text."""
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


class Referee:
    """LaminDB, bound to one settings home and one working directory.

    Args:
        home: the directory that holds `.lamin`; also `HOME` and the place of the cache.
        work: the working directory, whose `.lamin/current_instance` names the instance.

    Example:
        `Referee(home, work).do("list_artifacts")`
    """

    def __init__(self, home: Path, work: Path) -> None:
        """Creates both directories if they are missing; starts nothing."""
        self.home = home.resolve()
        self.work = work.resolve()
        self.home.mkdir(parents=True, exist_ok=True)
        self.work.mkdir(parents=True, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """Returns variables that keep LaminDB away from the settings and cache of whoever runs the tests."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            "HOME": str(self.home),
            "LAMIN_SETTINGS_DIR": str(self.home),
            "LAMIN_CACHE_DIR": str(self.home / "cache"),
            "PYTHONWARNINGS": "ignore",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def init(self, storage: Path, *, modules: str | None = None, db: str | None = None) -> None:
        """Makes a new instance with `lamin init`, named after the last part of `storage`, or of the URL `db`.

        Raises:
            RefereeError: the command failed.
        """
        more = ["--modules", modules] if modules else []
        more += ["--db", db] if db else []
        self.command(str(self.python().with_name("lamin")), "init", "--storage", str(storage), *more)

    def python(self) -> Path:
        """Returns the interpreter that imports LaminDB."""
        return referee_python()

    def script(self, path: Path, *arguments: str) -> str:
        """Runs a Python script with LaminDB's interpreter and returns all it printed.

        The script itself has to set `ln.setup.settings.instance._is_on_hub = False` right after the import.

        Raises:
            RefereeError: the script ended with another exit code than 0.
        """
        return self.command(str(self.python()), str(path), *arguments)

    def command(self, *command: str) -> str:
        """Runs one command in the working directory and returns all it printed.

        Raises:
            RefereeError: it ended with another exit code than 0.
        """
        done = self._start(command, "")
        if done.returncode:
            raise RefereeError(f"ExitCode{done.returncode}", done.stdout + done.stderr)
        return done.stdout + done.stderr

    def outcomes(self, commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Runs commands in one process and returns for each `result` or `error`, and what it `printed`.

        Raises:
            RefereeError: LaminDB could not even open the instance.
        """
        done = self._start((str(self.python()), str(SIDE)), json.dumps(commands))
        if done.returncode:
            raise RefereeError(f"ExitCode{done.returncode}", done.stdout + done.stderr)
        outcomes: list[dict[str, Any]] = json.loads(done.stdout)
        return outcomes

    def run(self, *commands: dict[str, Any]) -> list[Any]:
        """Runs commands in one process and returns their results.

        Raises:
            RefereeError: the first command that failed.
        """
        results = []
        for outcome in self.outcomes(list(commands)):
            if "error" in outcome:
                raise RefereeError(outcome["error"]["kind"], outcome["error"]["text"])
            results.append(outcome["result"])
        return results

    def do(self, name: str, **arguments: Any) -> Any:
        """Runs the one command `name`, see `lamindb_side.py` for what there is, and returns its result.

        Raises:
            RefereeError: LaminDB refused it.
        """
        return self.run({"do": name, **arguments})[0]

    def _start(self, command: tuple[str, ...], given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.work,
            env=self.environment(),
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )


class Holotype(Referee):
    """Holotype, asked the very same questions under LaminDB's names."""

    def python(self) -> Path:
        """Returns the interpreter that runs the tests, where `import lamindb` finds Holotype."""
        return Path(sys.executable)
