# Everything a developer does, one word each; `make help` lists the words.
# Needs Python 3.11 or newer, and make. All else goes into .venv, locked and hash-checked.

PYTHON ?= python3
JOBS   ?= 2
ROUNDS ?= 200
WSTEST ?= wstest
ARGS   ?=

# Stamps stand for the states of the environment, so that nothing is installed twice.
VENV  := .venv
BIN   := $(VENV)/bin
EMPTY := $(VENV)/empty.stamp
RUN   := $(VENV)/run.stamp
DEV   := $(VENV)/dev.stamp
DOCS  := $(VENV)/docs.stamp

# Third-party packages only from the lock; the project itself without a look at any index.
PIP      := $(BIN)/python -m pip --disable-pip-version-check
LOCKED   := install --quiet --require-hashes -r
EDITABLE := install --quiet --no-deps --no-build-isolation -e .
COMPILE  := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
            --no-header --no-annotate --no-emit-index-url

CHECKED := src tests scripts docs $(wildcard bench)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test cov browser kill prove acceptance conformance bench docs screenshots lint types \
        fmt lock clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(RUN) ## start a daemon with two agents that talk (nothing is kept)
	$(BIN)/hubbub serve --demo $(ARGS)

# Handed out one by one, so that no worker is left with all the slow tests of a folder.
test: $(DEV) ## run the whole suite and hold coverage to its floors
	rm -rf build/coverage
	mkdir -p build/coverage
	$(BIN)/coverage run -m pytest -n $(JOBS) --maxschedchunk 1 $(ARGS)
	@$(combine)
	@$(call floor,95)
	@$(call floor,100,--include='src/hubbub/core/**')

# A daemon that a test kills while it writes its figures leaves a torn file: it counts for nothing.
combine = log=$$($(BIN)/coverage combine --quiet 2>&1) || { echo "$$log"; exit 1; }; \
          rm -f build/coverage/data.*

# Quiet when the floor holds, so that pytest's summary stays the last line; the table when not.
floor = table=$$($(BIN)/coverage report --fail-under=$(1) $(2)) || { echo "$$table"; exit 1; }

cov: $(DEV) ## show the coverage of the last `make test`
	$(BIN)/coverage report

browser: $(DEV) ## install Chromium and axe-core, with which `make test` walks through the page
	$(BIN)/python -m tests.browser.prepare

kill: $(DEV) ## kill and restart the daemon ROUNDS times in each kill test
	HUBBUB_KILL_ROUNDS=$(ROUNDS) $(BIN)/pytest -m kill --timeout 3600 $(ARGS)

prove: $(DEV) ## inject faults for a minute and check every promise (ARGS="--minutes 10 --seed 1")
	$(BIN)/hubbub prove --out build/prove $(ARGS)

acceptance: $(DEV) ## drive real, unmodified clients; says what it skipped and why
	$(BIN)/pytest -m acceptance --timeout 900 $(ARGS)

conformance: $(DEV) ## run the Autobahn suite (WSTEST=its program) and write docs/conformance.md
	$(BIN)/python -m tests.conformance.autobahn $(WSTEST)

bench: $(DEV) ## measure against the bounds
	$(BIN)/python -m bench $(ARGS)

docs: $(DOCS) ## build the documentation into build/docs; a warning is an error
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --fresh-env \
	    --doctree-dir build/doctrees docs build/docs
	@echo build/docs/index.html

screenshots: $(DEV) ## take the pictures of the page in docs/images anew, where Chromium is
	$(BIN)/python -m tests.browser.pictures

lint: $(DEV) ## rules, format, import contracts, sizes
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.check_size $(CHECKED)

types: $(DEV) ## mypy, strict, on code and tests
	$(BIN)/mypy $(CHECKED)

fmt: $(DEV) ## format, and apply the fixes that are safe
	$(BIN)/ruff check --fix-only $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

lock: $(DEV) ## bring requirements/ in step with pyproject.toml (ARGS=--upgrade for newer versions)
	$(COMPILE) --group dev -o requirements/dev.txt $(ARGS) pyproject.toml
	$(COMPILE) --group build -c requirements/dev.txt -o requirements/run.txt $(ARGS) pyproject.toml
	$(COMPILE) --group docs -c requirements/dev.txt -o requirements/docs.txt $(ARGS) pyproject.toml

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
	    .import_linter_cache
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# Not the interpreter but a stamp: where ensurepip is missing, a half-made .venv has one too.
$(EMPTY):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("hubbub needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUN): requirements/run.txt pyproject.toml | $(EMPTY)
	$(PIP) $(LOCKED) requirements/run.txt
	$(PIP) $(EDITABLE)
	@touch $@

# The development lock contains the run lock, at the same versions: both stamps are earned.
$(DEV): requirements/dev.txt pyproject.toml | $(EMPTY)
	$(PIP) $(LOCKED) requirements/dev.txt
	$(PIP) $(EDITABLE)
	@touch $(RUN) $@

# Beside the others: the documentation reads the package, and shares no version that differs.
$(DOCS): requirements/docs.txt pyproject.toml | $(RUN)
	$(PIP) $(LOCKED) requirements/docs.txt
	@touch $@
