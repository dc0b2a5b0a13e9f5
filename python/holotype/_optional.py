"""Import of packages that not every installation has."""

from __future__ import annotations

import importlib
import importlib.util

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Which extra of this package brings what: `pip install holotype` alone brings none of them.
EXTRAS = {
    "IPython": "jupyter",
    "adlfs": "az",
    "aiohttp": "http",
    "anndata": "anndata",
    "gcsfs": "gs",
    "h5py": "anndata",
    "huggingface_hub": "hf",
    "mudata": "anndata",
    "nbconvert": "jupyter",
    "nbformat": "jupyter",
    "numpy": "pandas",
    "pandas": "pandas",
    "polars": "polars",
    "pyarrow": "arrow",
    "readfcs": "fcs",
    "s3fs": "s3",
    "scipy": "anndata",
    "spatialdata": "spatial",
    "yaml": "yaml",
    "zarr": "zarr",
}


def require(module: str) -> Any:
    """Returns an optional module, or says how to install it.

    Args:
        module: Name of the module, such as `anndata`.

    Raises:
        ImportError: If the module, or something it imports, is absent.

    Example:
        >>> require("pandas").DataFrame({"a": [1]})
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".", 1)[0]
        extra = EXTRAS.get(package)
        install = f"'holotype[{extra}]'" if extra else package
        if error.name is not None and error.name.split(".", 1)[0] != package:
            package = f"{package} (which needs {error.name})"
        raise ImportError(f"Please install {package}: pip install {install}", name=error.name) from error


def present(module: str) -> bool:
    """Returns true when a package is installed, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
