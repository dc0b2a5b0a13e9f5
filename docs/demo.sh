#!/usr/bin/env bash
# Plays the main job in a scratch folder and shows it: docs/demo.sh FOLDER_OF_THE_COMMAND
set -euo pipefail

commands=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/holotype-demo.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# The demo neither reads nor changes the settings of whoever runs it.
for name in ${!LAMIN@} ${!HOLOTYPE@}; do unset "$name"; done
export PATH="$commands:$PATH" LAMIN_SETTINGS_DIR="$scratch/home" LAMIN_CACHE_DIR="$scratch/cache"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '\n$ %s\n' "$*"; "$@"; }

say "1. An instance: a database and a folder, bound to this directory"
run holotype init --storage ./atlas

say "2. Files and a folder"
mkdir -p screen/images
printf 'well,signal\nA1,1.5\nA2,2.5\n' > screen/plate1.csv
printf 'well,signal\nA1,3.0\nA2,5.0\n' > screen/plate2.csv
for well in A1 A2 A3; do printf 'pixels of %s\n' "$well" > "screen/images/$well.txt"; done
run holotype save screen/plate1.csv --key screen/plate1.csv --description "first plate"
run holotype save screen/plate2.csv --key screen/plate2.csv
run holotype save screen/images --key screen/images

say "3. New content under a known key: a second version"
printf 'A3,4.5\n' >> screen/plate1.csv
run holotype save screen/plate1.csv --key screen/plate1.csv

say "4. Labels, and a query as a table"
run holotype create ulabel pilot
run holotype annotate --key screen/plate1.csv --ulabel pilot
run holotype annotate --key screen/plate2.csv --ulabel pilot
run holotype list artifact --filter ulabels__name=pilot --columns uid,key,size,created_at

say "5. An analysis in Python, tracked as a run"
cp "$here/demo.py" analysis.py
run python analysis.py

say "6. What the registry knows about the result"
run holotype describe --key screen/means.csv
run holotype load --key screen/means.csv
run holotype list run --columns uid,transform__key,started_at,finished_at

say "The folder that held all this is removed now. README.md has the next steps."
