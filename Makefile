# Two commands set everything up: `make demo` and `make test`. Both make their own .venv.
PYTHON ?= python3
BIN := .venv/bin
DATA ?= shop
DATA_DIR ?=
ROWS ?= 1000000

.PHONY: help demo test check unit bench constraints clean distclean

help:  ## Show this list.
	@grep -hE '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/' | sort

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "ethogram needs Python 3.11 to 3.13; this is " + sys.version.split()[0] + "; set PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

.venv/spark: .venv/ready constraints-spark.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints-spark.txt -e '.[dev,spark]'
	@touch $@

demo: .venv/ready  ## Raw events to an approved model, then the catalog: make demo [DATA=oulad] [DATA_DIR=…] [ROWS=…]
	@$(BIN)/ethogram demo $(DATA) --events $(ROWS) $(if $(DATA_DIR),--data $(DATA_DIR))

test: check unit  ## Everything that must hold: style, types, arrows, doctests, tests.

check: .venv/spark  ## ruff, mypy, import-linter, doctests.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -q -p no:cacheprovider --doctest-modules --ignore=platform/ethogram/adapters/postgres/migrations platform/ethogram

unit: .venv/spark  ## The tests alone.
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile tests

bench: .venv/ready  ## Speed and memory against named peers: make bench [NAME=…]
	@$(BIN)/python -m benchmarks.run $(NAME)

constraints: .venv/ready ## Compile constraints.txt and constraints-spark.txt from pyproject.toml (universal, no index URLs).
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --extra dev pyproject.toml -o constraints.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --extra dev --extra spark -c constraints.txt pyproject.toml -o constraints-spark.txt

clean: ## Remove all state (databases, lake, artifacts), keep the installation.
	@if [ -x $(BIN)/ethogram ] && [ -d .ethogram ]; then $(BIN)/ethogram down --remove; fi
	rm -rf .ethogram

distclean: clean ## Remove the installation too.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
