"""Fills the fresh instance; runs inside LaminDB 2.12.1, started by `../make.py`."""

import datetime
from pathlib import Path

import bionty as bt
import lamindb as ln
import pandas as pd

ln.setup.settings.instance._is_on_hub = False

root = Path("../root").resolve()


def write(path, text):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# Virtual keys: with, without, three versions, a version tag, a longer suffix, an unlisted suffix, no content.
plain = ln.Artifact(
    write("plain.txt", "plain content\n"), key="raw/plain.txt", description="A plain file"
).save()
nokey = ln.Artifact(write("nokey.txt", "no key\n"), description="Without key").save()
v1 = ln.Artifact(write("counts.csv", "cell,count\na,1\n"), key="raw/counts.csv", description="Counts").save()
v2 = ln.Artifact(write("counts.csv", "cell,count\na,1\nb,2\n"), key="raw/counts.csv").save()
v3 = ln.Artifact(
    write("counts.csv", "cell,count\na,1\nb,2\nc,3\n"), key="raw/counts.csv", revises=v2, version_tag="1.0"
).save()
packed = ln.Artifact(write("reads.fastq.gz", "not really packed\n"), key="raw/reads.fastq.gz").save()
odd = ln.Artifact(write("reads.bam.bai", "index\n"), key="raw/reads.bam.bai").save()
empty = ln.Artifact(write("empty.txt", ""), key="raw/empty.txt").save()
umlaut = ln.Artifact(
    write("gr\u00fc\u00dfe \u96ea.txt", "gr\u00fc\u00dfe\n"), key="raw/gr\u00fc\u00dfe \u96ea.txt"
).save()
table = ln.Artifact.from_dataframe(
    pd.DataFrame({"cell": ["a", "b"], "count": [1, 2]}), key="tables/small.parquet", description="A table"
).save()

# Real keys, in two ways; files registered where they lie, with their own and with another key.
real = ln.Artifact(write("real.txt", "real key\n"), key="real/one.txt", key_is_virtual=False).save()
ln.settings.creation._artifact_use_virtual_keys = False
real_default = ln.Artifact(write("real2.txt", "real key by setting\n"), key="real/two.txt").save()
ln.settings.creation._artifact_use_virtual_keys = True
inplace = ln.Artifact(write(root / "inplace/notes.txt", "registered in place\n")).save()
inplace_renamed = ln.Artifact(
    write(root / "inplace/old name.txt", "registered in place under another key\n"), key="renamed/new.txt"
).save()

# Folders: copied, in place, and a folder's files one by one.
for name in ("barcodes.tsv", "features.tsv", "sub/matrix.mtx"):
    write(Path("folder") / name, f"{name}\n")
    write(root / "inplace_folder" / name, f"in place {name}\n")
folder = ln.Artifact("folder", key="runs/folder", description="A folder").save()
folder_inplace = ln.Artifact(root / "inplace_folder").save()
for i in range(3):
    write(root / f"batch/part{i}.txt", f"part {i}\n")
batch = ln.Artifact.from_dir(root / "batch")
ln.save(batch)

# A second storage location of the same instance.
second = ln.Storage(root="../second").save()
elsewhere = ln.Artifact(
    write("elsewhere.txt", "in the second storage\n"), key="elsewhere.txt", storage=second
).save()

# Labels: a type with members, parents, labels on artifacts, one in the trash.
fruit = ln.ULabel(name="Fruit", is_type=True).save()
apple = ln.ULabel(name="apple", type=fruit, description="Round").save()
pear = ln.ULabel(name="pear", type=fruit).save()
food = ln.ULabel(name="food").save()
data = ln.ULabel(name="data").save()
apple.parents.add(food)
pear.parents.add(food)
data.description = "Saved twice"
data.save()
for artifact in (plain, v3, folder):
    artifact.ulabels.add(data)
plain.ulabels.add(apple)
ln.ULabel(name="discarded").save().delete()

# Features of every simple kind, a categorical one, a schema, values on an artifact and on a record.
depth = ln.Feature(name="depth", dtype=int).save()
ph = ln.Feature(name="ph", dtype=float).save()
note = ln.Feature(name="note", dtype=str).save()
passed = ln.Feature(name="passed", dtype=bool).save()
taken = ln.Feature(name="taken", dtype=datetime.date).save()
config = ln.Feature(name="config", dtype=dict).save()
kind_of_fruit = ln.Feature(name="fruit", dtype=ln.ULabel).save()
schema = ln.Schema(name="Sample sheet", features=[depth, ph]).save()
plain.features.set_values(
    {
        "depth": 3,
        "ph": 7.4,
        "note": "gr\u00fcn",
        "passed": True,
        "taken": datetime.date(2024, 1, 2),
        "config": {"b": [1, 2.5, None], "a": "x"},
        "fruit": "pear",
    }
)
samples = ln.Record(name="Samples", is_type=True).save()
sample = ln.Record(name="sample 1", type=samples).save()
sample.features.set_values({"depth": 5, "note": "first", "fruit": "apple"})
v3.records.add(sample)

# Projects, references, ontology terms made by hand.
project = ln.Project(name="Atlas").save()
reference = ln.Reference(name="The atlas paper", doi="10.1000/xyz").save()
plain.projects.add(project)
plain.references.add(reference)
cell = bt.CellType(name="my own cell").save()
tcell = bt.CellType(name="my T cell", ontology_id="CL:0000084", source=None).save()
tcell.parents.add(cell)
plain.cell_types.add(cell)

# A collection in two versions.
collection = ln.Collection([v3, plain, nokey], key="sets/main", description="First set").save()
collection.ulabels.add(data)
collection.append(folder).save()

# Trash, archive, another branch with a new artifact and a new version.
ln.Artifact(write("trash.txt", "to the trash\n"), key="raw/trash.txt").save().delete()
archived = ln.Artifact(write("old.txt", "to the archive\n"), key="raw/old.txt").save()
archived.branch_id = 0
archived.save()
branch = ln.Branch(name="feat", description="A branch").save()
ln.Artifact(write("feat.txt", "only on the branch\n"), key="feat/feat.txt", branch=branch).save()
ln.Artifact(
    write("plain.txt", "plain content, second\n"), key="raw/plain.txt", revises=plain, branch=branch
).save()
