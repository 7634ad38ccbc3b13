# `make` alone prints what can be made. `run` and `test` set up all they need.
# T= narrows the tests: make test T=tests/rules, make test T="-k stale".
# ENV=training (or acceptance, production) is an installation of its own, beside the others: make run ENV=training
# Any setting may be given in the environment (docs/operations.md): PORTAL_HOST=0.0.0.0 CERTIFICATES_LOG_LEVEL=DEBUG make run

.DEFAULT_GOAL := help
.PHONY: help run demo stop reset test suite rules journeys lint types sure requests bench docs histories lock migration environment

python := .venv/bin/python
pytest := $(python) -m pytest
pieces := deploy services shared tests workflows
unexport PYTHONDONTWRITEBYTECODE  # where it is set, each of our processes would compile two thousand modules at its start
T ?=
s ?= certificates
m ?= change
ENV ?=
here := $(if $(strip $(ENV)),--environment $(strip $(ENV)))

help: ## Print this
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } /^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

##@ Run

run: environment ## Start everything on this machine and print where to look; Ctrl-C stops it
	@$(python) -m deploy.local run $(here)

demo: environment ## Play the guide's story, from draft to the first consignee's signature
	@$(python) -m deploy.local demo $(here)

stop: environment ## Stop what `make run` started elsewhere
	@$(python) -m deploy.local stop $(here)

reset: environment ## Forget everything: empty var/
	@$(python) -m deploy.local reset $(here)

##@ Check

test: environment ## All tests, lint and types; T= narrows
	@sh deploy/chromium.sh
ifeq ($(strip $(T)),)
	@$(MAKE) --no-print-directory --jobs=3 lint types suite
else
	$(pytest) -n 0 $(T)
endif

suite: environment
	env -u MAKEFLAGS -u MFLAGS $(pytest) -n 2 --dist loadfile

rules: environment ## The law alone, in a second
	$(pytest) -n 0 tests/rules $(T)

journeys: environment ## The stories through the real everything
	$(pytest) -n 0 tests/journeys $(T)

lint: environment ## Style and imports
	$(python) -m ruff check $(pieces)
	$(python) -m ruff format --check $(pieces)

types: environment ## Types, strictly
	$(python) -m mypy $(pieces)

sure: test ## Am I done? Everything, and nothing left uncommitted
	@git diff --quiet HEAD -- && test -z "$$(git ls-files --others --exclude-standard)" || { git status --short; exit 1; }
	@echo "Sure."

requests: environment ## Made-up requests to every door of every service; EACH=200 for more
	BORDEREAU_REQUESTS=$(or $(EACH),50) $(python) -m pytest -n0 -q tests/services/*/test_any_request.py

bench: environment ## Measure lives per second, latency and memory
	$(python) -m tests.bench $(T)

##@ Make

docs: environment ## The pictures and tables of docs/ from the code
	$(python) -m docs.draw

histories: environment ## Record the histories that replay tests read
	$(python) -m tests.workflows.record $(T)

lock: environment ## requirements.lock from pyproject.toml
	$(python) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --extra test pyproject.toml -o requirements.lock

migration: environment ## A new migration: s=certificates m="what changes"
	@$(python) -m tests.migration $(s) "$(m)"

environment:
	@sh deploy/environment.sh
