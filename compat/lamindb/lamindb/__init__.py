"""The names of LaminDB, answered by Holotype.

Example:
    >>> import lamindb as ln
    >>> ln.Artifact.filter(key__startswith="raw/").df()
"""

from __future__ import annotations

from typing import Any

import holotype
from holotype import _native
from lamindb._alias import alias

#: The release whose interface is followed.
__version__ = "2.12.1"

# Advice names the command that these users have: `lamin`.
_native.speak_as_lamin()
alias("lamindb", "holotype")
alias("bionty", "holotype.bionty")
alias("lamindb_setup", "holotype.setup")


def __getattr__(name: str) -> Any:
    try:
        return getattr(holotype, name)
    except AttributeError:
        raise AttributeError(f"module 'lamindb' has no attribute '{name}'") from None


def __dir__() -> list[str]:
    return dir(holotype)
