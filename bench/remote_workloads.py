"""What both sides are asked to do with buckets and servers.

The source of each is the root of a storage location in a bucket, which names its server.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from workloads import Scene, workload


def settle(scene: Scene) -> None:
    """Makes the bucket the place of new content."""
    scene.ln.Storage(root=scene.source).save()
    scene.ln.settings.storage = scene.source
    # The first save of a process connects; LaminDB's also looks in vain for a service on the network.
    Path("first.txt").write_text(f"first of {scene.seed}\n")
    scene.ln.Artifact("first.txt", key="first.txt").save()


def empty_cache() -> None:
    """Forgets whatever an upload may have left in the cache."""
    shutil.rmtree(os.environ["LAMIN_CACHE_DIR"], ignore_errors=True)


@workload
def bucket_files(scene: Scene) -> Any:
    """Saves small files to a bucket, fetches them into an empty cache, each and all, and asks for each."""
    settle(scene)
    folder = Path(f"large-{scene.seed}")
    folder.mkdir()
    for at in range(scene.size):
        (folder / f"{at:06}.bin").write_bytes(os.urandom(65_536))
    with scene.clock("upload"):
        scene.ln.save(scene.ln.Artifact.from_dir(str(folder), key="many"))
    artifacts = list(scene.ln.Artifact.filter(key__startswith="many/"))
    empty_cache()
    size = 0
    with scene.clock("cache"):
        for artifact in artifacts:
            size += Path(artifact.cache()).stat().st_size
    collection = scene.ln.Collection(artifacts, key="many").save()
    empty_cache()
    with scene.clock("set"):
        collection.cache()
    for artifact in artifacts:
        with scene.clock("again"):
            artifact.cache()
    return len(artifacts), size


@workload
def bucket_big_file(scene: Scene) -> Any:
    """Saves a large file to a bucket and fetches it into an empty cache."""
    settle(scene)
    # Equal content would be one artifact, whose upload is left out.
    path = Path("big.bin")
    with path.open("wb") as file:
        for _ in range(scene.size):
            file.write(os.urandom(1_000_000))
        os.fsync(file.fileno())
    artifact = scene.ln.Artifact(str(path), key="big.bin")
    with scene.clock("upload"):
        artifact.save()
    empty_cache()
    with scene.clock("cache"):
        cached = Path(artifact.cache())
    same = cached.read_bytes() == path.read_bytes()
    path.unlink()
    empty_cache()
    return same, artifact.size


@workload
def bucket_prefix(scene: Scene) -> Any:
    """Registers a prefix with many objects where it lies, as one artifact."""
    bucket, _, endpoint = scene.source.partition("?")
    settle(scene)
    with scene.clock():
        artifact = scene.ln.Artifact(f"{bucket}/raw?{endpoint}").save()
    return artifact.n_files, artifact.size, artifact.hash


@workload
def label_saves(scene: Scene) -> Any:
    """Saves labels one by one."""
    with scene.clock():
        for at in range(scene.size):
            scene.ln.ULabel(name=f"label {at} of {scene.seed}").save()
    return scene.ln.ULabel.filter(name__endswith=f" of {scene.seed}").count()
