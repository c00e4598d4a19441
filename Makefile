PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := -m pip install --quiet --disable-pip-version-check
# Everything but the slower methods runs on what a user installs.
BASE_EXAMPLES := $(filter-out examples/slower_method.py,$(wildcard examples/*.py))

.PHONY: demo test lint examples wheel site base oldest bench docs graphs types web web-check help clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.installed ## a first artwork from the packaged portrait
	$(BIN)/selfieart demo --overwrite

test: $(VENV)/.installed-dev ## all tests
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

examples: $(VENV)/.installed-dev ## every script of examples/, into build/examples
	@mkdir -p build/examples
	@set -e; for script in examples/*.py; do echo "$$script"; $(BIN)/python $$script build/examples; done

wheel: $(VENV)/.installed-dev ## sdist and wheel in dist/, the wheel tried in an empty environment outside the tree
	rm -rf dist
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/python -m build --outdir dist . >/dev/null
	$(BIN)/python tools/try_wheel.py dist/*.whl

site: $(VENV)/.installed-dev ## the documentation, in build/site; a broken link or reference is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

base: ## what a user installs, alone in .venv-base: no torch, SciPy or Matplotlib, and the demo and examples run
	$(MAKE) --no-print-directory demo VENV=.venv-base
	.venv-base/bin/python tools/check_base.py
	@mkdir -p build/examples
	@set -e; for script in $(BASE_EXAMPLES); do echo "$$script"; .venv-base/bin/python $$script build/examples; done

oldest: .venv-oldest/.installed ## the tests that need no torch, with the oldest versions that pyproject.toml allows
	.venv-oldest/bin/python -m pytest -m "not slow"

bench: $(VENV)/.installed-dev ## speed and memory, beside the version before and others; BENCH="--quick --install" and more
	$(BIN)/python benchmarks/bench.py $(BENCH)

docs: $(VENV)/.installed-dev ## pictures of README and docs, made anew with this version
	$(BIN)/python docs/make_pictures.py
	$(BIN)/python docs/make_models.py

graphs: $(VENV)/.installed-dev ## the networks' graphs, made anew from their torch definitions
	$(BIN)/python tools/make_graphs.py

types: $(VENV)/.installed-dev ## the page's types, made anew from what the server answers
	$(BIN)/python tools/make_types.py

web: ## the app's page, built anew from web/ (needs Node)
	cd web && npm ci --silent && npm run --silent build

web-check: web ## what is committed is what web/ builds
	cd web && npm test --silent
	@test -z "$$(git status --porcelain -- src/selfieart/app/static)" || \
		{ echo "src/selfieart/app/static differs from what web/ builds: run 'make web' and commit."; exit 1; }

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python $(PIP) -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python $(PIP) -c constraints.txt -e '.[dev,docs]'
	@touch $@ $(VENV)/.installed

.venv-oldest/.installed: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python $(PIP) -c constraints-oldest.txt -e '.[test]'
	@touch $@

clean: ## remove what was installed and built
	rm -rf .venv .venv-base .venv-oldest .pytest_cache .ruff_cache .mypy_cache build dist src/*.egg-info
