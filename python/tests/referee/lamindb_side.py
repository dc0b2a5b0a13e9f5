"""Runs inside LaminDB's environment: a JSON list of commands on standard input, one JSON answer back.

A command is an object with `do`, the name of a function below, and that function's arguments. The answer
holds, for each command, `result` or `error` (`kind`, `text`), and `printed`. A failed command does not stop
those after it.
Hashes are recomputed here with hashlib, not with LaminDB, so that it can't agree with itself by mistake.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import socket
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

COMMANDS: dict[str, Callable[..., Any]] = {}
EVERYWHERE = {"branch_id__gte": -1}


def command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Registers a function under its name."""
    COMMANDS[function.__name__] = function
    return function


def b64(digest: bytes) -> str:
    """Returns the text form of a digest, cut to the length of the column."""
    return urlsafe_b64encode(digest).decode().rstrip("=")[:22]


def content_hash(path: Path) -> tuple[str, str]:
    """Returns hash and hash type of a file or folder by the rules of the format."""
    if path.is_dir():
        hashes = sorted(content_hash(file)[0] for file in path.rglob("*") if file.is_file())
        joined = b"".join(hashlib.md5(text.encode()).digest() for text in hashes)
        return b64(hashlib.md5(joined).digest()), "md5-d"
    chunk = 50 * 1024 * 1024
    size = path.stat().st_size
    with open(path, "rb") as file:
        if size <= chunk:
            return b64(hashlib.md5(file.read()).digest()), "md5"
        first = hashlib.sha1(file.read(chunk)).digest()
        file.seek(size - chunk)
        return b64(hashlib.sha1(first + hashlib.sha1(file.read(chunk)).digest()).digest()), "sha1-fl"


def registry(name: str) -> Any:
    """Returns the class of a registry, such as `ULabel` or `bionty.CellType`."""
    if name.startswith("bionty."):
        import bionty

        return getattr(bionty, name.removeprefix("bionty."))
    return getattr(ln, name)


def anywhere(name: str, uid: str) -> Any:
    """Returns the one record with this uid on any branch, trash included."""
    model = registry(name)
    places = EVERYWHERE if hasattr(model, "branch") else {}
    return model.filter(uid=uid, **places).one()


def as_artifact(artifact: Any) -> dict[str, Any]:
    """Returns an artifact's row, its place, and whether the bytes there still have its hash."""
    root = Path(artifact.storage.root)
    path = Path(str(artifact.path))
    exists = path.exists()
    return {
        "uid": artifact.uid,
        "key": artifact.key,
        "description": artifact.description,
        "suffix": artifact.suffix,
        "kind": artifact.kind,
        "otype": artifact.otype,
        "hash": artifact.hash,
        "hash_type": artifact._hash_type,
        "size": artifact.size,
        "n_files": artifact.n_files,
        "storage": artifact.storage.uid,
        "path": path.relative_to(root).as_posix(),
        "version": artifact.version,
        "version_tag": artifact.version_tag,
        "is_latest": artifact.is_latest,
        "branch": artifact.branch.name,
        "run": artifact.run.uid if artifact.run else None,
        "complete": artifact._aux in (None, {}),
        "exists": exists,
        "hash_matches": exists and content_hash(path) == (artifact.hash, artifact._hash_type),
    }


def as_collection(collection: Any) -> dict[str, Any]:
    """Returns a collection's row and its artifacts in order."""
    return {
        "uid": collection.uid,
        "key": collection.key,
        "hash": collection.hash,
        "description": collection.description,
        "version": collection.version,
        "is_latest": collection.is_latest,
        "branch": collection.branch.name,
        "artifacts": [artifact.uid for artifact in collection.ordered_artifacts],
        "labels": sorted(collection.ulabels.to_list("name")),
    }


def write(directory: str, name: str, content: str) -> Path:
    """Writes text into a file outside every storage location, so that LaminDB has to copy it."""
    path = Path(directory) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@command
def info() -> dict[str, Any]:
    """Tells which instance is open, and in which release."""
    instance = ln.setup.settings.instance
    return {
        "lamindb": ln.__version__,
        "slug": instance.slug,
        "uid": instance.uid,
        "id": instance._id.hex,
        "storage": instance.storage.root_as_str,
        "modules": sorted(instance.modules),
        "user": ln.setup.settings.user.handle,
    }


@command
def list_artifacts(visible: bool = False) -> list[dict[str, Any]]:
    """Lists artifacts by id: all of them, or only those a user on the main branch sees."""
    places = {} if visible else EVERYWHERE
    return [as_artifact(artifact) for artifact in ln.Artifact.filter(**places).order_by("id")]


