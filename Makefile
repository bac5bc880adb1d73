## make sign    issue the demonstration batch into out/; make sign REQUESTS=file OUT=dir for a real one
## make serve   the verification page on 127.0.0.1:8000
## make test    the whole suite · make lint   style, types, layers · make bench   speed · make clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REQUESTS ?= signsvc/policy/data/demo/requests.csv
OUT ?= out
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-bench sign serve test lint bench lock clean

help:
	@sed -n 's/^## //p' Makefile

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what requirements.lock pins into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/.installed
	@.ci/setup run

setup-test: $(VENV)/.installed
	@.ci/setup test

setup-bench: $(VENV)/.installed
	@.ci/setup bench

# Without a registry there is nothing to issue from; only the demonstration is made by itself.
sign: setup
	@$(BIN)/signsvc init --demo --unless-made
	@$(BIN)/signsvc sign $(REQUESTS) -o $(OUT)

serve: $(VENV)/.installed
	@echo "http://127.0.0.1:$(PORT)/verify" >&2
	@$(BIN)/signsvc serve --host 127.0.0.1 --port $(PORT) $(if $(WORKERS),--workers $(WORKERS))

test: setup-test
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

# PARTS=timing measures one part; all of them take half an hour, and 5 GB of disk meanwhile. PARTS=pipeline-long makes
# 100,000 certificates as well, on 13 GB. All parts, or any with WRITE=1, write docs/benchmarks.md.
bench: setup-bench
	@PYTHONPATH=tests $(BIN)/python -m bench $(PARTS) $(if $(PARTS),$(if $(WRITE),--write),--write)

lock: $(VENV)/.installed
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --all-extras --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) build out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
