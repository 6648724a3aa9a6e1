# make demo: run the airfoil study on this machine.   make test: all tests.   make check: the other checks.
# make upgrade: refresh the versions in locks/.   make test-oldest: a part of the tests with the oldest versions.
# make soak: for hours, the long searches of the protocol, 100,000 stories of appliers, 200 races of processes, a server
# that is killed 1,000 times, an upload of 2 GB, 20 million numbers against Java, and 100,000 templates against Jinja.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What uses every library that `doe` needs, from the YAML over the wire to the table.
OLDEST := tests/spec tests/client tests/design tests/platform/test_endpoints.py tests/platform/test_http.py \
  tests/cli/test_way_through.py

.PHONY: demo test test-oldest check bench soak upgrade clean
.DELETE_ON_ERROR:

demo: .venv/installed
	$(BIN)/doe apply examples/airfoil2d --yes

test: .venv/dev
	$(BIN)/python -m pytest -n 3 --dist loadgroup

test-oldest: .venv-oldest/installed
	.venv-oldest/bin/python -m pytest -n 2 --dist loadgroup -p no:cacheprovider $(OLDEST)

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

soak: .venv/dev
	DOE_LONG_SEARCH=1 $(BIN)/python -m pytest tests/plan/test_search.py
	DOE_RACES=200 $(BIN)/python -m pytest tests/apply/test_processes.py
	DOE_STATEFUL_EXAMPLES=100000 $(BIN)/python -m pytest -n 2 tests/apply/test_interleavings.py
	DOE_SOAK_KILLS=1000 $(BIN)/python -m pytest tests/platform/test_kills.py
	DOE_SOAK_SLURM=10 $(BIN)/python -m pytest tests/platform/test_slurm.py -k kills
	DOE_SOAK_UPLOAD_MB=2048 $(BIN)/python -m pytest tests/platform/test_hardening.py -k large_upload
	DOE_SOAK_PAIRS=20000000 $(BIN)/python -m pytest tests/templates/test_java_oracle.py
	DOE_TEMPLATES=100000 $(BIN)/python -m pytest tests/templates/test_jinja_lowering.py

bench: .venv/bench
	$(BIN)/python -m bench

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "doe needs Python 3.11 or newer; say: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "venv is missing; on Debian: apt install python3-venv" >&2; exit 1; }
	@touch $@

# Exact versions from the lock files; only `make upgrade` looks for newer ones.
.venv/installed: .venv/python locks/build.txt pyproject.toml
	$(call install,.venv,build)
	@touch $@

.venv/dev: .venv/python locks/dev.txt pyproject.toml
	$(call install,.venv,dev)
	@touch $@ .venv/installed

.venv/bench: .venv/python locks/bench.txt pyproject.toml
	$(call install,.venv,bench)
	@touch $@ .venv/installed

.venv-oldest/installed: locks/oldest.txt pyproject.toml
	$(PYTHON) -m venv .venv-oldest
	$(call install,.venv-oldest,oldest)
	@touch $@

define install
	$(1)/bin/python -m pip install --quiet --no-deps --requirement locks/$(2).txt
	$(1)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
endef

upgrade:
	$(PYTHON) -m venv .venv-upgrade
	.venv-upgrade/bin/python -m pip install --quiet --upgrade uv
	$(call lock,build,highest)
	$(call lock,dev,highest)
	$(call lock,bench,highest)
	$(call lock,oldest,lowest-direct)

define lock
	.venv-upgrade/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url \
	  --no-annotate --no-header --no-emit-package doe-compiler --resolution $(2) --extra $(1) pyproject.toml \
	  --output-file locks/$(1).txt
endef

clean:
	rm -rf .venv .venv-oldest .venv-upgrade .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
