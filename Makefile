# Everything that one does with Llampost, from a fresh checkout: `make` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(shell cat requirements-dev.txt | cksum | cut -d' ' -f1)

.DEFAULT_GOAL := help
# The prompt reaches the shell through its environment, and make leaves it alone: quotes and $ in it stay as they are.
override PROMPT := $(value PROMPT)
export PROMPT
.PHONY: help setup ask run check test lint format bench docs pins clean

help: ## List the commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(READY) ## Make the environment in .venv (every other command does it by itself)

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || \
		{ echo "Llampost needs Python 3.11 or 3.12; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "This Python can't make environments. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Making the environment in $(VENV); this takes about a minute, once."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

ask: $(READY) ## Ask the real bot in a simulated Discord: make ask PROMPT="What is the capital of Poland?"
	@test -n "$$PROMPT" || { echo 'Say what to ask: make ask PROMPT="What is the capital of Poland?"'; exit 1; }
	@$(BIN)/python -m playground.ask "$$PROMPT"

run: $(READY) ## Run the bot with the settings in .env
	@$(BIN)/python -m bot

check: $(READY) ## Say of token, intents, Ollama, model and database how they are and what helps
	@$(BIN)/python -m bot check

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

bench: $(READY) ## Measure the bot beside a naive one (about half an hour; ARGS=--quick for two minutes)
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(READY) ## Write README's tables of settings and parameters from the code
	@$(BIN)/python -m tests.reference

pins: $(READY) ## Write requirements*.txt anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet pip-tools
	@$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-options \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.txt pyproject.toml
	@$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-options \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra dev -o requirements-dev.txt pyproject.toml

clean: ## Remove the environment and all caches
	@rm -rf $(VENV) .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
