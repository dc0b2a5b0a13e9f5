"""What a script prints, and how it ends when it does not end by itself."""

from __future__ import annotations

import builtins
import functools
import os
import signal
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, TextIO

__all__ = ["Console"]

# The ways in which scripts end themselves.
_EXITS = ((sys, "exit"), (builtins, "exit"), (builtins, "quit"))


class _Tee:
    """A stream that writes to another one and to the log."""

    def __init__(self, stream: TextIO, console: Console, by_line: bool) -> None:
        self._stream = stream
        self._console = console
        self._by_line = by_line
        self._line = ""

    def write(self, text: str) -> int:
        """Writes text; of a line that overwrites itself, as progress bars do, the log keeps the end."""
        # Logged first: a reader that went away breaks the stream, not the log.
        if self._by_line:
            self._log_lines(text)
        else:
            self._console.log(text)
        self._stream.write(text)
        return len(text)

    def _log_lines(self, text: str) -> None:
        *whole, self._line = (self._line + text).split("\n")
        if whole:
            self._console.log("".join(_last_part(line) + "\n" for line in whole))
        # A bar may run for hours without a line end.
        self._line = _last_part(self._line, keep=True)

    def flush(self) -> None:
        """Flushes the stream."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Returns false: what is written for terminals alone has no place in a log."""
        return False

    def rest(self) -> None:
        """Logs what stands on a line without an end."""
        if self._line:
            self._console.log(_last_part(self._line) + "\n")
            self._line = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _last_part(line: str, keep: bool = False) -> str:
    """Returns what a terminal shows of a line with carriage returns; `keep` keeps the one at the end."""
    bare = line.rstrip("\r")
    shown = bare.rpartition("\r")[2]
    return shown + "\r" if keep and bare != line else shown


class Console:
    """Copies output to a log and notices errors and signals that end the script, until it is stopped.

    Args:
        path: The log.
        first: What the log starts with.
        end: What to call with `"errored"` or `"aborted"` when the script ends early.

    Raises:
        OSError: If the log cannot be written.
    """

    def __init__(self, path: Path, first: str, end: Callable[[str], None]) -> None:
        self.path = path
        self._end = end
        self._owner = os.getpid()
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO | None = open(path, "w", encoding="utf-8", errors="replace", buffering=1)  # noqa: SIM115
        self.log(first)
        self._stdout, self._stderr = _Tee(sys.stdout, self, True), _Tee(sys.stderr, self, False)
        sys.stdout, sys.stderr = self._stdout, self._stderr  # type: ignore[assignment]
        self._hook, sys.excepthook = sys.excepthook, self._on_error
        #: What the script passed to `exit`, which raises what no hook is told.
        self.exit_code: Any = None
        self._exits = [(module, name, getattr(module, name, None)) for module, name in _EXITS]
        for module, name, leave in self._exits:
            if leave is not None:
                setattr(module, name, self._leaving(leave))
        self._handler: Any = None
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGTERM)
            # A handler that was not set from Python cannot be set again.
            if before is not None and before is not signal.SIG_IGN:
                self._handler = before
                signal.signal(signal.SIGTERM, self._on_signal)

    @property
    def owned(self) -> bool:
        """False in a process that was forked from the one with the log."""
        return os.getpid() == self._owner

    def _leaving(self, leave: Any) -> Any:
        """Returns a way to end the process that notes with which code."""

        @functools.wraps(leave, updated=())
        def noted(code: Any = None) -> None:
            if self.owned and threading.current_thread() is threading.main_thread():
                self.exit_code = code
            leave(code)

        return noted

    def log(self, text: str) -> None:
        """Writes to the log alone; a full disk must not end the script."""
        with self._lock:
            if self._file is not None:
                try:
                    self._file.write(text)
                except OSError:
                    self._file = None

    def stop(self) -> None:
        """Gives the streams and hooks back, where nobody has replaced them since, and closes the log."""
        with self._lock:
            if sys.stdout is self._stdout:  # type: ignore[comparison-overlap]
                sys.stdout = self._stdout._stream
            if sys.stderr is self._stderr:  # type: ignore[comparison-overlap]
                sys.stderr = self._stderr._stream
            if sys.excepthook == self._on_error:
                sys.excepthook = self._hook
            for module, name, leave in self._exits:
                if getattr(getattr(module, name, None), "__wrapped__", None) is leave:
                    setattr(module, name, leave)
            if self._handler is not None and signal.getsignal(signal.SIGTERM) == self._on_signal:
                signal.signal(signal.SIGTERM, self._handler)
            self._stdout.rest()
            file, self._file = self._file, None
            if file is not None:
                file.close()

    def _on_error(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if self.owned and self._file is not None:
            # The hook before prints to wherever it likes; the log gets the traceback once, and plain.
            self._stdout.rest()
            file, self._file = self._file, None
            self._hook(kind, error, trace)
            self._file = file
            interrupted = issubclass(kind, KeyboardInterrupt)
            if interrupted:
                self.log("Process terminated by signal 2 (SIGINT)\n")
            import traceback

            self.log("".join(traceback.format_exception(kind, error, trace)))
            self._finish("aborted" if interrupted else "errored")
            if interrupted:
                self._keep_interrupt()
            return
        self._hook(kind, error, trace)

    @staticmethod
    def _keep_interrupt() -> None:
        """Lets the process end as interrupted ones do, by the signal: shells stop a loop by that.

        The interpreter keeps in mind only how the last evaluated text ended, and imports evaluate some.
        """
        import contextlib

        with contextlib.suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")

    def _on_signal(self, number: int, frame: Any) -> None:
        if _engine_is_speaking(frame):
            # The engine waits for Python to print: it has to come back before it can be asked for anything.
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
            return
        before = self._handler
        if self.owned:
            self._stdout.rest()
            import traceback

            stack = "".join(traceback.format_stack(frame))
            self.log(f"Process terminated by signal {number} ({signal.Signals(number).name})\n{stack}")
            self._finish("aborted")
        if callable(before):
            before(number, frame)
            return
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _finish(self, outcome: str) -> None:
        try:
            self._end(outcome)
        except Exception as error:
            # The script's own end is what matters: how it ended could not be written down.
            self.stop()
            print(f"could not finish the run: {error}", file=sys.stderr)


def _engine_is_speaking(frame: Any) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__") in ("holotype._voice", "holotype._progress"):
            return True
        frame = frame.f_back
    return False
