# Two commands matter: `make demo` and `make test`. Both build their own environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most tests wait for a program or a deadline, so two at a time a core.
JOBS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
PIP_FLAGS := --quiet --disable-pip-version-check

.PHONY: env demo test test-long lint unit bench docs clean

env: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_FLAGS) --upgrade "pip>=25.1"
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints.txt --group dev --editable .
	touch $@

demo: env
	$(BIN)/opssquad demo

test: lint unit

lint: env
	$(BIN)/ruff check .
	$(BIN)/mypy

unit: env
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# What takes minutes: crashes at every step, generated input by the thousand. ONLY=tests/gate runs a part.
test-long: env
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m long $(ONLY)

bench: env
	$(BIN)/python -m tests.bench

# The site of docs/, as a folder of pages; a link or a reference that leads nowhere fails.
docs: env
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

clean:
	rm -rf $(VENV) dist build site .mypy_cache .ruff_cache .hypothesis
