# Everything a clean clone needs is python3 (3.11 or newer), pip and make. `make` alone lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run quick test test-rest test-sqlite test-postgresql test-long fault-test check lock clean
.NOTPARALLEL:
# The suite starts hundreds of processes: what the first one compiles, the others read.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
DEMO ?= yes
ADMIN ?= admin@example.com
SEED ?= 1
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
COMPILE := $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade

# Files that collectstatic gathers from the project itself; the others come with the lock.
OWN_STATIC := $(shell find crm_project contacts pipelines deals -path '*/static/*' -type f)

# The core and the API's main resources, without the files that take long to collect.
QUICK := tests/accounts tests/contacts tests/deals tests/journal tests/pipelines tests/records $(wildcard tests/test_*.py) \
	$(patsubst %,tests/api/test_%.py,accounts bodies conditional contacts custom_fields deals dry_run error_codes \
	idempotency pipelines writes) tests/dialects/test_architecture.py
ON_SQLITE := env -u TEST_DATABASE_URL $(BIN)/python -m pytest -n auto
ON_POSTGRESQL := $(BIN)/python -m tests.postgres $(BIN)/python -m pytest -n auto
QUICKER := not long and not browser and not recipe and not slow
# What runs on both databases.
BOTH := not long and not once and not browser and not recipe
# The tests of rows, SQL, locks, plans and migrations, which `make test` runs on PostgreSQL, too.
DATABASE := tests/background tests/contacts tests/deals tests/journal tests/load tests/migrations tests/pipelines tests/records \
	tests/api/test_filters.py tests/api/test_lists.py tests/api/test_races.py tests/api/test_query_counts.py tests/api/test_writes.py \
	$(patsubst %,tests/test_%.py,call_counts outages pooler races rows)
# The tests whose input is generated.
GENERATED := tests/api/test_schema.py tests/api/test_filters.py tests/deals/test_past.py tests/journal/test_undo.py \
	tests/dialects/test_pairs.py tests/dialects/test_schema.py

# The environment of a production server: a random secret, one host, TLS, no debugging.
PRODUCTION = env ENV_FILE= DEBUG=off BEHIND_TLS=on ALLOWED_HOSTS=crm.example.com DATABASE_URL=sqlite://:memory: \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

run: $(VENV)/production .env staticfiles/staticfiles.json  ## set everything up and serve on 127.0.0.1:$PORT (8000); DEMO=no begins empty, ADMIN=you@example.com is its login
	@$(MANAGE) migrate --verbosity 0
	@test "$(DEMO)" = no || $(MANAGE) demo --if-empty
	@test "$(DEMO)" != no || $(MANAGE) first_organization --owner "$(ADMIN)"
	@exec $(BIN)/python -m gunicorn -c python:crm_project.server crm_project.wsgi

quick: $(VENV)/dev  ## lint and run a fast part of the suite, on SQLite: about a minute on two cores
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	env -u TEST_DATABASE_URL $(BIN)/python -m pytest -q -n 2 -m "not slow and not race and not browser and not recipe and not long" $(QUICK) $(ARGS)

test: $(VENV)/dev  ## run the suite on SQLite, and on PostgreSQL what depends on the database most: about ten minutes
	@echo "== SQLite"; $(ON_SQLITE) -m "$(QUICKER)" $(ARGS); sqlite=$$?; \
	echo "== PostgreSQL"; $(ON_POSTGRESQL) $(DATABASE) -m "$(QUICKER) and not once" $(ARGS); postgresql=$$?; \
	test $$sqlite -eq 0 && test $$postgresql -eq 0

test-rest: $(VENV)/dev tests/browser/node_modules/.package-lock.json  ## run what `make test` leaves out: pages in a browser, recipes, slow tests, and the rest on PostgreSQL
	@echo "== SQLite"; $(ON_SQLITE) -m "(browser or recipe or slow) and not long" $(ARGS); sqlite=$$?; \
	echo "== PostgreSQL"; $(ON_POSTGRESQL) $(DATABASE) -m "$(BOTH) and slow" $(ARGS); slow=$$?; \
	$(ON_POSTGRESQL) $(addprefix --ignore=,$(DATABASE)) -m "$(BOTH)" $(ARGS); postgresql=$$?; \
	test $$sqlite -eq 0 && test $$slow -eq 0 && test $$postgresql -eq 0

test-sqlite: $(VENV)/dev tests/browser/node_modules/.package-lock.json
	$(ON_SQLITE) $(ARGS)

test-postgresql: $(VENV)/dev
	$(ON_POSTGRESQL) -m "$(BOTH)" $(ARGS)