@command
def list_collections() -> list[dict[str, Any]]:
    """Lists collections by id, on all branches."""
    return [as_collection(collection) for collection in ln.Collection.filter(**EVERYWHERE).order_by("id")]


@command
def list_labels(field: str = "ulabels") -> dict[str, list[str]]:
    """Lists the names of the labels of each labelled artifact; `field` such as `ulabels` or `cell_types`."""
    found = {}
    for artifact in ln.Artifact.filter(**EVERYWHERE).order_by("id"):
        names = sorted(getattr(artifact, field).to_list("name"))
        if names:
            found[artifact.uid] = names
    return found


@command
def list_branches() -> list[dict[str, Any]]:
    """Lists branches by id."""
    return [{"uid": branch.uid, "name": branch.name} for branch in ln.Branch.filter().order_by("id")]


@command
def list_runs() -> list[dict[str, Any]]:
    """Lists runs by id, with their script, parameters, inputs and outputs."""
    return [
        {
            "uid": run.uid,
            "transform": run.transform.uid,
            "key": run.transform.key,
            "kind": run.transform.kind,
            "source_code": run.transform.source_code,
            "params": run.params,
            "cli_args": run.cli_args,
            "status": run.status,
            "finished": run.finished_at is not None,
            "report": run.report.uid if run.report else None,
            "environment": run.environment.uid if run.environment else None,
            "inputs": sorted(run.input_artifacts.to_list("uid")),
            "outputs": sorted(run.output_artifacts.to_list("uid")),
            "recreated": sorted(run.recreated_artifacts.to_list("uid")),
        }
        for run in ln.Run.filter(**EVERYWHERE).order_by("id")
    ]


@command
def list_calls() -> list[dict[str, Any]]:
    """Lists runs by id, with the function that was called and the run that called it."""
    return [
        {
            "uid": run.uid,
            "entrypoint": run.entrypoint,
            "params": run.params,
            "status": run.status,
            "finished": run.finished_at is not None,
            "parent": run.initiated_by_run.uid if run.initiated_by_run else None,
            "inputs": sorted(run.input_artifacts.to_list("key")),
            "outputs": sorted(run.output_artifacts.to_list("key")),
        }
        for run in ln.Run.filter(**EVERYWHERE).order_by("id")
    ]


@command
def lineage(uid: str) -> list[list[str]]:
    """Lists the edges of the graph around an artifact, by the names of nodes."""
    source = str(anywhere("Artifact", uid).view_lineage(return_graph=True).source)
    edges = {tuple(re.findall(r"(\w+) -> (\w+)", line)) for line in source.splitlines() if " -> " in line}
    return sorted(list(pair) for found in edges for pair in found)


@command
def query(name: str, fields: list[str], lookups: dict[str, Any] | None = None) -> list[list[Any]]:
    """Lists chosen fields of the records of any registry that match lookups, by id; dates become text."""
    return [list(row) for row in registry(name).filter(**(lookups or {})).order_by("id").values_list(*fields)]


@command
def search(name: str, text: str) -> list[str]:
    """Lists the uids LaminDB's own search finds, best first."""
    return list(registry(name).search(text).values_list("uid", flat=True))


@command
def columns(name: str) -> dict[str, Any]:
    """Tells the columns and the length of a registry's data frame."""
    frame = registry(name).to_dataframe(limit=None)
    return {"columns": list(frame.columns), "rows": len(frame)}


@command
def read(uid: str) -> str:
    """Reads the text of an artifact through LaminDB's own cache."""
    return Path(anywhere("Artifact", uid).cache()).read_text()


@command
def describe(uid: str) -> str:
    """Returns the tree LaminDB prints for an artifact."""
    return str(anywhere("Artifact", uid).describe(return_str=True))


@command
def save_file(content: str, key: str | None = None, suffix: str = ".txt", **more: Any) -> dict[str, Any]:
    """Saves text as an artifact; further arguments go to the constructor."""
    name = Path(key).name if key else f"file{suffix}"
    with tempfile.TemporaryDirectory() as directory:
        return as_artifact(ln.Artifact(write(directory, name, content), key=key, **more).save())


@command
def save_folder(files: dict[str, str], key: str, **more: Any) -> dict[str, Any]:
    """Saves texts by relative path as one folder artifact."""
    with tempfile.TemporaryDirectory() as directory:
        for name, content in files.items():
            write(directory, f"folder/{name}", content)
        return as_artifact(ln.Artifact(str(Path(directory) / "folder"), key=key, **more).save())


