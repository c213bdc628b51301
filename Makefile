# Everything below sets itself up first: system packages, .venv, and a private database in RAYON_HOME (.rayon).
# Settings come from the environment: PORT=8001 make run
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)
RUN := $(PYTHON) -m scripts
WITHIN := $(RUN) within .venv/bin/python
ARGS ?=
ONLY ?=

.PHONY: help run serve test test-long check bench evaluate format shell manage stop clean lock

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: ## Start everything with demo data and tell a story; Ctrl-C stops it
	@$(RUN) run

serve: ## Start the server and its workers without demo data, as in production
	@$(RUN) serve

test: ## Run the tests (ARGS="-k word" for some of them)
	@$(RUN) test $(ARGS)

test-long: ## Run the tests that take minutes
	@$(RUN) within .venv/bin/python -m pytest -m long -p no:xdist --timeout 900 $(ARGS)

check: ## Run every check: format, lint, types, layers, migrations, deployment, tests
	@$(RUN) check

bench: ## Measure (ONLY=name for one benchmark)
	@$(WITHIN) -m tests.benchmarks $(ONLY)

evaluate: ## Make the figures of docs/algorithms again (JOURNEY=dir TAFENG=dir for those on data that is not here)
	@$(WITHIN) manage.py remake_evaluations $(if $(JOURNEY),--journey $(JOURNEY)) $(if $(TAFENG),--tafeng $(TAFENG)) $(ARGS)

format: ## Format the code and mend what the linter can
	@$(RUN) format

shell: ## Open a Python shell with the models at hand
	@$(WITHIN) manage.py shell

manage: ## Run one Django command: make manage ARGS="createsuperuser"
	@$(WITHIN) manage.py $(ARGS)

stop: ## Stop what runs in the background of this checkout
	@$(RUN) stop

clean: ## Stop everything and remove .venv, the caches and RAYON_HOME with its database
	@$(RUN) clean

lock: ## Resolve the dependencies anew into the lock files
	@$(RUN) lock