test-long: $(VENV)/dev $(VENV)/clients/installed tests/dialects/clients/node_modules/.package-lock.json  ## many generated requests, faults under load, growth; SEED=1 repeats a run
	env TEST_EXAMPLES=20 $(BIN)/python -m pytest -n auto --hypothesis-seed=$(SEED) $(GENERATED) $(ARGS)
	env -u TEST_DATABASE_URL $(BIN)/python -m pytest -m long $(ARGS)
	$(BIN)/python -m tests.postgres $(BIN)/python -m pytest -m "long or once or browser" $(ARGS)
	$(BIN)/python -m tests.postgres $(BIN)/python -m pytest -p tests.pooled -m "race and not long" $(ARGS)
	$(BIN)/python -m tests.long.faults --long --seed $(SEED)
	$(BIN)/python -m tests.postgres $(BIN)/python -m tests.long.growth --seed $(SEED)
	$(BIN)/python -m tests.postgres $(BIN)/python -m tests.long.costs

fault-test: $(VENV)/dev  ## clients write while workers, database, link, PgBouncer and disk fail: a minute
	$(BIN)/python -m tests.long.faults --seed $(SEED)

check: $(VENV)/dev  ## lint, format, types, migrations, deploy check, layers, OpenAPI, lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(PRODUCTION) $(BIN)/mypy
	$(PRODUCTION) $(MANAGE) makemigrations --check --dry-run
	$(PRODUCTION) $(MANAGE) lint_migrations
	$(PRODUCTION) $(MANAGE) check --deploy --fail-level WARNING
	$(PRODUCTION) $(MANAGE) spectacular --validate --fail-on-warn --file /dev/null
	$(BIN)/python -m pytest --quiet tests/test_lock.py

lock: $(VENV)/lock/bin/uv  ## resolve the newest allowed versions into requirements/
	$(COMPILE) --group dev pyproject.toml --output-file requirements/dev.txt
	$(COMPILE) --constraint requirements/dev.txt pyproject.toml --output-file requirements/production.txt
	$(COMPILE) --group pyproject.toml:clients --output-file requirements/clients.txt

clean:  ## remove what make made; .env and the database stay
	rm -rf $(VENV) tests/dialects/clients/node_modules tests/browser/node_modules staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The first Python on the list that is new enough; `make PYTHON=/path/to/python3.12` puts another in front.
$(BIN)/python:
	@missing=; for python in $(PYTHON) python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -c 'import ensurepip' 2>/dev/null || { missing=$$python; continue; }; \
		echo "Creating $(VENV) with $$("$$python" --version)"; \
		exec "$$python" -m venv --clear $(VENV); \
	done; \
	if [ -n "$$missing" ]; then \
		echo "$$missing cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"; \
	else \
		echo "No Python 3.11 or newer was found. Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; \
	fi >&2; exit 1

# Only `make lock` needs uv, in an environment of its own, which the lock does not describe.
$(VENV)/lock/bin/uv: | $(BIN)/python
	@$(BIN)/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'

# Stamps that are newer than the lock file: a second run installs nothing.
$(VENV)/production $(VENV)/dev: $(VENV)/%: requirements/%.txt | $(BIN)/python
	@echo "Installing $<"
	@$(INSTALL) -r $<
	@touch $@

# Published clients of the dialects, in an environment of their own: their versions are not the server's.
$(VENV)/clients/installed: requirements/clients.txt | $(BIN)/python
	@echo "Installing $<"
	@$(BIN)/python -m venv --clear $(VENV)/clients
	@$(VENV)/clients/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

# Without npm these tests are skipped. The lock has hashes and no host; no package runs a script of its own.
tests/dialects/clients/node_modules/.package-lock.json: tests/dialects/clients/package-lock.json
	@if command -v npm > /dev/null; then cd tests/dialects/clients && npm ci --ignore-scripts --no-audit --no-fund --silent; \
	else echo "npm was not found: the clients for Node.js are not tested"; fi

# Without npm the pages are not checked for accessibility.
tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	@if command -v npm > /dev/null; then cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --silent; \
	else echo "npm was not found: the accessibility of the pages is not tested"; fi

# Written once, readable by its owner alone; real environment variables win over it.
.env: | $(BIN)/python
	@umask 077; random() { $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))'; }; \
	printf '%s\n' \
		"SECRET_KEY=$$(random)" \
		"ALLOWED_HOSTS=127.0.0.1,localhost,[::1]" \
		"BEHIND_TLS=off" \
		"DEMO_PASSWORD=$$(random | cut -c 1-20)" \
		"DEMO_TOKEN=$$(random)" > $@.new && mv $@.new $@
	@echo "Wrote .env: a secret, a password and a token for this machine alone"

staticfiles/staticfiles.json: $(VENV)/production $(OWN_STATIC) | .env
	@echo "Collecting static files"
	@$(MANAGE) collectstatic --noinput --clear --verbosity 0
