# make demo   set up, train on bundled digits, export, run from C, C++, Python and Swift
# make test   every test that finishes within 20 minutes;  make test-all adds the long ones
# make lib    build/libapus.so and build/libapus.a
# make bench  Apus and its peers; BENCH='--quick --models mnist-cnn' for less
# make bench-decode    tokens a second of a GPT-2-shaped model; BENCH='--threads 2 --types w4'
# make bench-kernels   the share of this machine's peak that the networks' matrix products reach; BENCH='resnet50' for less
PREFIX ?= /usr/local
VENV := .venv
BENCH_VENV := .venv-bench
PYTHON := $(VENV)/bin/python
SWIFT_BUILD := swift build -c release

.PHONY: demo test test-all lib tools install wheel bench bench-decode bench-kernels clean setup venv docs

demo: lib tools venv
	./scripts/demo.sh

test: lib venv
	./scripts/test.sh

test-all: test
	./scripts/test-oracle.sh
	./scripts/test-onnx.sh
	./scripts/test-large.sh
	./scripts/test-onnx-export.sh
	./scripts/hostile-onnx.sh
	./scripts/test-minilm.sh
	./scripts/test-models.sh
	./scripts/quantize-examples.sh
	./scripts/test-long.sh

setup: build/.setup

# The packages this project needs that the machine lacks.
build/.setup: scripts/setup.sh
	./scripts/setup.sh
	@mkdir -p build && touch $@

venv: build/.venv

build/.venv: build/.setup scripts/requirements.txt
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt
	touch $@

lib: setup
	./scripts/build-lib.sh

tools: setup
	$(SWIFT_BUILD)

install: lib
	./packaging/install.sh "$(DESTDIR)$(PREFIX)" "$(PREFIX)"

wheel: lib venv
	$(PYTHON) Bindings/python/build_wheel.py

bench: lib tools $(BENCH_VENV)/.installed
	PYTHONPATH=Benchmarks $(BENCH_VENV)/bin/python -m bench $(BENCH)

bench-decode: lib tools $(BENCH_VENV)/.installed
	PYTHONPATH=Benchmarks:Bindings/python APUS_LIBRARY=build/libapus.so $(BENCH_VENV)/bin/python -m decode $(BENCH)

bench-kernels: $(BENCH_VENV)/.installed
	PYTHONPATH=Benchmarks $(BENCH_VENV)/bin/python -m bench.products $(BENCH)

$(BENCH_VENV)/.installed: build/.setup Benchmarks/requirements.txt
	python3 -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements.txt
	touch $@

docs: setup
	APUS_DOCS=1 swift package --scratch-path .build-docs --allow-writing-to-directory build/docs \
		generate-documentation --target Apus --output-path build/docs --transform-for-static-hosting

clean:
	rm -rf build .build .build-embedded .build-* $(VENV) $(BENCH_VENV)
