"""A tracked script: reads one artifact, writes one; run twice by `../make.py`."""

from pathlib import Path

import lamindb as ln

ln.setup.settings.instance._is_on_hub = False

ln.track(params={"rate": 0.1, "epochs": 3, "name": "gr\u00fcn", "token": "abc", "absent": None})
text = ln.Artifact.get(key="raw/counts.csv").cache().read_text()
Path("result.txt").write_text(f"{len(text.splitlines())} lines\n")
ln.Artifact("result.txt", key="results/result.txt", description="Made by a run").save()
print("done")
ln.finish()
