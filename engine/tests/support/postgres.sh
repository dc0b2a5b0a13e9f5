#!/usr/bin/env bash
# A private PostgreSQL cluster for tests, in a folder of its own.
#
#   postgres.sh run COMMAND...          starts one, runs the command with HOLOTYPE_TEST_DB set to its URL, removes it
#   postgres.sh run-pooled COMMAND...   does the same, with HOLOTYPE_TEST_POOLER set to the URL of a pgbouncer before it
#   postgres.sh start FOLDER            makes one there unless there is one, starts it and prints its URL
#   postgres.sh stop FOLDER [MODE]      stops it: fast (default), smart, or immediate, which is like a crash
#   postgres.sh pool FOLDER             starts a pgbouncer before it and prints the URL through it; `stop` ends it too
#   postgres.sh unpool FOLDER           ends it alone, which is like a crash
#   postgres.sh create FOLDER NAME      makes a database and prints its URL with the password
#   postgres.sh find                    tells whether server and pgbouncer are installed
#
# The URL leads through a socket in the folder, where whoever may enter it is trusted. The port in FOLDER/port takes
# passwords on 127.0.0.1 (user `tester`, password `t:st@pw`, written t%3Ast%40pw in a URL) and speaks TLS with a
# certificate for `localhost` of the authority FOLDER/authority.crt. Nothing is kept safe from power cuts. The pooler hands
# every transaction to any of three connections to a database.
set -euo pipefail

