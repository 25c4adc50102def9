# The short way to everything; what is missing is installed first.
#
#   make demo                             builds and renders the bundled DEM
#   make test                             runs every test
#   make test-trixie                      tests of GDAL on Debian 13, in a folder of 4 GB: root, and some time
#   make check                            formatting, clippy, header
#   make docs, make gallery               write docs/operations.md, docs/gallery.md and their pictures
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

.PHONY: demo test test-trixie check docs gallery deps build install header

demo: deps
	$(CARGO) build --release
	scripts/demo.sh

# The demo is a command of the README, so it is a test too.
test: deps
	$(CARGO) test
	$(MAKE) demo

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
