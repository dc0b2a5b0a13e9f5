# Every step installs what it needs into $(VENV) and $(TOOLS); nothing outside this folder is changed.
#
#   make demo       build everything, then play the main job in a scratch folder
#   make demo-cloud the same with an instance in a bucket, on a server that is started for it
#   make test       all tests: Rust on SQLite and PostgreSQL, Python, notebooks, the real LaminDB as referee
#   make lint       everything a machine can check without running the program
#   make docs       the Rust and Python reference, in docs/reference/
#   make develop    an editable installation for work on the Python package
#   make wheel      the wheel, in dist/
#   make bench      compare with LaminDB; writes bench/RESULTS.md
#   make clean      remove what the targets above made
#
# Variables: PYTHON (interpreter for the environments, default python3), VENV, TOOLS, DIST, CARGO, PYTEST_ARGS and
# BENCH_ARGS, such as make test-python PYTEST_ARGS='-k folder -x'.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV   ?= .venv
TOOLS  ?= .tools
DIST   ?= dist
CARGO  ?= cargo
PYTEST_ARGS ?=
BENCH_ARGS ?=

BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

DENY_VERSION := 0.20.2
S3S_VERSION  := 0.14.1
# The newest that runs on Node 20.
AZURITE_VERSION := 3.35.0

# What the wheel is made of.
SOURCES := $(shell find engine cli python/src python/holotype python/snakemake_logger_plugin_holotype \
	python/Cargo.toml python/build_backend.py Cargo.toml Cargo.lock pyproject.toml -type f \
	-not -path '*/tests/*' -not -path '*/__pycache__/*' -not -name '*.so')
COMPAT  := $(shell find compat -type f -not -path '*/build/*' -not -path '*.egg-info/*' -not -path '*/__pycache__/*')

.PHONY: help demo demo-cloud servers test test-rust test-postgres test-python test-stubs lint lint-rust lint-deny lint-rustdoc lint-python docs docs-rust \
	docs-python develop wheel bench clean

help:
	@sed -n '3,14s/^# \{0,1\}//p' Makefile

# --- environments -----------------------------------------------------------------------------------------------------

# Debian keeps ensurepip in a package of its own: without it, the system's pip fills the environment.
$(STAMPS)/venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: set PYTHON")'
	$(PYTHON) -m venv $(VENV) 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip $(VENV) \
		&& $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	$(PIP) install --upgrade 'pip>=23.1'
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/lint: python/requirements/lint.txt $(STAMPS)/venv
	$(PIP) install -r $<
	touch $@

$(STAMPS)/test: python/requirements/test.txt $(STAMPS)/venv
	$(PIP) install -r $<
	touch $@

$(STAMPS)/docs: python/requirements/docs.txt $(STAMPS)/venv
	$(PIP) install -r $<
	touch $@

$(STAMPS)/servers: python/requirements/servers.txt $(STAMPS)/venv
	$(PIP) install -r $<
	touch $@

$(TOOLS)/bin/s3s-fs:
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
		$(CARGO) install --locked --quiet s3s-fs --version $(S3S_VERSION) --features binary --root $(TOOLS)

$(TOOLS)/bin/azurite-blob:
	npm install --prefix $(TOOLS)/azurite --no-audit --no-fund --loglevel=error azurite@$(AZURITE_VERSION)
	mkdir -p $(TOOLS)/bin && ln -sf ../azurite/node_modules/.bin/azurite-blob $@

$(TOOLS)/bin/cargo-deny:
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
		$(CARGO) install --locked --quiet cargo-deny --version $(DENY_VERSION) --root $(TOOLS)

# --- the wheel --------------------------------------------------------------------------------------------------------

wheel: $(STAMPS)/wheel

$(STAMPS)/wheel: $(SOURCES) $(STAMPS)/venv
	rm -rf $(DIST)
	$(PIP) wheel --no-deps --wheel-dir $(DIST) .
	touch $@

