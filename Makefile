# Two environments: .venv holds the runtime alone, .venv-dev the toolchain and the tests as well. A third, .venv-wheel,
# is made anew whenever the wheel is tested: it holds the wheel, what the wheel depends on, and pytest.
PYTHON ?= python3
WORKERS ?= auto
PROMPT ?= a red car on the beach at sunset
PIP = -m pip --quiet --disable-pip-version-check
PIP_INSTALL = $(PIP) install --constraint constraints.txt

MINUTES ?= 5
SEED ?= $(shell date +%s)

.PHONY: arm64 fuzz kills test-newest test-oldest paint test test-unit test-slow test-wheel check bench clean
export PROMPT

paint: .venv/installed
	@.venv/bin/edgevlo paint -o out.png -- "$$PROMPT"

test: .venv-dev/installed
	OMP_NUM_THREADS=1 .venv-dev/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile

test-unit: .venv-dev/installed
	.venv-dev/bin/python -m pytest -m unit

test-slow: .venv-dev/installed
	.venv-dev/bin/python -m pytest -m slow

test-wheel:
	rm -rf build dist .venv-wheel
	$(PYTHON) -m venv .venv-wheel
	PIP_CONSTRAINT=constraints.txt .venv-wheel/bin/python $(PIP) wheel --no-deps --wheel-dir dist .
	.venv-wheel/bin/python $(PIP_INSTALL) dist/*.whl pytest
	cd dist && ../.venv-wheel/bin/python -c "import edgevlo, sys; sys.exit(not edgevlo.__file__.startswith(sys.prefix))"
	cd dist && ../.venv-wheel/bin/edgevlo paint -o painted.png -- "$$PROMPT"
	cd dist && ../.venv-wheel/bin/python -m pytest -c ../pyproject.toml -m unit ../tests

# Damaged input of every kind for so many MINUTES, from a SEED that is printed (tests/fuzz/campaign.py).
fuzz: .venv-dev/installed
	.venv-dev/bin/python tests/fuzz/campaign.py --minutes $(MINUTES) --seed $(SEED)

# Commands that are killed at random moments, and what they leave.
kills: .venv-dev/installed
	.venv-dev/bin/python tests/fuzz/kills.py --count 200 --seed $(SEED)

# The suite with the newest and the oldest releases that pyproject.toml allows, each in an environment of its own.
test-newest:
	$(PYTHON) -m venv .venv-newest
	.venv-newest/bin/python -m pip install --quiet --upgrade --editable '.[dev]'
	.venv-newest/bin/python -m pip list --format=freeze
	.venv-newest/bin/python -m pytest

test-oldest:
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --editable '.[dev]' $$($(PYTHON) tests/oldest.py)
	.venv-oldest/bin/python -m pip list --format=freeze
	.venv-oldest/bin/python -m pytest

check: .venv-dev/installed
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy

bench: .venv/installed .venv-dev/installed
	.venv-dev/bin/python benchmarks/painting.py

# 64-bit ARM, emulated, beside this machine: as root, with debootstrap and qemu-user-static. ARM64_ROOT holds the root.
ARM64_ROOT ?= build/arm64
arm64: .venv-dev/installed
	.venv-dev/bin/python benchmarks/arm64.py --root $(ARM64_ROOT)

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
	rm -rf .venv .venv-dev .venv-newest .venv-oldest .venv-wheel build dist *.egg-info