@command
def save_in_place(path: str, **more: Any) -> dict[str, Any]:
    """Registers a file or folder that already lies in a storage location."""
    return as_artifact(ln.Artifact(path, **more).save())


@command
def save_new_version(uid: str, content: str) -> dict[str, Any]:
    """Saves text as the next version of an artifact."""
    old = anywhere("Artifact", uid)
    with tempfile.TemporaryDirectory() as directory:
        path = write(directory, f"next{old.suffix}", content)
        return as_artifact(ln.Artifact(path, key=old.key, revises=old).save())


@command
def change(name: str, uid: str, values: dict[str, Any]) -> None:
    """Sets attributes of a record and saves it."""
    record = anywhere(name, uid)
    for field, value in values.items():
        setattr(record, field, value)
    record.save()


@command
def delete(uid: str, permanent: bool = False, name: str = "Artifact") -> None:
    """Moves a record to the trash, or removes it and its content."""
    record = anywhere(name, uid)
    if permanent and name == "Artifact":
        record.delete(permanent=True, storage=True)
    else:
        record.delete(permanent=permanent)


@command
def restore(uid: str, name: str = "Artifact") -> None:
    """Takes a record out of the trash."""
    anywhere(name, uid).restore()


@command
def create(name: str, values: dict[str, Any]) -> str:
    """Creates a record of any registry and returns its uid; `type` is given by name."""
    if "type" in values:
        values["type"] = registry(name).get(name=values["type"])
    if "dtype" in values:
        values["dtype"] = {"int": int, "float": float, "str": str, "bool": bool}[values["dtype"]]
    return str(registry(name)(**values).save().uid)


@command
def create_ulabel(label: str, uids: list[str] | None = None, parents: list[str] | None = None) -> str:
    """Creates a label, hangs it below parents given by name, and puts it on artifacts."""
    created = ln.ULabel(name=label).save()
    for parent in parents or []:
        created.parents.add(ln.ULabel.get(name=parent))
    for uid in uids or []:
        anywhere("Artifact", uid).ulabels.add(created)
    return str(created.uid)


@command
def add_label(uid: str, field: str, name: str, label: str) -> None:
    """Puts an existing label of registry `name` on an artifact through one of its fields."""
    getattr(anywhere("Artifact", uid), field).add(registry(name).get(name=label))


@command
def set_features(uid: str, values: dict[str, Any], name: str = "Artifact") -> None:
    """Sets feature values of an artifact or a record."""
    anywhere(name, uid).features.set_values(values)


@command
def add_features(uid: str, values: dict[str, Any], name: str = "Artifact") -> None:
    """Adds feature values to an artifact or a run."""
    anywhere(name, uid).features.add_values(values)


@command
def get_features(uid: str, name: str = "Artifact") -> dict[str, Any]:
    """Returns feature values of an artifact, run or record."""
    return dict(anywhere(name, uid).features.get_values())


@command
def create_collection(uids: list[str], key: str, **more: Any) -> dict[str, Any]:
    """Saves artifacts, in this order, as a collection."""
    return as_collection(ln.Collection([anywhere("Artifact", uid) for uid in uids], key=key, **more).save())


@command
def append_to_collection(uid: str, artifact: str) -> dict[str, Any]:
    """Saves a new version of a collection with one more artifact."""
    return as_collection(anywhere("Collection", uid).append(anywhere("Artifact", artifact)).save())


def run_one(given: dict[str, Any]) -> dict[str, Any]:
    """Runs one command and returns its outcome, whatever happens."""
    arguments = {name: value for name, value in given.items() if name != "do"}
    printed = io.StringIO()
    outcome: dict[str, Any]
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            outcome = {"result": COMMANDS[given["do"]](**arguments)}
        except (Exception, SystemExit) as error:
            outcome = {"error": {"kind": type(error).__name__, "text": str(error)}}
    return outcome | {"printed": printed.getvalue()}


def refuse_names(*_args: Any, **_options: Any) -> Any:
    """Stands in for name resolution: the referee never asks the network."""
    raise OSError("The referee has no network")


if __name__ == "__main__":
    # LaminDB prints on import: the answer gets the real standard output, all else goes to standard error.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    socket.getaddrinfo = refuse_names
    import lamindb as ln

    ln.setup.settings.instance._is_on_hub = False
    json.dump([run_one(given) for given in json.load(sys.stdin)], answer, default=str)
    answer.close()
