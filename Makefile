# Two commands set this project up: `make demo` and `make test`. Both build .venv themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test kernels coverage lint docs check clean

# torch comes first and pinned, so that pip takes the build the machine offers and nothing drags CUDA in later.
$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/untaught demo -o demo

# The kernels are compiled while ruff and mypy have the other core, and not by each process of the tests.
test: $(VENV)/.installed-test
	$(MAKE) --no-print-directory -j 2 lint kernels
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

kernels: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.helpers.compiled

# Which lines and branches the tests run, in the processes that they start too; more than half as long again as `test`.
coverage: export COVERAGE_FILE = $(CURDIR)/build/.coverage
coverage: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt 'coverage>=7.10'
	mkdir -p build
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest --numprocesses 2 --dist worksteal
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage json --quiet -o build/coverage.json
	$(BIN)/python -m coverage report --sort=miss --skip-covered
	$(BIN)/python docs/scripts/covered.py build/coverage.json

lint: $(VENV)/.installed-test
	$(BIN)/ruff check src tests benchmarks docs/scripts packaging
	$(BIN)/ruff format --check src tests benchmarks docs/scripts packaging
	$(BIN)/mypy

# The site, in build/site; a warning is an error. It reads the code without running it, so this environment needs no torch.
$(VENV)/.docs/.installed: pyproject.toml
	test -x $(VENV)/.docs/bin/python || $(PYTHON) -m venv $(VENV)/.docs
	$(VENV)/.docs/bin/python -m pip install --quiet --disable-pip-version-check $$($(PYTHON) docs/scripts/extra.py docs)
	touch $@

docs: $(VENV)/.docs/.installed
	NO_MKDOCS_2_WARNING=1 $(VENV)/.docs/bin/mkdocs build

check: test

clean:
	rm -rf $(VENV) build demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
