# `make demo` and `make test` are all that a fresh clone needs beside a Swift toolchain.

# Extra flags for every build, such as -Xswiftc -warnings-as-errors.
SWIFTFLAGS ?=
FASHION_MNIST ?= /usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
SOURCES := Sources Tests Package.swift $(wildcard Snippets) \
  $(foreach part,Package.swift Sources Tests,$(wildcard Examples/*/$(part)))

.PHONY: demo demo-mpi mpi-build test test-mpi bench lint format layers names instructions dependents threads memory api server-test docs docs-open snippets release-check arm dependencies clean

demo: ## Run the experiment, explain batch norm on images, train for a short epoch, hear tones.
	@Tools/install-dependencies.sh demo
	swift run -c release $(SWIFTFLAGS) Experiment
	@# The explanation ends with status 1, as it finds a gap.
	@if [ -f $(FASHION_MNIST) ]; then set -x; \
	  swift run -c release $(SWIFTFLAGS) \
	    norma explain --input $(FASHION_MNIST) --count 1000 --correction 1 || [ $$? -eq 1 ]; \
	else \
	  echo "For the second part, name Fashion-MNIST's test images: make demo FASHION_MNIST=path"; \
	fi
	@if [ -f $(dir $(FASHION_MNIST))train-images-idx3-ubyte.gz ]; then set -x; \
	  swift run -c release $(SWIFTFLAGS) norma train --data $(dir $(FASHION_MNIST)) \
	    --epochs 1 --width 8 --out .build/demo.safetensors; \
	fi
	@SWIFTFLAGS="$(SWIFTFLAGS)" Tools/demo-pitch.sh

# A folder of its own: traits change how everything is compiled.
MPI_BUILD := .build/mpi
MPIRUN := mpirun --oversubscribe $(if $(filter 0,$(shell id -u)),--allow-run-as-root)

mpi-build:
	@Tools/install-dependencies.sh mpi
	@# Hashing decides in which order SwiftPM passes the traits, and so what it compiles again.
	SWIFT_DETERMINISTIC_HASHING=1 swift build -c release $(SWIFTFLAGS) --scratch-path $(MPI_BUILD) --traits Everything,MPI --product norma

demo-mpi: mpi-build ## Train in two processes of this machine, over MPI.
	$(MPIRUN) -n 2 $(MPI_BUILD)/release/norma distributed
	$(MPIRUN) -n 2 $(MPI_BUILD)/release/norma train --distributed \
	  --data $(dir $(FASHION_MNIST)) --epochs 1 --width 8 --out .build/demo-mpi.safetensors

test-mpi: mpi-build ## Check groups over MPI, and training across three hosts in network namespaces.
	for n in 1 2 3 4; do \
	  $(MPIRUN) -n $$n $(MPI_BUILD)/release/norma distributed --bytes 1000,1000000 || exit 1; \
	  NORMA_MPI_PIECE=1000 $(MPIRUN) -x NORMA_MPI_PIECE -n $$n \
	    $(MPI_BUILD)/release/norma distributed --bytes 1000000 || exit 1; \
	done
	@if [ -f $(FASHION_MNIST) ]; then set -x; \
	  python3 Tools/compare-ranks.py $(MPI_BUILD)/release/norma $(dir $(FASHION_MNIST)) \
	    --steps 4 --lr 0.001; \
	fi
	@if [ "$$(id -u)" -eq 0 ] && [ "$$(uname -s)" = Linux ]; then \
	  set -x; python3 Tools/three-hosts.py $(MPI_BUILD)/release/norma; \
	else \
	  echo "The second part needs network namespaces: run it as root on Linux"; \
	fi

test: layers ## Check the layers and run all tests.
	swift test $(SWIFTFLAGS)

bench: dependencies ## Measure, each figure beside the copy time of the same bytes.
	swift run -c release $(SWIFTFLAGS) norma bench

lint: ## Check style.
	swift format lint --strict -r $(SOURCES)

format: ## Format in place.
	swift format format --in-place -r $(SOURCES)

layers: dependencies ## Check imports, file sizes, traps, language and the code in the documents.
	python3 Tools/check-layers.py
	python3 Tools/check-language.py
	python3 Tools/check-snippets.py

names: ## Check that names of PyTorch and NumPy lead to Norma's; needs the build of the tests.
	python3 Tools/check-other-names.py

instructions: ## Count the instructions of small operations, which must not become more; needs the build of the tests.
	@Tools/install-dependencies.sh count
	python3 Tools/count-instructions.py

dependents: dependencies ## Check what a package that depends on Norma without traits links.
	Tools/check-dependents.sh

arm: ## Compare the bits of the C loops on arm64, under qemu, with those of this machine.
	Tools/check-arm.sh

release-check: dependencies ## Check that a package can depend on the version of the README.
	Tools/check-release.sh

threads: dependencies ## Run what shares memory between tasks under the thread sanitizer.
	Tools/check-threads.sh

memory: dependencies ## Run the benchmark's operations and a service under the address sanitizer.
	Tools/check-memory.sh

api: dependencies ## Compare the public interface with that of the last release.
	Tools/check-api.sh

server-test: dependencies ## Test the example of a server, with clients of its own and with curl.
	swift test --package-path Examples/Server
	Examples/Server/check.sh

docs: dependencies ## Write the documentation to .build/docs.
	Tools/build-docs.sh

docs-open: docs ## The same, and show it in a browser.
	Tools/open-docs.sh

snippets: ## Run the programs of the documentation; needs the build of the tests.
	python3 Tools/run-snippets.py

dependencies:
	@Tools/install-dependencies.sh build

clean:
	swift package clean
