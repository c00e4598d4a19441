PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench docs web web-check clean

demo: $(VENV)/.installed ## a first artwork from the packaged portrait
	$(BIN)/selfieart demo --overwrite

test: $(VENV)/.installed-dev ## all tests
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev ## speed and memory, against the published topologies
	$(BIN)/python benchmarks/bench.py

docs: $(VENV)/.installed-dev ## pictures of README and docs, made anew with this version
	$(BIN)/python docs/make_pictures.py
	$(BIN)/python docs/make_models.py

web: ## the app's page, built anew from web/ (needs Node)
	cd web && npm ci --silent && npm run --silent build

web-check: web ## what is committed is what web/ builds
	cd web && npm test --silent
	@test -z "$$(git status --porcelain -- src/selfieart/app/static)" || \
		{ echo "src/selfieart/app/static differs from what web/ builds: run 'make web' and commit."; exit 1; }

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache build dist src/*.egg-info
