# For newcomers: `make demo` speaks, `make check` is the inner loop, `make test` checks everything.
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2
SENTENCE := Hello! I am a small robot. Move two meters to the left, please.

.PHONY: install demo check test docs report aarch64 clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[export,dev,docs,tensorrt-rtx]'
	touch $@

demo: install
	$(BIN)/tldr-export --patch 4 --fp16 --out build/embedded-k4-fp16
	$(BIN)/tldr-speak "$(SENTENCE)" --bundle build/embedded-k4-fp16 -o demo.wav

# Lint, types of what a plain install contains, and its tests without PyTorch. The tree is not formatted by ruff, so that
# `ruff format --check` is no part of it.
check: install
	$(BIN)/ruff check .
	$(BIN)/mypy runtime serving tldr_edge
	$(BIN)/pytest -n $(JOBS) --dist worksteal -m "not torch and not alone" tests/runtime tests/serving tests/test_house.py

test: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --python-version 3.10 runtime serving tldr_edge
	$(BIN)/pytest -n $(JOBS) --dist loadfile -m "not alone"
	$(BIN)/pytest -m alone

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# The page under benchmarks/reports, measured on this machine: half an hour, 10 GB of cache, two idle cores.
report: install
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	PATH="$(abspath $(BIN)):$$PATH" bash benchmarks/reports/measure.sh

# A plain install on emulated arm64: skipped with a reason where emulation is missing.
aarch64:
	bash .ci/aarch64

clean:
	rm -rf .venv build demo.wav
