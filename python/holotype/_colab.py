"""Notebooks of Google Colab, which lie in no file that their kernel can see: the page is asked for them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from holotype.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["fetch", "notebook"]

# Where Colab's kernels find its Jupyter server.
_PORT = "9000"


def notebook(folder: Path) -> Path | None:
    """Returns a copy of the notebook that runs in Colab, with its name; None elsewhere.

    Args:
        folder: Where the copy goes.

    Raises:
        InvalidArgument: If Colab does not tell.
    """
    if "google.colab" not in sys.modules:
        return None
    path = folder / "colab" / _name()
    path.parent.mkdir(parents=True, exist_ok=True)
    fetch(path)
    return path


def fetch(path: Path) -> None:
    """Writes the notebook as the page shows it now.

    Raises:
        InvalidArgument: If the page does not answer.
    """
    import json

    from google.colab import _message

    answer: Any = _message.blocking_request("get_ipynb", timeout_sec=30)
    if not answer or "ipynb" not in answer:
        raise InvalidArgument("Colab did not hand out the notebook: pass its path: ln.track(path='...')")
    path.write_text(json.dumps(answer["ipynb"]), encoding="utf-8")


def _name() -> str:
    """Returns what the notebook is called."""
    import json
    import socket
    from urllib.request import ProxyHandler, build_opener

    try:
        host = os.environ.get("COLAB_JUPYTER_IP") or socket.gethostbyname(socket.gethostname())
        url = f"http://{host}:{os.environ.get('KMP_TARGET_PORT', _PORT)}/api/sessions"
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            name = str(json.load(answer)[0]["name"])
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InvalidArgument(
            f"Colab did not tell the name of the notebook ({error}): pass its path: ln.track(path='...')"
        ) from None
    return Path(name).name
