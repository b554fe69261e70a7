PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FOR ?= 30

.DEFAULT_GOAL := help
.PHONY: help install demo test format lint types contracts unit bench soak upgrade schemas pictures clean

help: ## Show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make the environment and install the project into it

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## Watch notifications become task statuses (FOR=seconds)
	$(BIN)/agora-events demo --for $(FOR)

test: lint types contracts unit ## Every check: format, lint, types, import contracts, tests

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy
	$(BIN)/basedpyright

contracts: install
	$(BIN)/lint-imports

unit: install
	$(BIN)/pytest

format: install ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## Measure, in ratios within one run (tests/bench/README.md)
	$(BIN)/python -m tests.bench

soak: install ## The long runs: more seeds, more kills
	TEST_PROFILE=soak $(BIN)/pytest

schemas: install ## Rewrite the committed JSON Schemas; refuses a breaking change
	$(BIN)/agora-events schemas --out schemas/json

upgrade: ## Resolve the newest releases into the hashed requirement files
	$(PYTHON) -m venv $(VENV)/upgrade
	$(VENV)/upgrade/bin/python -m pip install --quiet pip-tools
	$(VENV)/upgrade/bin/pip-compile --quiet --upgrade --strip-extras --generate-hashes --allow-unsafe \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements/run.txt pyproject.toml
	$(VENV)/upgrade/bin/pip-compile --quiet --upgrade --strip-extras --generate-hashes --allow-unsafe --extra dev \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --constraint requirements/run.txt \
	  --output-file requirements/dev.txt pyproject.toml
	rm -rf $(VENV)/upgrade

pictures: install ## Draw the pictures of the README from the tables and a real run
	$(BIN)/python -m tests.docs.pictures

clean: ## Remove the environment and what tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
