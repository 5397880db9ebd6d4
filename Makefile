# Every target makes .venv when it is missing; one line of output per step.
PYTHON ?= $(shell command -v python3.11 || echo python3)
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check serve bench torture mutants format lock clean audit

demo: .venv/installed
	@$(BIN)/comanda demo

test: .venv/installed
	@echo "test: the whole suite"
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal

check: .venv/installed
	@echo "check: format" && $(BIN)/ruff format --check -q .
	@echo "check: lint" && $(BIN)/ruff check -q .
	@echo "check: types" && $(BIN)/mypy --no-error-summary engine tests
	@echo "check: imports" && $(BIN)/lint-imports --no-logo >.venv/imports.log 2>&1 || { cat .venv/imports.log; exit 1; }
	@echo "check: schemas" && $(BIN)/comanda schema --check
	@echo "check: content" && $(BIN)/comanda check
	@echo "check: dependencies" && $(BIN)/python -m tests.audit --if-reachable

audit: .venv/installed
	@$(BIN)/python -m tests.audit

serve: .venv/installed
	@$(BIN)/comanda serve

bench: .venv/bench
	@$(BIN)/python -m tests.bench

torture: .venv/installed
	@$(BIN)/python -m tests.torture

# Hours: every mistake there can be in the shipped content, and shops that sell anything.
mutants: .venv/installed
	@$(BIN)/python -m tests.content.mutants --processes 2
	@$(BIN)/python -m tests.content.mutants --catalogs 500

format: .venv/installed
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

lock: .venv/installed
	@echo "lock: requirements.lock" && $(BIN)/uv pip compile -q pyproject.toml --extra dev --extra embedded --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade -o requirements.lock >/dev/null
	@echo "lock: requirements-serve.lock" && $(BIN)/uv pip compile -q pyproject.toml -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-serve.lock >/dev/null
	@echo "lock: requirements-bench.lock" && $(BIN)/uv pip compile -q pyproject.toml --extra bench -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade -o requirements-bench.lock >/dev/null

clean:
	@rm -rf .venv .comanda .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/installed: requirements.lock pyproject.toml
	@echo "install: virtual environment in .venv" && $(PYTHON) -m venv .venv
	@echo "install: locked dependencies" && $(BIN)/python -m pip install -qq --require-hashes --no-deps -r requirements.lock
	@echo "install: comanda" && $(BIN)/python -m pip install -qq --no-deps --no-build-isolation --no-index -e .
	@echo "install: bytecode, compiled once" && $(BIN)/python -m compileall -q engine
	@touch $@

.venv/bench: .venv/installed requirements-bench.lock
	@echo "install: locked dependencies of the bench" && $(BIN)/python -m pip install -qq --require-hashes --no-deps -r requirements-bench.lock
	@touch $@
