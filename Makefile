# SPDX-License-Identifier: MIT
# A thin front of the CMake presets: what people type. `make help` lists it.
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 30
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# $(call build,PRESET): configures, in a second when nothing changed, and builds. The presets name
# no generator, so that make does where ninja is not installed.
define build
@command -v cmake >/dev/null || { echo 'cmake is missing; `make setup` installs it' >&2; exit 1; }
@if [ -z "$$CMAKE_GENERATOR" ] && command -v ninja >/dev/null; then export CMAKE_GENERATOR=Ninja; fi; \
	log=$$(cmake --preset $(1) -DCMAKE_EXPORT_COMPILE_COMMANDS=ON 2>&1) || \
	{ echo "$$log"; exit 1; }
cmake --build --preset $(1) -j $(JOBS)
endef

.PHONY: all
all: ## build/clipc, build/libclipc.so and build/libclipc.a, optimised (default)
	$(call build,release)

.PHONY: setup
setup: ## install the Debian packages that are missing
	@scripts/setup.sh

.PHONY: demo
demo: ## set up, build, classify pictures of the repository with the model that ships
	@scripts/setup.sh
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh build/clipc

.PHONY: test
test: ## set up, build, run the whole test suite
	@scripts/setup.sh
	@$(MAKE) --no-print-directory all
	@scripts/run_tests.sh build

.PHONY: asan
asan: ## the same under AddressSanitizer and UndefinedBehaviorSanitizer, in build/asan
	@scripts/setup.sh
	$(call build,asan)
	@scripts/run_tests.sh build/asan

.PHONY: arm
arm: ## cross-build for 64-bit ARM in build/arm and run its tests under qemu-user (Debian)
	@scripts/setup.sh --arm
	$(call build,arm)
	@nice scripts/run_tests.sh build/arm

.PHONY: lint
lint: all ## formatting, style, include directions, API comments, cppcheck
	@scripts/lint/run.sh build

.PHONY: bench
bench: all ## the matrix kernels of every CPU level beside the arithmetic's ceiling
	@build/clipc bench --what kernels

.PHONY: compare
compare: all ## clipc beside PyTorch, ONNX Runtime, OpenVINO and others (from PyPI), into the docs
	@python3 bench/compare.py
	@python3 bench/report.py

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZ_SECONDS, in build/fuzz (clang)
	@scripts/setup.sh --fuzz
	$(call build,fuzz)
	@scripts/fuzz.sh build/fuzz $(FUZZ_SECONDS)

.PHONY: install
install: all ## install under PREFIX (default /usr/local), inside DESTDIR
	cmake --install build --prefix "$(PREFIX)"

.PHONY: format
format: ## clang-format every C file in place
	find src include tests examples cmake bench -name '*.[ch]' -exec clang-format -i {} +

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 \2/p' $(MAKEFILE_LIST) | \
		awk '{ name = $$1 " " $$2; sub(/^ *make [a-z]+ /, ""); printf "  %-14s%s\n", name, $$0 }'
