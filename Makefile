# make run   set up, then the demo with its live view; ARGS="..." adds flags
# make test  set up, then the whole suite
# make auxiliary  what the auxiliary strategies compute with
# make parquet  what reading and writing tapes in Parquet needs besides
# make site    builds the documentation into site/, what that needs included
# make search, make cluster   what `python main.py sweep` needs, alone or with a Dask cluster
# Needs only python3.11 (or newer) and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --no-compile --no-deps --require-hashes

# What `make test` simulates, and for how many hours; `python main.py simulate --seeds 0:2000` plays whole days.
SEEDS ?= 0:300
HOURS ?= 1

# uv is quick but reads no pip settings: where it cannot be had or reach its registry, pip installs.
UV_HOME := $(VENV)/.uv
UV := $(or $(shell command -v uv),$(UV_HOME)/bin/uv)
GET_UV := [ -x $(UV) ] || $(PIP) --target $(UV_HOME) --requirement requirements/uv.txt || \
	echo "no uv: pip installs, which takes a little longer"
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --overrides requirements/overrides.in

.PHONY: setup setup-dev auxiliary parquet search cluster run test docs site requirements clean
.DEFAULT_GOAL := setup

setup: $(VENV)/.runtime
setup-dev: $(VENV)/.dev
auxiliary: $(VENV)/.runtime $(VENV)/.auxiliary
parquet: $(VENV)/.runtime $(VENV)/.parquet
search: $(VENV)/.runtime $(VENV)/.search
cluster: $(VENV)/.runtime $(VENV)/.cluster

run: setup
	@exec $(BIN)/python main.py run $(ARGS)

test: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n 2
	$(BIN)/python main.py simulate --seeds $(SEEDS) --until $(HOURS) --json

docs: setup
	$(BIN)/python -m scripts.config_reference
	$(BIN)/python -m scripts.api_examples
	$(BIN)/python -m scripts.api_reference
	$(BIN)/python -m scripts.metrics_reference
	$(BIN)/python -m scripts.page_words
	$(BIN)/python scripts/state_diagram.py
	$(BIN)/python -m scripts.fault_table
	$(BIN)/python -m scripts.doc_pictures

# The documentation as pages to look at: site/index.html; strict, so a broken link fails.
site: $(VENV)/.runtime $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# After a change of pyproject.toml; UPGRADE=--upgrade takes the newest versions.
requirements: $(BIN)/python
	@$(GET_UV)
	$(COMPILE) $(UPGRADE) --output-file requirements/runtime.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --constraint requirements/runtime.txt --group search --output-file requirements/search.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --constraint requirements/search.txt --group cluster --output-file requirements/cluster.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --constraint requirements/cluster.txt --group docs --output-file requirements/docs.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --constraint requirements/docs.txt --group dev --output-file requirements/dev.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --constraint requirements/dev.txt --group auxiliary --output-file requirements/auxiliary.txt
	$(COMPILE) $(UPGRADE) --constraint requirements/dev.txt --group parquet --output-file requirements/parquet.txt
	echo uv | $(COMPILE) $(UPGRADE) --output-file requirements/uv.txt -

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "the venv module is missing: python3-venv on Debian"; exit 2; }

$(VENV)/.runtime $(VENV)/.auxiliary $(VENV)/.parquet $(VENV)/.search $(VENV)/.cluster $(VENV)/.docs $(VENV)/.dev: $(VENV)/.%: requirements/%.txt | $(BIN)/python
	@echo "installing $<"
	@$(GET_UV)
	@$(UV) pip install --quiet --no-deps --python $(BIN)/python --require-hashes --requirement $< || \
		$(PIP) --requirement $<
	@rm -rf $(UV_HOME)
	@touch $@