$(STAMPS)/installed: $(STAMPS)/wheel
	$(PIP) install --force-reinstall --no-deps $(DIST)/holotype-*.whl
	$(PIP) install "$$(echo $(DIST)/holotype-*.whl)[pandas]"
	touch $@

# LaminDB's names for the tests of notebooks that use them.
$(STAMPS)/compat: $(COMPAT) $(STAMPS)/installed
	$(PIP) install --force-reinstall --no-deps ./compat/lamindb
	touch $@

demo: $(STAMPS)/installed
	docs/demo.sh $(BIN)

demo-cloud: $(STAMPS)/installed $(STAMPS)/servers
	$(PIP) install "$$(echo $(DIST)/holotype-*.whl)[pandas,arrow,s3]"
	docs/demo_cloud.sh $(BIN)

# Works on the sources themselves: Python files take effect at once, Rust files after another `make develop`.
develop: $(STAMPS)/test
	$(PIP) install --editable .
	rm -f $(STAMPS)/installed

# --- tests ------------------------------------------------------------------------------------------------------------

test: test-rust test-postgres test-python

test-rust: servers
	MOTO_SERVER='$(abspath $(BIN))/moto_server' S3S_FS='$(abspath $(TOOLS))/bin/s3s-fs' \
		AZURITE='$(abspath $(TOOLS))/bin/azurite-blob' $(CARGO) test --workspace --locked

# The engine's behaviour once more, each test on a database of its own of one private PostgreSQL cluster. Chosen from the
# workspace: for one package alone cargo would build the dependencies again, with fewer features.
POSTGRES_TESTS := artifact care collection command curate describe diff features history holder hostile keep_local kill lineage property race storage switch testing track

# Some of them a third time, through pgbouncer, which gives every transaction any of three connections.
POOLED_TESTS := artifact collection track

test-postgres:
	engine/tests/support/postgres.sh run \
		$(CARGO) test --workspace --locked --no-fail-fast $(addprefix --test ,$(POSTGRES_TESTS))
	engine/tests/support/postgres.sh run-pooled \
		$(CARGO) test --workspace --locked --no-fail-fast $(addprefix --test ,$(POOLED_TESTS))

# Object stores for the tests, which start and end them: for S3 one with its semantics and one that checks signatures, and
# Microsoft's emulator of Azure, for which Node and npm are needed.
servers: $(STAMPS)/servers $(TOOLS)/bin/s3s-fs $(TOOLS)/bin/azurite-blob

# A failing network shows as a failing test, never as a skipped one: the referee is installed from the package index.
test-python: $(STAMPS)/installed $(STAMPS)/compat $(STAMPS)/test servers
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest python/tests $(PYTEST_ARGS)

bench: $(STAMPS)/installed servers
	$(BIN)/python bench/run.py $(BENCH_ARGS)

# --- checks -----------------------------------------------------------------------------------------------------------

lint: lint-rust lint-deny lint-rustdoc lint-python

lint-rust:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

# Advisories are left to `cargo deny check advisories`: their database lives on a host that may be out of reach.
lint-deny: $(TOOLS)/bin/cargo-deny
	$(CARGO) fetch --locked --quiet
	$(TOOLS)/bin/cargo-deny --locked --offline check --hide-inclusion-graph bans licenses sources

lint-rustdoc:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked --quiet

lint-python: $(STAMPS)/lint $(STAMPS)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python python/tools/stubs.py --check

# --- reference --------------------------------------------------------------------------------------------------------

docs: docs-rust docs-python

docs-rust:
	$(CARGO) doc --workspace --no-deps --locked --quiet
	mkdir -p docs/reference && rm -rf docs/reference/rust
	cp -r "$$($(CARGO) metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/doc" docs/reference/rust

docs-python: $(STAMPS)/installed $(STAMPS)/docs
	rm -rf docs/reference/python
	$(BIN)/python docs/reference.py docs/reference/python

clean:
	$(CARGO) clean
	rm -rf $(VENV) $(TOOLS) $(DIST) docs/reference compat/lamindb/build .venv-lamindb python/holotype.data
