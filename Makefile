# The short way to everything; what is missing is installed first.
#
#   make demo                             builds and renders the bundled DEM
#   make test                             runs every test
#   make test-trixie                      tests of GDAL and QGIS on Debian 13, in a folder of 4 GB: root, and some time
#   make check                            formatting, clippy, header
#   make docs, make gallery               write docs/operations.md, docs/gallery.md and their pictures
#   make qgis-plugin                      target/terralume-qgis-VERSION.zip, for QGIS's "Install from ZIP"
#   make test-python                      runs the tests of the Python package, as make test does
#   make wheel                            target/wheel/terralume-VERSION-py3-none-PLATFORM.whl, for pip install
#   make python-functions                 writes python/terralume/functions from what the library says of itself
#   make test-qgis                        runs the tests of the QGIS plugin, as make test does
#   make qgis-data                        rewrites what the plugin has from the library: descriptions, help, pictures
#   make install PREFIX=/usr/local        as usual
#   make install PREFIX=/usr DESTDIR=...  for packages
#   make install GDALPLUGINS=1            and a link in GDAL's folder of plugins, as PREFIX=/usr does
#   make install PROFILE=dev              what `cargo build` and `cargo test` have built already

PREFIX ?= /usr/local
# Relative to PREFIX; Debian's packages use lib/x86_64-linux-gnu.
LIBDIR ?= lib
DESTDIR ?=
PROFILE ?= release
# 1: every GDAL program of the machine loads the plugin.
GDALPLUGINS ?= $(if $(filter /usr,$(PREFIX)),1,0)
CARGO ?= cargo

# A QGIS with its Python, and a screen for it that nobody sees.
QGIS_PACKAGES = qgis python3-qgis qgis-server python3-venv xvfb xauth

.PHONY: demo test test-qgis test-python wheel python-functions test-trixie check docs gallery deps build install header qgis-plugin qgis-data build-for-qgis

demo: deps
	$(CARGO) build --release
	scripts/demo.sh

# The demo is a command of the README, so it is a test too.
test: deps
	$(CARGO) test --no-fail-fast
	$(MAKE) test-qgis
	$(MAKE) test-python
	$(MAKE) demo

# cargo test has built the library already.
test-qgis: build-for-qgis
	scripts/test-qgis.sh

test-python: deps
	$(CARGO) build
	scripts/test-python.sh

wheel:
	scripts/install-deps.sh python3-venv
	rm -rf python/build
	"$$(scripts/test-python.sh --python)" -m pip wheel --no-deps --no-build-isolation --wheel-dir target/wheel ./python

python-functions:
	$(CARGO) build
	TERRALUME_LIBRARY=$(CURDIR)/target/debug/libterralume.so \
	    "$$(scripts/test-python.sh --python)" scripts/python-functions.py

build-for-qgis:
	scripts/install-deps.sh $(QGIS_PACKAGES)
	$(CARGO) build

test-trixie: deps
	scripts/trixie.sh

check: deps
	$(CARGO) fmt --all --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) test --test header

docs: deps
	$(CARGO) build --release
	scripts/pictures.sh
	TERRALUME_BLESS=1 $(CARGO) test --test docs

gallery: docs

deps:
	scripts/install-deps.sh

build:
	$(CARGO) build --profile $(PROFILE)

install: build
	sh cmake/install.sh "$(PROFILE)" "$(PREFIX)" "$(LIBDIR)" "$(DESTDIR)" "$(GDALPLUGINS)"

# Rewrites include/terralume.h from src/ffi.
header:
	TERRALUME_BLESS=1 $(CARGO) test --test header

qgis-plugin:
	/usr/bin/python3 scripts/package_qgis_plugin.py target

qgis-data: build-for-qgis
	scripts/qgis-data.sh
