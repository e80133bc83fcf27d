# Loupe on one machine: CPython 3.11, make and a package registry are all it takes. `make help` lists the commands.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
TSC := npx --yes --package typescript@5.9.3 tsc
export LOUPE_HOME ?= $(CURDIR)/var

.DEFAULT_GOAL := help
.PHONY: help setup up demo test test-slow test-new bench lint format browser blender fonts clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed  ## virtual environment with everything in it

$(VENV)/.installed: requirements.txt requirements-dev.txt sdk/pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Loupe needs CPython 3.11: $(PYTHON) was not found (PYTHON=... names another)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e ./sdk
	@touch $@

up: setup  ## start everything for daily use; Ctrl-C stops it
	@$(BIN)/python manage.py up

# PHOTOS=dir ROUNDS=n SETTLE=1 LIMIT=n DEGRADE=0.5 TRUTH=folders SERVE=0 REPORT=file.json LOUPE_HOME=dir
demo: setup  ## demo photos once round the loop, then the web UI
	@$(BIN)/python manage.py demo \
		$(if $(PHOTOS),--photos "$(PHOTOS)") $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(SETTLE),--until-settled) $(if $(LIMIT),--limit "$(LIMIT)") \
		$(if $(DEGRADE),--degrade "$(DEGRADE)") $(if $(TRUTH),--truth "$(TRUTH)") $(if $(SERVE),--serve "$(SERVE)") \
		$(if $(REPORT),--report "$(REPORT)")

browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
		|| echo "Chromium is missing and can't be installed here: browser tests will be skipped."

blender: setup  ## Blender's own virtual environment (1.2 GB), for synthetic scenes
	$(BIN)/python -m synthesis.scenes "$(LOUPE_HOME)/blender"
	$(BIN)/pip install -q --no-deps -r synthesis/scenes/requirements-people.txt

fonts: setup  ## fonts and dictionaries for synthetic text, from Debian (70 MB)
	@packages="$$($(BIN)/python -m synthesis.text.fonts)"; test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$packages >/dev/null \
		|| echo "Nothing can be installed here. Run as root: apt-get install $$packages"

test: setup browser  ## all tests but the slow ones
	$(BIN)/python -m pytest

test-slow: setup browser  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow --hypothesis-profile=default

test-new: setup browser  ## all tests but the slow ones, on examples that nobody has tried
	$(BIN)/python -m pytest --hypothesis-profile=default

lint: setup  ## style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if $(TSC) --version >/dev/null 2>&1; then echo "$(TSC) --project jsconfig.json"; $(TSC) --project jsconfig.json; \
		else echo "TypeScript is out of reach: the types of the JavaScript are not checked."; fi

format: setup  ## let ruff write the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## every benchmark at its small size, one JSON line per result
	$(BIN)/python -m benchmarks.run

clean:  ## the virtual environment and caches; never LOUPE_HOME
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
