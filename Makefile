# Builds and installs the library; the rest is cargo's.
#
#   make install PREFIX=/usr/local        as usual
#   make install PREFIX=/usr DESTDIR=...  for packages
#   make install PROFILE=dev              what `cargo build` and `cargo test` have built already

PREFIX ?= /usr/local
# Relative to PREFIX; Debian's packages use lib/x86_64-linux-gnu.
LIBDIR ?= lib
DESTDIR ?=
PROFILE ?= release
CARGO ?= cargo

.PHONY: build install header

build:
	$(CARGO) build --profile $(PROFILE)

install: build
	sh cmake/install.sh "$(PROFILE)" "$(PREFIX)" "$(LIBDIR)" "$(DESTDIR)"

# Rewrites include/terralume.h from src/ffi.
header:
	TERRALUME_BLESS=1 $(CARGO) test --test header
