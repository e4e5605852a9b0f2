# The few commands of this repository; `make help` lists them. All the rest is in pyproject.toml and .ci/.

.DEFAULT_GOAL := help
BIN := .venv/bin

# make demo RASA_PORT=5006 ACTIONS_PORT=5056 SIMULATOR_PORT=8091 ARGS=--reset
PORTS := $(if $(RASA_PORT),--rasa-port $(RASA_PORT)) $(if $(ACTIONS_PORT),--actions-port $(ACTIONS_PORT)) \
	$(if $(SIMULATOR_PORT),--simulator-port $(SIMULATOR_PORT))

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: demo
demo: install ## Chat with the example bot on a simulated WhatsApp (ARGS=--reset forgets the chats; RASA_PORT=..., ...)
	@$(BIN)/rasa-whatsapp demo $(PORTS) $(ARGS)

.PHONY: cluster
cluster: install ## Run the bot as in production, on this machine: two Rasa servers, intake, databases, proxy (ARGS=--servers 3)
	@$(BIN)/rasa-whatsapp cluster $(ARGS)

.PHONY: test
test: install ## Run all tests (ARGS=... goes to pytest)
	@$(BIN)/python -m pytest -n auto --maxprocesses 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: check
check: install ## Lint, formatting, types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict connectors/rasa_whatsapp

.PHONY: format
format: install ## Format the code, and repair what the linter can repair
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: install
install: ## Make .venv or bring it up to date (PYTHON=... names the Python 3.10)
	@sh .ci/venv

.PHONY: clean
clean: ## Delete all that was made here, but for what the demo and the cluster keep (.demo, .cluster)
	rm -rf .venv .rasa models results dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
