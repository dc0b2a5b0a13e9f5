"""The example datasets under their older address.

Importing `holotype.core.datasets` gives the very module `holotype.examples.datasets`, so that both spellings
share one set of functions.
"""

from __future__ import annotations

import sys

from holotype.examples import datasets

sys.modules[__name__] = datasets
