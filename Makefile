# `make demo` and `make test` need nothing but Python 3.11 and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# two workers would compile every module anew, and so would each child
unexport PYTHONDONTWRITEBYTECODE

.PHONY: bench bench-check plots demo quick test test-beam test-core test-flex test-explorer test-micro test-page test-site check fuzz packages verdicts faults large clean
# one more than there are cores: what waits for a disk or a lock leaves a core to the others
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

demo: $(VENV)/.run        ## scan, fix and verify the sample that ships with the package
	$(BIN)/tflrepair demo

quick: $(firstword $(wildcard $(VENV)/.all) $(VENV)/.core)  ## after each edit: no TensorFlow, no child processes
	$(PYTEST) -q -m quick

test: $(VENV)/.all        ## all tests; installs TensorFlow, which makes the files to test on
	$(PYTEST)

test-core: $(VENV)/.core  ## tests that need no TensorFlow, in an environment without it
	$(PYTEST) -m "not tf and not slow"

test-flex: $(VENV)/.all $(VENV)-flex/.done  ## training with Flex operators, in tensorflow-cpu 2.18.1
	TFLREPAIR_FLEX_PYTHON=$(abspath $(VENV)-flex/bin/python) $(BIN)/python -m pytest tests/flex

test-beam: $(VENV)-beam/.done  ## the audit of many models, in Apache Beam
	TFLREPAIR_BEAM=1 $(VENV)-beam/bin/python -m pytest tests/beam

test-explorer: $(VENV)/.core $(VENV)-explorer/.done  ## node data as Google's Model Explorer reads it
	TFLREPAIR_EXPLORER_PYTHON=$(abspath $(VENV)-explorer/bin/python) $(BIN)/python -m pytest tests/explorer

test-micro: $(VENV)-micro/.done  ## the arena of --target tflm, by running tflite-micro's package
	TFLREPAIR_MICRO=1 $(VENV)-micro/bin/python -m pytest tests/micro

MINUTES ?= 2
fuzz: $(VENV)/.core       ## damage everything that can be read for MINUTES=n; prints a table
	-$(INSTALL) -e '.[fuzz]'
	cd tests && $(abspath $(BIN))/python -m fuzz.run $(MINUTES)

packages: $(VENV)/.core   ## scan every .tflite that some packages of PyPI and npm ship (downloads them)
	cd tests && $(abspath $(BIN))/python -m fuzz.packages

MUTANTS ?= 20000
verdicts: $(VENV)/.all    ## our verdict on MUTANTS=n damaged models against that of the runtimes
	cd tests && $(abspath $(BIN))/python -m fuzz.verdicts $(MUTANTS)

test-page: $(VENV)/.core  ## the page in headless Chromium (Debian: apt-get install chromium)
	TFLREPAIR_CHROMIUM=chromium $(BIN)/python -m pytest tests/browser

check: $(VENV)/.all       ## style, types, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python schema/generate.py --check
	$(BIN)/python docs/generate_checks.py --check
	$(BIN)/python docs/generate_schemas.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

test-site: $(VENV)/.all   ## the scripts that the pages show, run
	TFLREPAIR_SITE=1 $(BIN)/python -m pytest tests/docs

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[run]'
	touch $@

$(VENV)/.core: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[run,optimize,safetensors,remote,dev]'
	touch $@

$(VENV)/.all: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[all,dev,docs]' tf-keras
	touch $@

$(VENV)-flex/.done:
	$(PYTHON) -m venv $(VENV)-flex
	$(VENV)-flex/bin/python -m pip install --quiet tensorflow-cpu==2.18.1
	touch $@

$(VENV)-beam/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)-beam
	$(VENV)-beam/bin/python -m pip install --quiet -e '.[beam,remote]' pytest ai-edge-litert
	touch $@

$(VENV)-explorer/.done:
	$(PYTHON) -m venv $(VENV)-explorer
	$(VENV)-explorer/bin/python -m pip install --quiet ai-edge-model-explorer==0.1.34
	touch $@

$(VENV)-micro/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)-micro
	$(VENV)-micro/bin/python -m pip install --quiet -c constraints.txt -e '.[run,dev]' tflite-micro==0.dev20261023182759
	touch $@

PAIRS ?= 10
bench: $(VENV)/.all       ## time and memory against anchors and targets; RECORD=1 writes benchmarks/results.md; SHORT=1: reading only
	$(BIN)/python benchmarks/speed/bench.py --pairs $(PAIRS) $(if $(RECORD),--write) $(if $(SHORT),--short)

bench-check: $(VENV)/.core ## ends with 1 if a ratio is 30 % behind the recorded one; SHORT=1: reading only
	$(BIN)/python benchmarks/speed/bench.py --pairs $(PAIRS) --check $(if $(SHORT),--short)

plots: $(VENV)/.core      ## cost against size over four decades: docs/cost.svg; 4 GB of disk for a while
	$(BIN)/python benchmarks/speed/plots.py

faults: $(VENV)/.all      ## kill, fill, cut short and forge; KILLS=n for a short form
	cd tests && $(abspath $(BIN))/python -m faults.run $(or $(KILLS),500)

large: $(VENV)/.all       ## models of gigabytes and of 100,000 operators; 15 GB of disk for a while
	cd tests && $(abspath $(BIN))/python -m giants.run

clean:
	rm -rf $(VENV) $(VENV)-flex $(VENV)-beam $(VENV)-explorer $(VENV)-micro .cache .pytest_cache .mypy_cache .ruff_cache
