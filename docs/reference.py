"""Writes the reference of the Python package into a folder: python docs/reference.py FOLDER."""

import sys
import warnings
from importlib import import_module
from pathlib import Path

import pdoc

LAZY = ["holotype", "holotype.bionty", "holotype.models"]


def main(folder: str) -> None:
    """Renders every public module."""
    for name in LAZY:
        module = import_module(name)
        for attribute in module.__all__:
            # Classes of registries are made when they are first used; the tool lists only what is there.
            getattr(module, attribute)
    # Annotations that name packages which are not installed are shown as they are written.
    warnings.simplefilter("ignore")
    pdoc.render.configure(docformat="google")
    pdoc.pdoc("holotype", output_directory=Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
