# What a person runs. Every target sets the machine up first; that takes half a minute once and nothing afterwards.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Processes start often here, by the hundred in the tests: modules are compiled once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
INSTALLED := $(VENV)/.installed

# Phone of `make dial` and `make sms`.
CODE ?= *384*1\#
FROM ?= +254711000001
TEXT ?= PRICE
TO ?= 22384
NUMBER ?= +254711082000
SENDER ?= AFRICASTKNG

# Length of the load of `make chaos`, and the seed of its choices; no seed: a new one, which is printed.
SECONDS ?= 300
SEED ?=

# Processes that run the tests side by side, a file in each.
WORKERS ?= 3

.PHONY: help
help: ## Show this help
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(INSTALLED) ## Run everything on this machine until Ctrl-C: Valkey, a local Africa's Talking, all services
	@$(PYTHON) -m launcher

.PHONY: dial
dial: $(INSTALLED) ## Dial a code from a phone in the terminal: make dial CODE='*384*1#' FROM=+254711000001
	@$(PYTHON) -m launcher.handset --code '$(CODE)' --from '$(FROM)'

.PHONY: sms
sms: $(INSTALLED) ## Send an SMS from a phone in the terminal: make sms TEXT=PRICE TO=22384 FROM=+254711000001
	@$(PYTHON) -m launcher.handset --sms '$(TEXT)' --to '$(TO)' --from '$(FROM)'

.PHONY: opt-out
opt-out: $(INSTALLED) ## Want no more messages of a sender: make opt-out SENDER=AFRICASTKNG FROM=+254711000001
	@$(PYTHON) -m launcher.handset --opt-out '$(SENDER)' --from '$(FROM)'

.PHONY: call
call: $(INSTALLED) ## Call a number from a phone in the terminal: make call NUMBER=+254711082000 FROM=+254711000001
	@$(PYTHON) -m launcher.handset --call '$(NUMBER)' --from '$(FROM)'

.PHONY: answer
answer: $(INSTALLED) ## Wait for a call from the platform and pick up: make answer FROM=+254711000001
	@$(PYTHON) -m launcher.handset --answer --wait 120 --from '$(FROM)'

.PHONY: test
test: $(INSTALLED) ## Run the whole test suite; ARGS goes to pytest: make test ARGS='tests/rpc -k health'
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: compose-test
compose-test: $(INSTALLED) ## Build the containers and use them: a killed engine, the adapter alone, TLS; needs Docker
	PYTHONPATH=.:gen $(PYTHON) -m scripts.compose_test

.PHONY: clients-test
clients-test: $(INSTALLED) ## Use a running set as others do: Node.js over gRPC, an OTLP receiver, Prometheus; installs into .clients/
	@PYTHONPATH=.:gen $(PYTHON) -m clients

.PHONY: lint
lint: $(INSTALLED) ## Check style, types, import contracts, proto files and that generated code is up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(PYTHON) protos/generate.py --check

.PHONY: fmt
fmt: $(INSTALLED) ## Format the code and repair what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: protos
protos: $(INSTALLED) ## Generate gen/ from protos/
	$(PYTHON) protos/generate.py

.PHONY: bench
bench: $(INSTALLED) ## Measure what requests cost, beside empty services that make the same calls
	$(PYTHON) -m bench

.PHONY: chaos
chaos: $(INSTALLED) ## Kill processes under load, for 5 minutes: make chaos SECONDS=60 SEED=7; data stays in data/chaos
	@mkdir -p data
	CHAOS_SECONDS=$(SECONDS) CHAOS_SEED=$(SEED) $(BIN)/pytest tests/chaos --basetemp=data/chaos

.PHONY: lock
lock: $(INSTALLED) ## Pin the newest versions that pyproject.toml allows in requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev \
		--no-annotate --custom-compile-command 'make lock' --output-file requirements.lock pyproject.toml

.PHONY: setup
setup: $(INSTALLED) ## Install everything into .venv (the other targets do it by themselves)

.PHONY: clean
clean: ## Remove .venv and caches; data/ stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is younger than what it was installed from, or the installation is done again.
$(INSTALLED): requirements.lock pyproject.toml
	@sh scripts/setup-venv $(VENV)
	@touch $@
