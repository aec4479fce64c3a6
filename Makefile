# Everything that one does with Llampost, from a fresh checkout: `make` lists it.

# With pipefail a failed installation is one, though its output goes through awk.
SHELL := bash
.SHELLFLAGS := -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
DEMO := $(VENV)/.demo-$(shell cat requirements-demo.txt | cksum | cut -d' ' -f1)
READY := $(VENV)/.ready-$(shell cat requirements-dev.txt | cksum | cut -d' ' -f1)
# A dot for each package shows that it goes on.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes
DOTS := awk '/^Collecting/ { printf "."; fflush() } END { print "" }'

.DEFAULT_GOAL := help
# The prompt reaches the shell through its environment, and make leaves it alone: quotes and $ in it stay as they are.
override PROMPT := $(value PROMPT)
override FILE := $(value FILE)
export PROMPT FILE
.PHONY: help setup demo ask run check backup test lint format soak bench docs pictures pins clean

help: ## List the commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(READY) ## Make the environment in .venv (every other command does it by itself)

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || \
		{ echo "Llampost needs Python 3.11 or 3.12; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "This Python can't make environments. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(DEMO): requirements-demo.txt $(MADE)
	@echo "Installing what the bot and the demo need into $(VENV); this takes about half a minute, once."
	@$(INSTALL) -r requirements-demo.txt | $(DOTS)
	@touch $@

$(READY): requirements-dev.txt $(MADE)
	@echo "Installing what the bot and its tests need into $(VENV); this takes about a minute, once."
	@$(INSTALL) -r requirements-dev.txt | $(DOTS)
	@touch $@ $(DEMO)

demo: $(DEMO) ## Try the real bot in your browser, in a simulated Discord, with a tiny model if you have no Ollama
	@$(BIN)/python -m playground.demo $(ARGS)

ask: $(DEMO) ## Ask the real bot in the terminal: make ask PROMPT="What is the capital of Poland?"
	@test -n "$$PROMPT" || { echo 'Say what to ask: make ask PROMPT="What is the capital of Poland?"'; exit 1; }
	@$(BIN)/python -m playground.ask $(ARGS) "$$PROMPT"

run: $(DEMO) ## Run the bot with the settings in .env
	@$(BIN)/python -m bot

check: $(DEMO) ## Say of token, intents, Ollama, model and database how they are and what helps
	@$(BIN)/python -m bot check

backup: $(DEMO) ## Copy the database while the bot runs: make backup FILE=llampost-copy.db
	@test -n "$$FILE" || { echo 'Say where the copy goes: make backup FILE=llampost-copy.db'; exit 1; }
	@$(BIN)/python -m bot backup "$$FILE"

test: $(READY) lint ## Linters, types, architecture and all tests
	@$(BIN)/pytest --cov --cov-report=term $(ARGS)

lint: $(READY) ## Linters, types and architecture only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(READY) ## Let ruff lay out the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

soak: $(READY) ## Ask the bot 500 questions while everything around it fails (six minutes; ARGS="--answers 100 --seed 7")
	@$(BIN)/python -m tests.soak $(ARGS)

bench: $(READY) ## Measure the bot beside a naive one (about half an hour; ARGS=--quick for two minutes)
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(READY) ## Write README's tables of settings and parameters from the code
	@$(BIN)/python -m tests.reference

PIN := $(BIN)/pip-compile --quiet --generate-hashes --no-strip-extras --allow-unsafe --no-header --no-emit-options \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host pyproject.toml

pictures: $(READY) ## Take README's pictures of the demo's page anew (needs Chromium)
	@$(BIN)/python -m tests.browser.pictures $(ARGS)

pins: $(READY) ## Write requirements*.txt anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet pip-tools
	@$(PIN) --extra dev --extra demo -o requirements-dev.txt
	@$(PIN) --extra demo -c requirements-dev.txt -o requirements-demo.txt
	@$(PIN) -c requirements-dev.txt -o requirements.txt

clean: ## Remove the environment and all caches
	@rm -rf $(VENV) .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
