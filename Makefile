# genbench: what a person types.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# more tests at once than there are cores: half of them wait for the commands that they run, and
# who has done its share takes from the others, for the longest come in a row
TESTERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')

.PHONY: help install quickstart test slow torture lint format bench check docs clean

help:            ## this list
	@grep -hE '^[a-z]+: *.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

install: $(VENV)/.installed  ## make the virtual environment and install everything, pinned

$(VENV)/.installed: pyproject.toml .constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "genbench needs Python 3.11 or later; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c .constraints.txt -e ".[dev]"
	@touch $@

quickstart: install  ## six kinds of model on digits and a ring, side by side, in a few minutes
	$(BIN)/genbench run suites/quickstart.yaml

test: install    ## the tests (about 6 minutes on 2 cores)
	$(BIN)/python -m pytest -q -n $(TESTERS) --dist worksteal

slow: install    ## the long tests too
	$(BIN)/python -m pytest -q -m "slow or not slow"

torture: install ## kill, damage and mutate, long: 100 instants, 2,000 runs, 10,000 suites
	GENBENCH_TORTURE=100 GENBENCH_FUZZ=2000 GENBENCH_SUITES=10000 \
	    $(BIN)/python -m pytest -q -p no:xdist -m "slow or not slow" tests/running/test_torture.py \
	    tests/reporting/test_damaged_stores.py tests/suites/test_fuzz.py

lint: install    ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

format: install  ## let ruff mend what it can
	$(BIN)/ruff check --fix .

bench: install   ## speed and memory, as ratios against a baseline in the same run
	$(BIN)/python -m pytest -q -p no:xdist --benchmark-only --benchmark-disable-gc tests/benchmarks

check: install   ## run the small suite and hold its numbers against the accepted ones
	$(BIN)/genbench run suites/ci.yaml
	$(BIN)/genbench check suites/ci.yaml

docs: install    ## write the generated parts of the manual anew
	$(BIN)/python -m genbench.catalogue.manual genbench/docs/*/*.md

clean:           ## remove the environment and caches (results stay)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
