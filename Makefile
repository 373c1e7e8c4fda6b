# make quickstart   train, measure, export and ask a code embedding model, from nothing, in minutes
# make test         every check that CI runs
# make install      the environment for training and use, in .venv
# make repair-model the repair model in the package, made anew: an hour on two cores, with CODEFIT_DATA set

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: install quickstart test repair-model bench clean

install: .venv/.train

quickstart: .venv/.train
	$(BIN)/codefit run quickstart --out runs/quickstart

test: .venv/.dev
	sh scripts/system-packages.sh
	sh scripts/javascript-oracle.sh
	$(BIN)/ruff check src tests benchmarks deploy
	$(BIN)/ruff format --check src tests benchmarks deploy
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist worksteal

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("codefit needs Python 3.11 or newer; choose one with: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

# torch goes in first and alone: whatever depends on it then keeps the build that constraints.txt names.
.venv/.train: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) torch
	$(PIP) -e '.[train]'
	@touch $@

.venv/.dev: .venv/.train
	$(PIP) -e '.[train,serve,mcp,quantize,repair,complexity,dev]'
	@touch $@

.venv/.bench: .venv/.dev
	$(PIP) -e '.[train,serve,mcp,quantize,repair,complexity,dev,bench]'
	@touch $@

repair-model: .venv/.dev
	$(BIN)/codefit run repair-ranking-cpu --out runs/repair-ranking-cpu
	rm -rf src/codefit/models/default_repair
	cp -r runs/repair-ranking-cpu/model src/codefit/models/default_repair

bench: .venv/.bench
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
