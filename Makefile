# Two commands for a newcomer: `make demo` speaks, `make test` checks everything.
PYTHON ?= python3
BIN := .venv/bin
SENTENCE := Hello! I am a small robot. Move two meters to the left, please.

.PHONY: install demo report test clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[export,dev,tensorrt-rtx]'
	touch $@

demo: install
	$(BIN)/tldr-export --patch 4 --fp16 --out build/embedded-k4-fp16
	$(BIN)/tldr-speak "$(SENTENCE)" --bundle build/embedded-k4-fp16 -o demo.wav

# The page under benchmarks/reports, measured anew on this machine: half an hour, 10 GB of cache, two idle cores.
report: install
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	PATH="$(abspath $(BIN)):$$PATH" bash benchmarks/reports/measure.sh

test: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

clean:
	rm -rf .venv build demo.wav
