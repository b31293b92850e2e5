# Two commands are all one needs: `make run` and `make test`. Both set up what is missing first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DEV    := $(VENV)/.ready-dev

.PHONY: run test check bench bench-small fuzz format clean help

help: ## show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(READY) ## start a working server on high loopback ports, with a demonstration domain
	@exec $(BIN)/posthouse quickstart

test: $(DEV) ## check everything: style, types, rooms, tests
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -n 2 --dist loadgroup tests

check: $(DEV) ## the fast half: style, types, imports between rooms
	@echo "ruff"        && $(BIN)/ruff check --quiet && $(BIN)/ruff format --quiet --check
	@echo "mypy"        && $(BIN)/mypy --no-error-summary
	@echo "import-linter" && $(BIN)/lint-imports --no-cache > .import-linter.out 2>&1 || { cat .import-linter.out; rm -f .import-linter.out; exit 1; }
	@rm -f .import-linter.out

bench: $(DEV) ## measure against Postfix with Dovecot, in one run (several minutes)
	@$(BIN)/python -m bench

bench-small: $(DEV) ## every benchmark in small, to see that it works
	@$(BIN)/python -m bench --small

fuzz: $(DEV) ## fuzz every target for SECONDS each (default 60)
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS_EACH),60)

format: $(DEV) ## bring the sources into form
	@$(BIN)/ruff check --quiet --fix; $(BIN)/ruff format --quiet

clean: ## remove the environment and what tools left behind
	rm -rf $(VENV) run .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): pyproject.toml tools/setup
	@PYTHON=$(PYTHON) tools/setup $(VENV) run

$(DEV): pyproject.toml tools/setup
	@PYTHON=$(PYTHON) tools/setup $(VENV) dev