bin() {
  local dir
  for dir in "${PGBIN:-}" /usr/lib/postgresql/*/bin "$(dirname "$(command -v initdb || echo /none/x)")"; do
    [ -n "$dir" ] && [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ] && { echo "$dir"; return; }
  done
  echo "PostgreSQL's initdb and pg_ctl were not found: install the package postgresql, or name their folder in PGBIN" >&2
  return 1
}

# The server refuses to run as root.
as() {
  if [ "$(id -u)" = 0 ]; then
    local user=postgres
    id -u "$user" >/dev/null 2>&1 || user=nobody
    setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups env HOME=/ "$@"
  else
    "$@"
  fi
}

make() {
  local folder=$1 bin=$2
  mkdir -p "$folder"
  folder=$(cd "$folder" && pwd)
  chmod 700 "$folder"
  echo 't:st@pw' >"$folder/password"
  if [ "$(id -u)" = 0 ]; then
    chown "$(as id -u):$(as id -g)" "$folder" "$folder/password"
  fi
  (cd "$folder" && as "$bin/initdb" --pgdata=data --username=tester --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256 --pwfile=password --no-sync --no-instructions >initdb.log 2>&1) \
    || { cat "$folder/initdb.log" >&2; return 1; }
  if command -v openssl >/dev/null; then
    (cd "$folder" && certify && echo "ssl = on" | as tee -a data/postgresql.conf >/dev/null)
  fi
  as tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
unix_socket_directories = '$folder'
listen_addresses = '127.0.0.1'
max_connections = 200
shared_buffers = 128MB
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
autovacuum = off
logging_collector = off
log_min_messages = fatal
CONF
}

# An authority of our own, and a certificate of it for this machine under the name localhost alone.
certify() {
  as openssl req -new -x509 -days 30 -nodes -subj "/CN=Tests" -out authority.crt -keyout authority.key 2>/dev/null
  as openssl req -new -nodes -subj /CN=localhost -out server.csr -keyout data/server.key 2>/dev/null
  printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' | as tee server.ext >/dev/null
  as openssl x509 -req -days 30 -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial \
    -extfile server.ext -out data/server.crt 2>/dev/null
  as chmod 600 data/server.key
}

start() {
  local folder=$1 bin port
  bin=$(bin)
  [ -f "$folder/data/PG_VERSION" ] || make "$folder" "$bin"
  folder=$(cd "$folder" && pwd)
  if [ ! -f "$folder/port" ]; then
    # One that the system says is free now; another try takes the next when somebody was faster.
    free_port >"$folder/port"
  fi
  port=$(cat "$folder/port")
  (cd "$folder" && as "$bin/pg_ctl" --pgdata=data --log=data/server.log --options="-p $port" --wait --timeout=60 --silent start \
    </dev/null >/dev/null 2>&1) || { tail -5 "$folder/data/server.log" >&2; return 1; }
  echo "postgresql://tester@/postgres?host=$folder&port=$port"
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

pooler() {
  command -v pgbouncer || PATH=/usr/sbin:$PATH command -v pgbouncer || {
    echo "pgbouncer was not found: install the package of that name" >&2
    return 1
  }
}

pool() {
  local folder port
  folder=$(cd "$1" && pwd)
  [ -f "$folder/pooler.port" ] || free_port >"$folder/pooler.port"
  port=$(cat "$folder/pooler.port")
  echo '"tester" ""' | as tee "$folder/pooler.users" >/dev/null
  as tee "$folder/pooler.ini" >/dev/null <<CONF
[databases]
* = host=$folder port=$(cat "$folder/port")
[pgbouncer]
unix_socket_dir = $folder
listen_port = $port
auth_type = trust
auth_file = $folder/pooler.users
pool_mode = transaction
default_pool_size = 3
max_client_conn = 1000
server_idle_timeout = 5
logfile = $folder/pooler.log
pidfile = $folder/pooler.pid
CONF
  as "$(pooler)" --quiet --daemon "$folder/pooler.ini" || { tail -5 "$folder/pooler.log" >&2; return 1; }
  # It listens a moment after it has gone to the background.
  for _ in $(seq 200); do
    [ -S "$folder/.s.PGSQL.$port" ] && [ -s "$folder/pooler.pid" ] && break
    sleep 0.05
  done
  echo "postgresql://tester@/postgres?host=$folder&port=$port"
}

unpool() {
  local pid
  [ -f "$1/pooler.pid" ] || return 0
  pid=$(cat "$1/pooler.pid")
  kill -9 "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  rm -f "$1/pooler.pid" "$1/.s.PGSQL.$(cat "$1/pooler.port")"
}

stop() {
  local folder=$1 mode=${2:-fast} bin
  bin=$(bin)
  unpool "$folder"
  (cd "$folder" && as "$bin/pg_ctl" --pgdata=data --wait --silent --mode="$mode" stop)
}

create() {
  local folder port
  folder=$(cd "$1" && pwd)
  port=$(cat "$folder/port")
  "$(bin)/createdb" --host="$folder" --port="$port" --username=tester --template=template0 "$2"
  echo "postgresql://tester:t%3Ast%40pw@127.0.0.1:$port/$2"
}

run() {
  local pooled=$1 folder place=${TMPDIR:-/tmp} status=0
  # Memory is several times faster than a disk where databases are made by the hundred.
  if [ -w /dev/shm ] && [ "$(df --output=avail -m /dev/shm | tail -1)" -gt 4000 ]; then place=/dev/shm; fi
  folder=$(mktemp -d "$place/holotype-pg.XXXXXX")
  trap 'stop "$folder" immediate || true; rm -rf "$folder"' EXIT
  HOLOTYPE_TEST_DB=$(start "$folder")
  export HOLOTYPE_TEST_DB HOLOTYPE_TEST_CLUSTER=$folder
  if [ "$pooled" = pooled ]; then
    HOLOTYPE_TEST_POOLER=$(pool "$folder")
    export HOLOTYPE_TEST_POOLER
  fi
  shift
  "$@" || status=$?
  exit "$status"
}

case "${1:-}" in
  run) shift; run plain "$@" ;;
  run-pooled) shift; run pooled "$@" ;;
  start) start "$2" ;;
  stop) stop "$2" "${3:-fast}" ;;
  pool) pool "$2" ;;
  unpool) unpool "$2" ;;
  create) create "$2" "$3" ;;
  find) bin >/dev/null && pooler >/dev/null ;;
  *) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
