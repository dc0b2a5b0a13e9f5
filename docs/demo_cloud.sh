#!/usr/bin/env bash
# Starts an object store on this machine and keeps an instance in it: docs/demo_cloud.sh FOLDER_OF_THE_COMMANDS
set -euo pipefail

commands=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/holotype-demo.XXXXXX")
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$scratch"' EXIT
cd "$scratch"

# The demo neither reads nor changes the settings and keys of whoever runs it.
for name in ${!LAMIN@} ${!HOLOTYPE@} ${!AWS@}; do unset "$name"; done
export PATH="$commands:$PATH" LAMIN_SETTINGS_DIR="$scratch/home" LAMIN_CACHE_DIR="$scratch/cache"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '\n$ %s\n' "$*"; "$@"; }

say "0. A server that answers like S3, and a bucket"
port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
moto_server -H 127.0.0.1 -p "$port" > server.log 2>&1 &
server=$!
export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo
curl --silent --retry 50 --retry-delay 1 --retry-connrefused --output /dev/null --request PUT "$AWS_ENDPOINT_URL/team"
echo "$AWS_ENDPOINT_URL has the bucket 'team'"

say "1. An instance whose database and content lie in the bucket"
run holotype init --storage s3://team/atlas

say "2. New artifacts stay on a drive of this machine"
run holotype settings keep-artifacts-local on
run holotype storage create ./drive --host "$(hostname)"
printf 'well,signal\nA1,1.5\nA2,2.5\n' > plate1.csv
printf 'well,signal\nA1,3.0\nA2,5.0\n' > plate2.csv
run holotype save plate1.csv --key screen/plate1.csv

say "3. What others shall see goes to the bucket"
run holotype save plate1.csv --key screen/plate1.csv --upload
run holotype save plate2.csv --key screen/plate2.csv --upload
run holotype list artifact --columns uid,key,storage__root

say "4. In Python: the bucket, and a table read from it part by part"
cp "$here/demo_cloud.py" analysis.py
run python analysis.py

say "5. The lock is given back: somebody else may work with the instance now"
run holotype disconnect

say "Server and folder are gone now. README.md has the next steps."
