# `make demo` runs the main job, `make test` passes the suite; both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Runs and tests start many Python processes. With this variable set, each process would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

# One more than there are processors, because a test often waits for something to start or to end.
TEST_PROCESSES ?= $(shell $(PYTHON) -c 'import os; print(min(8, (os.cpu_count() or 1) + 1))')

# What the tests of TrOCR need on top of the lock. `+cpu` is a build without CUDA, 200 MB instead of gigabytes. PyPI does
# not have it; if neither pip's own indexes nor this one do, pip fails within seconds.
TORCH := torch==2.13.0+cpu
TROCR := $(TORCH) transformers==5.23.0 sentencepiece==0.2.3
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL_TROCR = $(PIP) --retries 0 --timeout 5 --no-deps --extra-index-url $(TORCH_INDEX) $(TORCH) && \
	$(PIP) --constraint requirements-dev.lock $(TROCR)

.PHONY: help demo test test-trocr check docs faults bench lock system system-for-tests clean
.DEFAULT_GOAL := help

help:
	@echo "make demo        set up, then stream a small inbox of documents into a Delta table"
	@echo "make test        set up, then run the whole test suite; it ends with what it skipped and why"
	@echo "make test-trocr  set up, then run the tests of TrOCR alone; they need torch without CUDA (200 MB)"
	@echo "make check       lint, format and type checks; the documentation is built, and its links are checked"
	@echo "make docs        build the documentation and serve it on http://127.0.0.1:8000"
	@echo "make faults      the long fault campaign: hundreds of kills, lost replies and power cuts, lost 0 and duplicated 0"
	@echo "make bench       throughput against the bare loop, xargs + tesseract and OCRmyPDF"
	@echo "make lock        renew requirements.lock and requirements-dev.lock from pyproject.toml"

system:
	@PYTHON=$(PYTHON) sh deployments/system-packages.sh

system-for-tests:
	@PYTHON=$(PYTHON) sh deployments/system-packages.sh tests

$(VENV)/runtime.stamp: requirements.lock pyproject.toml | system
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.lock
	$(PIP) --no-deps -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/runtime.stamp
	$(PIP) -r requirements-dev.lock
	@touch $@

demo: system $(VENV)/runtime.stamp
	@$(BIN)/inkstream demo

test: system-for-tests $(VENV)/dev.stamp
	@{ $(INSTALL_TROCR); } >/dev/null 2>&1 || \
	  echo "note: the tests of TrOCR will be skipped: $(TROCR) could not be installed; make test-trocr shows why" >&2
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

test-trocr: system $(VENV)/dev.stamp
	$(INSTALL_TROCR)
	$(BIN)/python -m pytest tests/unit/ocr_core/engines/trocr/test_reader.py tests/unit/ocr_core/engines/trocr/test_loading.py

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs: $(VENV)/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

faults: system $(VENV)/dev.stamp
	$(BIN)/python -m tests.faults.campaign
	$(BIN)/python -m tests.faults.s3_campaign
	$(BIN)/python -m tests.faults.power_cut --rounds 100
	$(BIN)/python -m tests.faults.power_cut --rounds 100 --kind xfs
	$(BIN)/python -m tests.faults.s3_campaign --ceph --commits 60 --lost-replies 50 --streams 6 --drivers 1

bench: system $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.throughput

# Extras that include others name the project itself, which is no package to lock.
UNLOCKED := --unsafe-package inkstream --unsafe-package pip --unsafe-package setuptools

lock: $(VENV)/dev.stamp
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options --no-header $(UNLOCKED) \
	  --extra prefect --extra polars --extra ppocr --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options --no-header $(UNLOCKED) \
	  --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) .ceph demo build dist *.egg-info
