# One command sets everything up, and the others do that first: make test, make check, make demo.
#
# What is done is noted in stamp files beside the result, so a second run costs nothing, and a removed result is made
# again. Where this may not install packages it prints the one command that does, and stops.

PYTHON ?= python3
JOBS ?= 2

PACKAGES := clang-22 llvm-22 llvm-22-dev lld-22 libclang-rt-22-dev clang-tidy-22 \
            cmake ninja-build g++ make python3-venv meson tcl pkg-config dpkg-dev csmith libcsmith-dev zlib1g-dev file

VENV := .venv
BIN := $(VENV)/bin
NATIVE := build/native
PACKAGES_DONE := build/packages.stamp
PYTHON_DONE := $(VENV)/installed.stamp
NATIVE_DONE := $(NATIVE)/built.stamp
GYM := build/compiler-gym
GYM_DONE := $(GYM)/installed.stamp
IR2VEC := $(NATIVE)/share/ir2vec-vocabulary.json
MUTATOR := $(NATIVE)/bin/cc-agent-mutate
NATIVE_SOURCES := $(shell find passes -name CMakeLists.txt -o -name "*.cpp" -o -name "*.h" -o -name "*.def" -o -name "*.c")

.PHONY: setup test check demo compiler-gym ir2vec bench-size bench-speed bench-engine bench-replay bench-dropin bench-mutants bench-false-alarms bench-verification bench-mca bench-measurement clean
.DELETE_ON_ERROR:

setup: $(PACKAGES_DONE) $(PYTHON_DONE) $(NATIVE_DONE)

# Installs those of the packages $(1) that are missing, and only those: nothing is asked of the network when all are there.
define install_packages
	@mkdir -p $(@D)
	@missing=; \
	for package in $(1); do \
	  dpkg-query -W -f '$${db:Status-Status}\n' $$package 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then as_root=; \
	  elif sudo -n true 2>/dev/null; then as_root="sudo -n"; \
	  else \
	    echo "Packages are missing, and installing them needs your password. Run this, then make again:" >&2; \
	    echo "  sudo apt-get update && sudo apt-get install -y$$missing" >&2; \
	    exit 1; \
	  fi; \
	  echo "installing:$$missing"; \
	  for package in $$missing; do \
	    apt-cache show $$package >/dev/null 2>&1 || { $$as_root apt-get update; break; }; \
	  done; \
	  $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing || { \
	    echo "$(2) has to come from a distribution's or LLVM's own package source; add one, then make again." >&2; \
	    exit 1; \
	  }; \
	fi
endef

$(PACKAGES_DONE): Makefile
	$(call install_packages,$(PACKAGES),LLVM 22)
	@touch $@

# .venv/bin/cc-agent is a link, so that one directory on the PATH gives all commands.
$(PYTHON_DONE): pyproject.toml | $(PACKAGES_DONE)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@ln -sfn ../../$(NATIVE)/bin/cc-agent $(BIN)/cc-agent
	@ln -sfn ../../$(NATIVE)/bin/cc-agent++ $(BIN)/cc-agent++
	@touch $@

$(NATIVE_DONE): $(NATIVE_SOURCES) | $(PACKAGES_DONE) $(PYTHON_DONE)
	@mkdir -p build
	cmake -S passes -B build/cmake -G Ninja -DCMAKE_BUILD_TYPE=Release \
	  -DCC_AGENT_PYTHON_DEFAULT='$(CURDIR)/$(BIN)/python' >build/cmake.log || { cat build/cmake.log; exit 1; }
	cmake --build build/cmake --parallel $(JOBS)
	@touch $@

# What only the tests and the benchmark of planted faults need.
$(MUTATOR): $(wildcard passes/mutator/*) | $(NATIVE_DONE)
	cmake --build build/cmake --target cc-agent-mutate --parallel $(JOBS)
	@touch $@

test: setup $(MUTATOR)
	$(BIN)/pytest -n $(JOBS) --dist loadfile

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The old CompilerGym with its LLVM 10, which our own features and figures are compared with. It is dormant, and wants a Python
# environment of its own with tools of its time. It asks for clang and llvm-size under its own names and would fetch others.
compiler-gym: $(GYM_DONE)

$(GYM_DONE): Makefile
	$(call install_packages,libtinfo5 clang-13 llvm-13,LLVM 13)
	@test -x $(GYM)/bin/python || $(PYTHON) -m venv $(GYM)
	$(GYM)/bin/python -m pip install --quiet --disable-pip-version-check 'pip<24.1' 'setuptools<66' 'wheel<0.40'
	$(GYM)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation gym==0.21.0 'numpy<2' absl-py \
	  deprecated docker fasteners grpcio protobuf==3.20.3 humanize 'networkx<3.4' 'pydantic<2' requests tabulate
	$(GYM)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps compiler_gym==0.2.5
	@mkdir -p $(GYM)/site/llvm-v0/bin
	@touch $(GYM)/site/llvm-v0/.unpacked $(GYM)/site/llvm-v0/LICENSE
	@for tool in clang llvm-size; do \
	  printf '#!/bin/sh\nexec %s-13 "$$@"\n' $$tool >$(GYM)/site/llvm-v0/bin/$$tool; \
	  chmod +x $(GYM)/site/llvm-v0/bin/$$tool; \
	done
	@touch $@

# The vocabulary that IR2Vec's authors trained, from their Python package, of which nothing else is used or installed.
ir2vec: $(IR2VEC)

$(IR2VEC): compiler_agent/llvm/ir2vec.py | $(PYTHON_DONE)
	@mkdir -p $(@D)
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
	  --platform manylinux_2_17_x86_64 --dest build/ir2vec ir2vec==2.1.1
	$(BIN)/python -m compiler_agent.llvm.ir2vec build/ir2vec/*.whl $@

demo: setup
	$(BIN)/compiler-agent demo

bench-size: setup
	$(BIN)/compiler-agent bench size

bench-speed: setup
	$(BIN)/compiler-agent bench speed --json build/bench-speed/figures.json --markdown build/bench-speed/figures.md

bench-engine: setup
	$(BIN)/compiler-agent bench engine

bench-replay: setup
	$(BIN)/compiler-agent bench replay

bench-dropin: setup
	$(BIN)/compiler-agent bench drop-in

bench-mutants: setup $(MUTATOR)
	$(BIN)/compiler-agent bench mutants

bench-mca: setup
	$(BIN)/compiler-agent bench mca

bench-measurement: setup
	$(BIN)/compiler-agent bench measurement

bench-verification: setup
	$(BIN)/compiler-agent bench verification

bench-false-alarms: setup
	$(BIN)/compiler-agent bench false-alarms

# The virtual environment stays: it is slow to make, and `rm -rf .venv` is easy to type.
clean:
	rm -rf build/cmake build/cmake.log $(PACKAGES_DONE) $(NATIVE) .pytest_cache .ruff_cache .mypy_cache .hypothesis \
	  .import_linter_cache
	find compiler_agent tests passes -name __pycache__ -type d -prune -exec rm -rf {} +
