SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
ENV_FILE ?= .env
COMPOSE ?= $(shell command -v docker-compose >/dev/null 2>&1 && echo docker-compose || echo docker compose)

# Everything a run makes lies here; TESSERA_DATA_DIR=elsewhere make run puts it elsewhere.
export TESSERA_DATA_DIR := $(abspath $(or $(TESSERA_DATA_DIR),data))
export TESSERA_SETTINGS := $(abspath $(or $(TESSERA_SETTINGS),settings.toml))
ifdef TESSERA_INBOX
export TESSERA_INBOX := $(abspath $(TESSERA_INBOX))
endif

export AIRFLOW_HOME := $(TESSERA_DATA_DIR)/airflow
export AIRFLOW__CORE__DAGS_FOLDER := $(CURDIR)/dags
export AIRFLOW__CORE__PLUGINS_FOLDER := $(CURDIR)/plugins
export AIRFLOW__CORE__LOAD_EXAMPLES := False
export AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION := False
export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS := True
export AIRFLOW__API__HOST := 127.0.0.1
export AIRFLOW__CORE__PARALLELISM := 4
export AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false

BIN := .venv/bin
READY := .venv/ready

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1mmake %-10s\033[0m %s\n", $$1, $$2}'

run: $(READY) ## Exports in, segment tables out (AS_OF=YYYY-MM-DD sets the day)
	@$(BIN)/tessera demo --if-empty
	@$(BIN)/python -P plugins/tessera_airflow/embedded.py $(if $(AS_OF),--as-of $(AS_OF))
	@$(BIN)/tessera segments

test: $(READY) ## Lint, types, import contracts, unit, dbt, DAG and pipeline tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@env -u TESSERA_DATA_DIR -u TESSERA_SETTINGS -u TESSERA_INBOX $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-long: $(READY) ## The tests that take minutes
	@env -u TESSERA_DATA_DIR -u TESSERA_SETTINGS -u TESSERA_INBOX $(BIN)/pytest -m long

test-faults: $(READY) ## Kills at any point, full disks, two runs at once, readers throughout
	@env -u TESSERA_DATA_DIR -u TESSERA_SETTINGS -u TESSERA_INBOX $(BIN)/pytest -m faults tests/faults

airflow: $(READY) ## Airflow with its UI on the same DAGs, at http://localhost:8080
	@mkdir -p "$(AIRFLOW_HOME)"
	@$(BIN)/tessera demo --if-empty
	@$(BIN)/airflow db migrate >/dev/null && $(BIN)/airflow pools set warehouse 1 "One writer of the warehouse" >/dev/null
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/airflow standalone

docs: $(READY) ## The docs, with the tables and charts of the last run, as a site in site/
	@$(BIN)/tessera docs --out site

charts: $(READY) ## The charts and example output in docs/ anew, from a demo company (minutes)
	@deploy/draw-charts "$(CURDIR)/build/demo"

bench: $(READY) ## The measures of docs/benchmarks.md (CUSTOMERS="5000 50000 200000")
	@$(BIN)/python -m benchmarks $(or $(CUSTOMERS),5000 50000 200000)

test-stack: $(READY) ## The stack on a Docker engine, with runs, kills, backup and upgrade (an hour)
	@env -u TESSERA_DATA_DIR -u TESSERA_SETTINGS -u TESSERA_INBOX $(BIN)/pytest -m stack -rs $(or $(TESTS),tests/stack)

up: ## The whole stack with docker-compose; writes .env with random secrets the first time
	@deploy/write-env $(ENV_FILE)
	@chmod a+rx deploy && chmod a+r deploy/*.sql # whatever the umask: PostgreSQL's user reads them
	$(COMPOSE) up --build --detach

down: ## Stop the stack; its volumes stay
	$(COMPOSE) down

backup: ## Warehouse, ML models, published tables and databases of the stack in one archive (FILE=...)
	@COMPOSE="$(COMPOSE)" deploy/backup $(if $(FILE),"$(FILE)")

restore: ## The stack as `make backup` kept it (FILE=...); asks first
	@COMPOSE="$(COMPOSE)" deploy/restore "$(FILE)"

lock: $(READY) ## Resolve requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-emit-index-url \
		--python-version 3.11 --extra dev --custom-compile-command "make lock" --upgrade \
		pyproject.toml --output-file requirements.lock

audit: $(READY) ## Known weaknesses of what requirements.lock holds (asks the advisory database)
	@deploy/audit

clean: ## Remove caches, the site and the environment; data stays
	rm -rf .venv site build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './data/*' -prune -exec rm -rf {} +

reset: ## Remove all data of this project (asks first)
	@printf 'Remove %s with its warehouse, published tables and inbox? [y/N] ' "$(TESSERA_DATA_DIR)"; \
	read -r answer; [ "$$answer" = y ] && rm -rf "$(TESSERA_DATA_DIR)" && echo removed || echo kept

# One environment for everything; made again when the lock or the project file changes.
$(READY): requirements.lock pyproject.toml
	@deploy/make-venv "$(PYTHON)" .venv
	@touch $@

.PHONY: help run test test-long test-faults test-stack airflow docs charts bench up down backup restore lock audit clean reset
