# firewatch: what a developer and a visitor type. `make` alone explains.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?= e-bike
PYTEST_ARGS ?=
SEEDS ?= 100

INSTALL_INPUTS := pyproject.toml constraints.txt hatch_build.py
CONSOLE_INPUTS := $(shell find firewatch/web/console -type f -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: help setup demo test check bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## the virtual environment, with firewatch and its console in it

$(VENV)/.python:
	@for python in python3.13 python3.12 python3.11 python3 none; do
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi
	done
	if [ "$$python" = none ]; then
	  echo "firewatch needs Python 3.11 or newer (on Debian: apt-get install python3 python3-venv)." >&2; exit 1
	fi
	echo "==> virtual environment in $(VENV), with $$python"
	"$$python" -m venv $(VENV) || { echo "On Debian this needs: apt-get install python3-venv" >&2; exit 1; }
	touch $@

$(VENV)/.ready: $(VENV)/.python $(INSTALL_INPUTS) $(CONSOLE_INPUTS)
	@echo "==> firewatch and what it needs (the first time this fetches about 250 MB)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.ready-for-tests: $(VENV)/.ready
	@echo "==> what the tests need"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/.ready ## the whole of firewatch with a simulated compound; SCENARIO=name picks another story
	@exec $(BIN)/firewatch demo --scenario "$(SCENARIO)"

check: $(VENV)/.ready-for-tests ## style, types, import directions, and the shipped configuration and rules
	@$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/firewatch check
	$(BIN)/firewatch test rules

test: $(VENV)/.ready-for-tests ## everything that must hold: checks, unit, scenario, integration, browser tests
	@tests/system-packages mosquitto chromium
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest $(PYTEST_ARGS)

bench: $(VENV)/.ready-for-tests ## throughput and latency of the whole daemon beside bare MQTT
	@tests/system-packages mosquitto
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.engine
	$(BIN)/python -m tests.bench.backtest

clean: ## remove what was built and the demo's state; the virtual environment too
	@rm -rf $(VENV) .firewatch build dist firewatch/web/static firewatch/web/console/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
