# Every command that a person runs. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Nothing is written outside build/ and .venv/: every tool's cache and settings are sent there.
export XDG_CACHE_HOME := $(CURDIR)/$(VENV)/cache
export PIP_CACHE_DIR := $(CURDIR)/$(VENV)/cache/pip
export PYTHONDONTWRITEBYTECODE := 1
export JUPYTER_CONFIG_DIR := $(CURDIR)/build/jupyter/config
export JUPYTER_DATA_DIR := $(CURDIR)/build/jupyter/data
export JUPYTER_RUNTIME_DIR := $(CURDIR)/build/jupyter/runtime
export JUPYTERLAB_WORKSPACES_DIR := $(CURDIR)/build/jupyter/workspaces
export JUPYTERLAB_SETTINGS_DIR := $(CURDIR)/build/jupyter/settings
export JUPYTER_PREFER_ENV_PATH := 1
export IPYTHONDIR := $(CURDIR)/build/ipython
export MPLCONFIGDIR := $(CURDIR)/build/cache/matplotlib
export TORCHINDUCTOR_CACHE_DIR := $(CURDIR)/build/cache/inductor
export DASK_CONFIG := $(CURDIR)/build/dask
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/build/cache/hypothesis

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1@\2/p' Makefile | column -t -s@
	@echo
	@echo '  Parameters go behind a target: make book BUDGET=1 SHAPE=8,64,32,32 THREADS=2'

.PHONY: book
book: $(VENV)/installed ## execute what changed and build the book: build/html/index.html
	@STARTED_BY=$$PPID exec $(BIN)/python -m pipeline book

.PHONY: rerun
rerun: $(VENV)/installed ## execute one notebook again: make rerun NOTEBOOK=04_eager_cost
	@STARTED_BY=$$PPID exec $(BIN)/python -m pipeline rerun

.PHONY: compare
compare: $(VENV)/installed ## two runs side by side: make compare BASE=book.zip HEAD=build
	@$(BIN)/python -m pipeline compare

.PHONY: sweep
sweep: $(VENV)/installed ## measure a grid of settings: make sweep SPEC=sweeps/example.toml
	@STARTED_BY=$$PPID exec $(BIN)/python -m pipeline sweep

.PHONY: gpu
gpu: $(VENV)/installed ## measure on this machine's GPU: make gpu DEVICE=cuda, or xpu, or mps
	@STARTED_BY=$$PPID exec $(BIN)/python -m pipeline gpu

.PHONY: record
record: $(VENV)/installed ## keep what make gpu measured, under results; make gpu record does both
	@$(BIN)/python -m pipeline record

.PHONY: seal
seal: $(VENV)/installed ## check and seal what was recorded on a machine: MACHINE=epyc-2-cores
	@$(BIN)/python -m pipeline seal

.PHONY: fix
fix: $(VENV)/installed ## a code base without its needless expansions: SRC=path shows it, APPLY=1 writes it
	@$(BIN)/python -m pipeline.fix

.PHONY: wild
wild: $(VENV)/installed ## what the fix finds in released packages, and patches; PIN=timm==1.0.31 shows an entry
	@$(BIN)/python -m pipeline.wild

.PHONY: test
test: $(VENV)/installed ## run the whole test suite
	@$(BIN)/python -m pytest

.PHONY: kills
kills: $(VENV)/installed ## kill a small build at a hundred random moments; KILL_SEED= repeats them
	@KILLS=$${KILLS:-100} $(BIN)/python -m pytest -s tests/test_kills.py

.PHONY: lint
lint: $(VENV)/installed ## check style and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary investigation pipeline benchmarks
	@found=$$($(BIN)/zizmor --quiet --offline --pedantic .github/workflows) || { echo "$$found"; exit 1; }
	@$(BIN)/actionlint .github/workflows/*.yml

.PHONY: audit
audit: $(VENV)/installed ## look the requirements up among known vulnerabilities
	@$(BIN)/python -m pipeline audit

.PHONY: lab
lab: $(VENV)/installed ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: serve
serve: $(VENV)/installed ## serve the built book on this machine: PORT=8000
	@STARTED_BY=$$PPID exec $(BIN)/python -m pipeline serve

.PHONY: lock
lock: $(VENV)/installed ## resolve requirements.txt anew into requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
	  --output-file build/requirements.resolved requirements.txt >/dev/null
	@grep -vE '^(nvidia-|cuda-)' build/requirements.resolved > requirements.lock

.PHONY: clean
clean: ## remove what was built; .venv stays
	@rm -rf build

$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'error: $(PYTHON) is too old; allowed is Python 3.11 or newer' >&2; exit 1; }
	@echo 'installing into $(VENV) (once; some minutes)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "investigation.pth").write_text("$(CURDIR)\n", encoding="utf-8")'
	@touch $@
