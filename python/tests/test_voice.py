"""What is said, how, and when: messages, progress, interrupts."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import holotype as ln
from holotype import _native, _progress, _voice


class Terminal:
    """A stream that says it is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Does nothing."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _usual_verbosity() -> object:
    before = _native.verbosity()
    _native.set_verbosity("warning")
    yield
    _native.set_verbosity(before)


def test_signs_and_colours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _voice.warning("mind this")
    _voice.important("know this")
    assert capsys.readouterr().out == "! mind this\n→ know this\n"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    _voice.warning("mind this")
    assert terminal.text == "\033[93m!\033[0m mind this\n"


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [("error", ""), ("warning", "w"), ("success", "ws"), ("info", "wsi"), ("hint", "wsih")],
)
def test_verbosity(verbosity: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    ln.settings.verbosity = verbosity
    levels = {"w": _voice.WARNING, "s": _voice.SUCCESS, "i": _voice.INFO, "h": _voice.HINT}
    for text, level in levels.items():
        _voice.say(level, text)
    assert "".join(line[-1] for line in capsys.readouterr().out.splitlines()) == shown
    with _voice.lowered("error"):
        _voice.warning("silent")
    assert capsys.readouterr().out == ""
    assert ln.settings.verbosity == verbosity


def test_nobody_to_ask_means_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    assert _voice.ask("Really? ") is False
    monkeypatch.setattr("builtins.input", lambda question: " Y ")
    assert _voice.ask("Really? ") is True


def test_progress_shows_only_what_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for done in (0, 50, 100):
        _progress.show("copying", "fast.bin", done, 100)
    assert capsys.readouterr().out == "", "done within a second"
    for done in (0, 40, 100):
        _progress.show("copying", "slow.bin", done, 100)
        now[0] += 2
    assert capsys.readouterr().out == "... copying slow.bin: 100.0%\n", "one plain line in a log"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    for done in (0, 50, 60, 100):
        _progress.show("copying", "bar.bin", done, 100)
        now[0] += 0.1 if done == 50 else 2
    lines = terminal.text.split("\r")
    assert len(lines) == 3, "not more often than every quarter of a second"
    assert lines[1].endswith("] ... copying bar.bin: 50.0%")
    assert lines[2] == f"[{'#' * 30}] ... copying bar.bin: 100.0%\n"


def test_an_interrupt_leaves_nothing_half_done(instance: Path) -> None:
    code = """
import signal, sys, holotype as ln
ln.settings.creation.search_names = False
labels = [ln.ULabel(name=f"label {i}") for i in range(30_000)]
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]))
signal.signal(signal.SIGALRM, signal.default_int_handler)
try:
    ln.save(labels)
    print("saved")
except KeyboardInterrupt:
    print("interrupted")
print(ln.ULabel.filter().count())
"""
    handler = signal.getsignal(signal.SIGINT)
    for delay in ("0.02", "0.1"):
        before = ln.ULabel.filter().count()
        done = subprocess.run([sys.executable, "-c", code, delay], capture_output=True, text=True, check=True)
        outcome, count = done.stdout.splitlines()[-2:]
        assert outcome == "interrupted", done
        assert int(count) - before in (0, 30_000)
    assert signal.getsignal(signal.SIGINT) is handler


def test_lamindb_speaks_of_its_command(home: Path) -> None:
    compat = Path(__file__).parents[2] / "compat" / "lamindb"
    code = (
        f"import sys; sys.path.insert(0, {str(compat)!r})\n"
        "import lamindb as ln\n"
        "import bionty as bt\n"
        "from lamindb.core.storage import VALID_SIMPLE_SUFFIXES\n"
        "import lamindb.errors, lamindb_setup\n"
        "ln.setup.init(storage='./x', modules='bionty')\n"
        "print(bt.CellType(name='T cell').save().name, ln.core.datasets.__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "(to identify, call: lamin login)" in done.stdout
    assert done.stdout.splitlines()[-1] == "T cell holotype.examples.datasets"
