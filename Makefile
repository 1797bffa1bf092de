# Two commands do everything: `make demo` and `make test`. Both set up .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The stamp of what is installed: lists of our own packages, below [tool...], are no part of it.
READY := $(VENV)/ready-$(shell sed '/^\[tool/,$$d' pyproject.toml | cat - constraints.txt | cksum | cut -d' ' -f1)
READERS := .venv-nir-readers
NEUROBENCH := .venv-neurobench
PEERS := .venv-peers
# Lava, which simulates Loihi 2, needs an older NumPy than we do.
LAVA_PYTHON ?= $(PYTHON)
LAVA_VENV := .venv-lava
LAVA_READY := $(LAVA_VENV)/ready-$(shell cksum < requirements-lava.txt | cut -d' ' -f1)
NEUROCUDA_DATA ?= ../shared/data
# Where the CPU build of torch is; used once, and not needed where pip finds that build elsewhere.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

export NEUROCUDA_DATA
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A checkout may also hold what its user tries out.
SOURCES := backends dialects examples neurocuda passes test tools

CROSS_PACKAGES := gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user \
	gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm

.DEFAULT_GOAL := help
.PHONY: help setup cross lava nir-readers neurobench peers demo test test-slow lint format docs accuracy baselines \
	benchmarks race track clean

help: ## lists the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## creates .venv with everything needed

cross: ## installs what builds and runs images for aarch64 and Cortex-M7: Debian's packages, as root
	apt-get install -y --no-install-recommends $(CROSS_PACKAGES)

lava: $(LAVA_READY) ## creates .venv-lava with Lava, which simulates Loihi 2

demo: $(READY) ## trains, compiles and runs a small residual network on real data
	$(BIN)/python examples/digits.py

test: lint ## linters, unit tests, lit tests
	$(BIN)/python -m pytest -q -n 2 -m "not slow" --ignore-glob='*.mlir'
	$(BIN)/lit -q test

test-slow: $(READY) ## what takes minutes or needs NEUROCUDA_DATA
	$(BIN)/python -m pip install -q --no-deps -r test/slow/requirements.txt
	$(BIN)/python -m pytest -q -m slow

nir-readers: $(READERS)/ready ## other frameworks that read .nir files, for test-slow, in an environment of their own

neurobench: $(NEUROBENCH)/ready ## the neurobench package, for test-slow, in an environment of its own

peers: $(PEERS)/ready ## spiking libraries and onnxruntime, for race, in an environment of their own

lint: $(READY) ## ruff and the type checker
	$(BIN)/ruff check -q $(SOURCES)
	$(BIN)/ruff format -q --check $(SOURCES)
	$(BIN)/basedpyright --pythonpath $(BIN)/python

format: $(READY) ## formats the code
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

docs: $(READY) ## writes docs/reference from the code
	$(BIN)/python -m neurocuda.tools.nc_docs

accuracy: $(READY) ## the accuracy figures of the README, on the data in NEUROCUDA_DATA
	$(BIN)/python test/benchmarks/accuracy.py

baselines: $(READY) ## calibrations side by side, free-running and gated
	$(BIN)/python test/benchmarks/baselines.py

benchmarks: $(READY) ## the time and memory figures of the README
	$(BIN)/python test/benchmarks/speed.py

race: $(PEERS)/ready ## docs/cpu-benchmarks.md: spiking networks on this CPU, beside libraries and source networks; hours
ifdef RACE
	OMP_NUM_THREADS=1 $(PEERS)/bin/python test/benchmarks/race $(RACE)
else
	OMP_NUM_THREADS=1 $(PEERS)/bin/python test/benchmarks/race --json build/race.json --networks resnet18,vgg11 \
		--rates 0.02,0.05,0.2 --steps 4,8 --batch 1 --threads 1
	OMP_NUM_THREADS=1 $(PEERS)/bin/python test/benchmarks/race --json build/race.json --page docs/cpu-benchmarks.md
endif

track: $(READY) ## start-up, compile time, IR size and run time of commits, kept and compared
	$(BIN)/python test/benchmarks/tracking $(TRACK)

clean: ## removes the environment and everything built
	rm -rf $(VENV) $(READERS) $(NEUROBENCH) $(PEERS) $(LAVA_VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# torch first and without its dependencies: looked up alone, an index that cannot be reached costs seconds, not minutes.
$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "NeuroCUDA needs Python 3.11 or newer; say which with: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --no-deps --retries 1 --extra-index-url $(TORCH_INDEX) -c constraints.txt torch
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,zig]'
	@rm -f $(VENV)/ready* && touch $@

$(READERS)/ready: test/slow/nir_readers/requirements.txt constraints.txt
	$(PYTHON) -m venv $(READERS)
	$(READERS)/bin/python -m pip install -q --no-deps --retries 1 --extra-index-url $(TORCH_INDEX) -c constraints.txt torch
	$(READERS)/bin/python -m pip install -q -c constraints.txt setuptools
	$(READERS)/bin/python -m pip install -q --no-deps -r $<
	$(READERS)/bin/python -m pip install -q --no-deps -e .
	@touch $@

$(NEUROBENCH)/ready: test/slow/neurobench/requirements.txt constraints.txt
	$(PYTHON) -m venv $(NEUROBENCH)
	$(NEUROBENCH)/bin/python -m pip install -q --no-deps --retries 1 --extra-index-url $(TORCH_INDEX) -c constraints.txt torch
	$(NEUROBENCH)/bin/python -m pip install -q -c $< neurobench
	@touch $@

$(PEERS)/ready: test/benchmarks/peers/requirements.txt constraints.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install -q --no-deps --retries 1 --extra-index-url $(TORCH_INDEX) -c constraints.txt torch
	$(PEERS)/bin/python -m pip install -q -c constraints.txt setuptools
	$(PEERS)/bin/python -m pip install -q --no-deps -r $<
	$(PEERS)/bin/python -m pip install -q --no-deps -e .
	@touch $@

$(LAVA_READY):
	@$(LAVA_PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' || \
		{ echo "Lava needs Python 3.10, 3.11 or 3.12; say which with: make lava LAVA_PYTHON=python3.11" >&2; exit 1; }
	$(LAVA_PYTHON) -m venv --clear $(LAVA_VENV)
	$(LAVA_VENV)/bin/python -m pip install -q --no-deps --ignore-requires-python -r requirements-lava.txt
	@touch $@
