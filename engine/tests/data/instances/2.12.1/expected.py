"""Lists what a reader of the instance must find, in LaminDB's own words; started by `../make.py`."""

import json
from pathlib import Path

import lamindb as ln

ln.setup.settings.instance._is_on_hub = False

everywhere = {"branch_id__gte": -1}
branches = {b.id: b.name for b in ln.Branch.filter()}


def labels(obj):
    return sorted(obj.ulabels.to_list("name"))


def artifact(a):
    root = Path(a.storage.root)
    return {
        "uid": a.uid,
        "key": a.key,
        "description": a.description,
        "suffix": a.suffix,
        "kind": a.kind,
        "otype": a.otype,
        "hash": a.hash,
        "hash_type": a._hash_type,
        "size": a.size,
        "n_files": a.n_files,
        "storage": a.storage.uid,
        "path": Path(str(a.path)).relative_to(root).as_posix(),
        "version": a.version,
        "version_tag": a.version_tag,
        "is_latest": a.is_latest,
        "branch": branches[a.branch_id],
        "run": a.run.uid if a.run else None,
    }


artifacts = list(ln.Artifact.filter(**everywhere).order_by("id"))
expected = {
    "lamindb": ln.__version__,
    "storages": {s.uid: s.root for s in ln.Storage.filter()},
    "artifacts": [artifact(a) for a in artifacts],
    "labels": {a.uid: labels(a) for a in artifacts if a.ulabels.exists()},
    "cell_types": {a.uid: sorted(a.cell_types.to_list("name")) for a in artifacts if a.cell_types.exists()},
    "records": {a.uid: a.records.to_list("name") for a in artifacts if a.records.exists()},
    "features": {
        "artifact": ln.Artifact.get(key="raw/plain.txt").features.get_values(),
        "record": ln.Record.get(name="sample 1").features.get_values(),
    },
    "ulabels": [
        {
            "uid": u.uid,
            "name": u.name,
            "is_type": u.is_type,
            "type": u.type.name if u.type else None,
            "parents": sorted(u.parents.to_list("name")),
            "branch": branches[u.branch_id],
        }
        for u in ln.ULabel.filter(**everywhere).order_by("id")
    ],
    "collections": [
        {
            "uid": c.uid,
            "key": c.key,
            "hash": c.hash,
            "is_latest": c.is_latest,
            "version": c.version,
            "artifacts": [a.uid for a in c.ordered_artifacts],
            "labels": labels(c),
        }
        for c in ln.Collection.filter(**everywhere).order_by("id")
    ],
    "transforms": [
        {"uid": t.uid, "key": t.key, "kind": t.kind, "hash": t.hash, "description": t.description}
        for t in ln.Transform.filter(**everywhere).order_by("id")
    ],
    "runs": [
        {
            "uid": r.uid,
            "transform": r.transform.uid,
            "params": r.params,
            "cli_args": r.cli_args,
            "status": r.status,
            "report": r.report.uid,
            "environment": r.environment.uid,
            "inputs": r.input_artifacts.to_list("uid"),
            "outputs": [a.uid for a in r.output_artifacts.all()],
            "recreated": r.recreated_artifacts.to_list("uid"),
        }
        for r in ln.Run.filter(**everywhere).order_by("id")
    ],
    "branches": [{"uid": b.uid, "name": b.name} for b in ln.Branch.filter().order_by("id")],
}
Path("../expected.json").write_text(json.dumps(expected, default=str))
