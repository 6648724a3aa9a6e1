# make demo: run the airfoil study on this machine.   make test: all tests.   make check: the other checks.
# make soak: for hours, a server that is killed 1,000 times, and an upload of 2 GB.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check bench soak clean
.DELETE_ON_ERROR:

demo: .venv/installed
	$(BIN)/doe apply examples/airfoil2d --yes

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

soak: .venv/dev
	DOE_SOAK_KILLS=1000 $(BIN)/python -m pytest tests/platform/test_kills.py
	DOE_SOAK_UPLOAD_MB=2048 $(BIN)/python -m pytest tests/platform/test_hardening.py -k large_upload

bench: .venv/bench
	$(BIN)/python -m bench

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "doe needs Python 3.11 or newer; say: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "venv is missing; on Debian: apt install python3-venv" >&2; exit 1; }
	@touch $@

.venv/installed: .venv/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/dev: .venv/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ .venv/installed

.venv/bench: .venv/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@ .venv/installed

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
