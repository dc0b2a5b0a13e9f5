"""Fills the fresh instance; runs inside LaminDB 0.77.3, started by `../make.py`."""

from pathlib import Path

import lamindb as ln

root = Path("../root").resolve()


def write(path, text):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


v1 = ln.Artifact(write("counts.csv", "cell,count\na,1\n"), key="raw/counts.csv", description="Counts").save()
v2 = ln.Artifact(write("counts.csv", "cell,count\na,1\nb,2\n"), key="raw/counts.csv").save()
nokey = ln.Artifact(write("nokey.txt", "no key\n"), description="Without key").save()
odd = ln.Artifact(write("reads.bam.bai", "index\n"), key="raw/reads.bam.bai").save()
inplace = ln.Artifact(write(root / "inplace/notes.txt", "registered in place\n")).save()
ln.settings.creation._artifact_use_virtual_keys = False
real = ln.Artifact(write("real.txt", "real key\n"), key="real/one.txt").save()
ln.settings.creation._artifact_use_virtual_keys = True
for name in ("barcodes.tsv", "sub/matrix.mtx"):
    write(Path("folder") / name, f"{name}\n")
folder = ln.Artifact("folder", key="runs/folder").save()
data = ln.ULabel(name="data").save()
v2.ulabels.add(data)
ln.Collection([v2, nokey], name="Main set").save()
ln.Artifact(write("trash.txt", "to the trash\n"), key="raw/trash.txt").save().delete(permanent=False)
