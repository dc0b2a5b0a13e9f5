"""Printing: the words of messages come from the engine's voice, Python decides where they appear."""

from __future__ import annotations

import sys

from holotype import _native

ERROR, IMPORTANT, IMPORTANT_HINT, WARNING, SUCCESS, INFO, HINT = 40, 31, 32, 30, 25, 20, 15
VERBOSITIES = ("error", "warning", "success", "info", "hint", "debug")
_LEVELS = {number: (least, glyph, colour) for number, least, glyph, colour in _native.levels()}


def in_notebook() -> bool:
    """Returns true inside a Jupyter kernel."""
    return "ipykernel" in sys.modules and type(sys.stdout).__module__.startswith("ipykernel")


def colours() -> bool:
    """Returns true where ANSI colours are understood: terminals and notebooks."""
    stream = sys.stdout
    try:
        return in_notebook() or (stream is not None and stream.isatty())
    except (AttributeError, ValueError):
        return False


def speak(level: int, text: str) -> None:
    """Prints a message of the engine."""
    _, glyph, colour = _LEVELS[level]
    if glyph is not None:
        text = f"\033[{colour}m{glyph}\033[0m {text}" if colours() else f"{glyph} {text}"
    print(text)


def say(level: int, text: str) -> None:
    """Prints a message of the Python side if the verbosity allows it."""
    if VERBOSITIES.index(_native.verbosity()) >= _LEVELS[level][0]:
        speak(level, text)


def warning(text: str) -> None:
    """Prints a message at level warning."""
    say(WARNING, text)


def important(text: str) -> None:
    """Prints a message that the user must see."""
    say(IMPORTANT, text)


class lowered:
    """Keeps messages below a verbosity silent for the duration of a block.

    Args:
        verbosity: The verbosity, such as `"error"`.
    """

    # Not a generator with `contextlib`: that import alone would take a tenth of the package's.
    def __init__(self, verbosity: str) -> None:
        self._wanted = verbosity
        self._before = verbosity

    def __enter__(self) -> None:
        self._before = _native.verbosity()
        if VERBOSITIES.index(self._wanted) < VERBOSITIES.index(self._before):
            _native.set_verbosity(self._wanted)

    def __exit__(self, *details: object) -> None:
        _native.set_verbosity(self._before)


def ask(question: str) -> bool:
    """Returns whether the user answers a question with yes; nobody there to answer means no."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except (EOFError, OSError, NotImplementedError):
        # No input at all, input that is captured, a kernel that runs in batch.
        return False


def progress(verb: str, name: str, done: int, total: int) -> None:
    """Shows how far a long operation of the engine is."""
    from holotype._progress import show

    show(verb, name, done, total)
