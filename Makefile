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
export UV_CACHE_DIR := $(CURDIR)/$(VENV)/cache/uv
# What is loaded is compiled once, when it is; compiling all that is installed takes as long as
# installing it.
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/cache/bytecode
export PYTHONDONTWRITEBYTECODE :=
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

# Before what takes a standard input for granted: a background job may have none.
WITH_STDIN := { : 3<&0; } 2>/dev/null || exec </dev/null;

# Each is a function of pipeline/cli/commands.py, whose text begins with its help.
COMMANDS := book rerun compare sweep versions gpu record seal fix audit pdf serve

.PHONY: help
help: ## List the targets
	@{ sed -nE '/^def ([a-z]+)\W.*/{s//  make \1@/; N; s/\n *"""(.*)\.(""")?$$/\1/p}' pipeline/cli/commands.py; \
	  sed -nE 's/^([a-z-]+):.*## (.*)/  make \1@\2/p' Makefile; } | column -t -s@
	@echo
	@echo '  Variables go behind a target: make book BUDGET=1 SHAPE=8,64,32,32 THREADS=2'
	@echo '  .venv/bin/python -m pipeline book --help says which there are, and what they may be'

.PHONY: $(COMMANDS)
$(COMMANDS): $(VENV)/installed
	@$(WITH_STDIN) STARTED_BY=$$PPID exec $(BIN)/python -m pipeline $@

.PHONY: check
check: lint ## Check what is quick to check: lint, types and the quick tests
	@$(WITH_STDIN) $(BIN)/python -m pytest --numprocesses auto -m 'not slow' -q

.PHONY: wild
wild: $(VENV)/installed ## Survey released packages and write patches; NETWORK=all, or a name, measures networks
	@STARTED_BY=$$PPID exec $(BIN)/python -m pipeline.wild

.PHONY: test
test: $(VENV)/installed ## Run all tests except slow ones that passed on the same files; AGAIN=1 runs all
	@$(WITH_STDIN) $(BIN)/python -m pytest --numprocesses auto

.PHONY: kills
kills: $(VENV)/installed ## Kill a small build at a hundred random moments; KILL_SEED= repeats them
	@$(WITH_STDIN) AGAIN=1 KILLS=$${KILLS:-100} $(BIN)/python -m pytest -s tests/test_kills.py

LINTS := $(addprefix lint-,types style notebooks imports workflows)
.PHONY: lint $(LINTS)
lint: $(VENV)/installed ## Check style, types and who imports whom
	@$(MAKE) --no-print-directory --keep-going --jobs $(LINTS)
lint-types:
	@$(BIN)/mypy --no-error-summary investigation pipeline benchmarks
lint-style:
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
lint-notebooks:
	@$(BIN)/python -m pipeline.upkeep.tidy check
lint-imports:
	@found=$$($(BIN)/lint-imports --no-logo --cache-dir build/cache/imports) || { echo "$$found"; exit 1; }
lint-workflows:
	@found=$$($(BIN)/zizmor --quiet --offline --pedantic .github/workflows) || { echo "$$found"; exit 1; }
	@$(BIN)/actionlint .github/workflows/*.yml

.PHONY: tidy
tidy: $(VENV)/installed ## Store the notebooks without outputs, and put code into its style
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/python -m pipeline.upkeep.tidy

.PHONY: lab
lab: $(VENV)/installed ## Open the notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: lock
lock: $(VENV)/installed ## Resolve requirements.txt anew into requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
	  --output-file build/requirements.resolved requirements.txt >/dev/null
	@grep -vE '^(nvidia-|cuda-)' build/requirements.resolved > requirements.lock

.PHONY: clean
clean: ## Remove what was built; .venv stays
	@rm -rf build

$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'error: $(PYTHON) is too old; allowed is Python 3.11 or newer' >&2; exit 1; }
	@echo 'installing into $(VENV) (once; a minute)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock uv
	@$(BIN)/python pipeline/upkeep/uv.py --python $(BIN)/python -r requirements.lock
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "investigation.pth").write_text("$(CURDIR)\n", encoding="utf-8")'
	@touch $@
