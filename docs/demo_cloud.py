"""Looks at an instance in a bucket: what lies there, and a table that is read where it lies."""

import shutil

import holotype as ln

ln.settings.storage.root.view_tree()

plate = ln.Artifact.get(key="screen/plate1.csv")
print("\nplate 1 is", repr(plate.path))

shutil.rmtree(ln.settings.cache_dir / "team" / "atlas" / "screen")
print("without a copy in the cache, the table is read from the bucket:")
print(plate.open().to_table().to_pandas())
