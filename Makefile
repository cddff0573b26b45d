# Everything a developer does; `make` alone lists it.

VENV := .venv
PYTHON := $(VENV)/bin/python
RUN_READY := $(VENV)/ready-to-run
TEST_READY := $(VENV)/ready-to-test
SHOP := var/record_shop.ready
EXAMPLE := env PYTHONPATH=examples $(PYTHON)
# What pytest or the benchmarks are given besides, as in: make test ARGS="tests/app -k delete"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run example test bench check format pins browser pooler

help: ## Show what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1\t\2/' | expand -t 10

run: $(RUN_READY) ## Start on http://127.0.0.1:8000 with sample heroes and teams
	@exec $(PYTHON) -m webapp serve --sample

example: $(RUN_READY) $(SHOP) ## Start the record shop of examples/ on http://127.0.0.1:8001
	@exec $(EXAMPLE) -m record_shop

test: $(TEST_READY) browser pooler ## Run every test, on SQLite, on PostgreSQL and in a browser
	@# Of the same modules that each worker, server and command imports, bytecode is kept.
	env -u PYTHONDONTWRITEBYTECODE \
		$(PYTHON) -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

bench: $(TEST_READY) ## Measure beside other admins, quickly; ARGS=--full for everything
	$(PYTHON) -m benchmarks $(ARGS)

check: $(TEST_READY) ## Check format, lint and types, as CI does
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy

format: $(TEST_READY) ## Put the code into its format
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

pins: ## Pin the newest versions of all dependencies (needs uv)
	uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-header --output-file requirements.txt
	uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-header --group dev --constraint requirements.txt \
		--output-file requirements-dev.txt

$(SHOP): $(wildcard examples/record_shop/migrations/versions/*.py hero_admin/migrations/versions/*.py) | $(RUN_READY)
	@mkdir -p $(@D)
	@$(EXAMPLE) -m alembic --config examples/record_shop/alembic.ini upgrade head
	@$(EXAMPLE) -c "from hero_admin import run_commands; run_commands()" \
		--app record_shop.admin:admin migrate >/dev/null
	@touch $@

$(PYTHON):
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			$$python -m venv $(VENV) && exit 0; \
			rm -rf $(VENV); exit 1; \
		fi; \
	done; \
	echo "Hero Admin needs Python 3.11 or newer, and found none." >&2; exit 1

$(RUN_READY): requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(TEST_READY): requirements-dev.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(RUN_READY)

browser:
	@for program in $$CHROMIUM chromium-headless-shell chromium chromium-browser google-chrome \
		google-chrome-stable; do \
		command -v $$program >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && \
		for program in chromium-headless-shell chromium; do \
			DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
				$$program fonts-liberation && exit 0; \
		done; exit 1; \
	else \
		echo "The browser tests need Chromium: install it, or name its program in CHROMIUM." >&2; \
		exit 1; \
	fi

pooler:
	@PATH="$$PATH:/usr/sbin"; command -v pgbouncer >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends pgbouncer; \
	else \
		echo "The tests of connection pooling need PgBouncer: install it." >&2; \
		exit 1; \
	fi
