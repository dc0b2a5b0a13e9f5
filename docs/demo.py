"""An analysis as a scientist would write it: read registered data, save a result, see where it came from."""

import pandas as pd

import holotype as ln

ln.track()  # what follows belongs to a run of this script

plates = ln.Artifact.filter(key__startswith="screen/plate", ulabels__name="pilot").order_by("key")
print("\nThe labelled plates, as a data frame:")
print(plates.to_dataframe()[["uid", "key", "size"]])

print("\nThe two versions of plate 1:")
for version in ln.Artifact.get(key="screen/plate1.csv").versions.order_by("uid"):
    print(" ", version.uid, len(version.load()), "rows", "(latest)" if version.is_latest else "")

print("\nA collection, loaded as one table:")
collection = ln.Collection(list(plates), key="screen/pilot").save()
wells = collection.load()
print(wells)

print("\nThe result, saved as an artifact:")
means = pd.DataFrame(wells.groupby("well")["signal"].mean()).reset_index()
means.to_csv("means.csv", index=False)
result = ln.Artifact("means.csv", key="screen/means.csv", description="mean signal of each well").save()
result.ulabels.add(ln.ULabel.get(name="pilot"))
result.describe()

print("\nWhere it came from:")
run = result.run
print("  script:     ", run.transform.key)
print("  read:       ", sorted(artifact.key for artifact in run.input_artifacts.all()))
print("  wrote:      ", sorted(artifact.key for artifact in run.output_artifacts.all() if artifact.key))

ln.finish()
