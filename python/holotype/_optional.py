"""Import of packages that not every installation has."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def require(module: str, extra: str | None) -> Any:
    """Returns an optional module, or says how to install it.

    Args:
        module: Name of the module, such as `anndata`.
        extra: Extra of this package that brings it; None if no extra does.

    Raises:
        ImportError: If the module, or something it imports, is absent.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".", 1)[0]
        install = f"'holotype[{extra}]'" if extra else package
        if error.name is not None and error.name.split(".", 1)[0] != package:
            package = f"{package} (which needs {error.name})"
        raise ImportError(f"Please install {package}: pip install {install}", name=error.name) from error
