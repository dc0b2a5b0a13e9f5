"""Lists what a reader of the instance must find, in LaminDB's own words; started by `../make.py`."""

import json
from pathlib import Path

import lamindb as ln


def artifact(a):
    return {
        "uid": a.uid,
        "key": a.key,
        "description": a.description,
        "suffix": a.suffix,
        "hash": a.hash,
        "hash_type": a._hash_type,
        "size": a.size,
        "n_objects": a.n_objects,
        "storage": a.storage.uid,
        "path": Path(str(a.path)).relative_to(a.storage.root).as_posix(),
        "version": a.version,
        "is_latest": a.is_latest,
        "visibility": a.visibility,
    }


artifacts = list(ln.Artifact.filter(visibility=None).order_by("id"))
expected = {
    "lamindb": ln.__version__,
    "storages": {s.uid: s.root for s in ln.Storage.filter()},
    "artifacts": [artifact(a) for a in artifacts],
    "labels": {a.uid: [u.name for u in a.ulabels.all()] for a in artifacts if a.ulabels.exists()},
    "collections": [
        {
            "uid": c.uid,
            "name": c.name,
            "hash": c.hash,
            "is_latest": c.is_latest,
            "artifacts": [a.uid for a in c.ordered_artifacts],
        }
        for c in ln.Collection.filter()
    ],
}
Path("../expected.json").write_text(json.dumps(expected, default=str))
