# Two environments: .venv holds the runtime alone, .venv-dev the toolchain and the tests as well.
PYTHON ?= python3
PROMPT ?= a red car on the beach at sunset
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: paint test test-unit test-slow check bench clean
export PROMPT

paint: .venv/installed
	@.venv/bin/edgevlo paint -o out.png -- "$$PROMPT"

test: .venv-dev/installed
	.venv-dev/bin/python -m pytest

test-unit: .venv-dev/installed
	.venv-dev/bin/python -m pytest -m unit

test-slow: .venv-dev/installed
	.venv-dev/bin/python -m pytest -m slow

check: .venv-dev/installed
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy

bench: .venv/installed .venv-dev/installed
	.venv-dev/bin/python benchmarks/painting.py

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "edgevlo needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP_INSTALL) --no-compile --editable .
	@touch $@

.venv-dev/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "edgevlo needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv-dev
	.venv-dev/bin/python $(PIP_INSTALL) --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv .venv-dev build dist *.egg-info
