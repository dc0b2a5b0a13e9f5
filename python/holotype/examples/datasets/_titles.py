"""Invented titles of computational notebooks."""

from __future__ import annotations

from holotype.examples.datasets._bytes import seeded

_VERBS = "Cluster Annotate Integrate Compare Profile Segment Normalize Rank Trace Validate".split()
_CELLS = (
    "regulatory T cells,memory B cells,hepatocytes,cardiomyocytes,neutrophils,alveolar macrophages,"
    "hematopoietic stem cells,dopaminergic neurons,plasma cells,intestinal enterocytes"
).split(",")
_TISSUES = "spleen,bone marrow,lung,liver,kidney,thymus,retina,colon,pancreas,skin".split(",")
_PURPOSES = (
    "rank IgG levels,study aging,find drug targets,explain drug resistance,map development,study infection,"
    "compare donors,predict response,measure exhaustion,study inflammation"
).split(",")


def fake_bio_notebook_titles(n: int = 100) -> list[str]:
    """Returns `n` distinct titles such as "Annotate plasma cells of the lung to study aging".

    Args:
        n: Number of titles, at most 10,000.

    Raises:
        ValueError: If `n` is negative or more titles are asked for than there are.

    Example:
        >>> len(ln.examples.datasets.fake_bio_notebook_titles(n=5))
        5
    """
    total = len(_VERBS) * len(_CELLS) * len(_TISSUES) * len(_PURPOSES)
    if not 0 <= n <= total:
        raise ValueError(f"Cannot make {n} titles; choose a number from 0 to {total}.")
    rng = seeded("titles")
    weights = [rng.random() for _ in range(total)]
    order = sorted(range(total), key=weights.__getitem__)
    titles = []
    for number in order[:n]:
        rest, verb = divmod(number, len(_VERBS))
        rest, cell = divmod(rest, len(_CELLS))
        purpose, tissue = divmod(rest, len(_TISSUES))
        titles.append(f"{_VERBS[verb]} {_CELLS[cell]} of the {_TISSUES[tissue]} to {_PURPOSES[purpose]}")
    return titles
