# SPDX-License-Identifier: MIT
#
# The front door. `make help` lists what there is.

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local

MODULES = $(MAKE) -C $(KDIR) M=$(CURDIR)/drivers
PROGRAMS := tools/libpeerbuf tools/peerbuf

all: modules $(PROGRAMS)	## modules, library and command (KDIR=kernel build directory)

modules: headers
	$(MODULES) modules

headers:
	@test -e $(KDIR)/Makefile || { \
		echo "No kernel headers in $(KDIR): install the package of the" \
		     "running kernel (Debian: linux-headers-amd64), or set KDIR" >&2; \
		exit 1; }

$(PROGRAMS):
	$(MAKE) -C $@ all

tools/peerbuf: tools/libpeerbuf

demo:	## in a virtual machine: a picture goes from a disk over a wire to a screen
	@tools/vm/demo

demo-edu:	## likewise: test engines move data from BAR to BAR, step by step
	@tools/vm/demo edu

check:	## selftests on every topology (TOPOLOGY= TESTS= KERNEL=stock|debug|race V=1)
	@tools/vm/check

check-fabric:	## routes and addresses against the kernel's on random fabrics (SEEDS=)
	@tools/vm/check-fabric

check-debug:	## the same and KUnit, on a kernel that looks for mistakes; coverage
	@KERNEL=debug tools/vm/check

check-race:	## likewise, on a kernel that looks for data races (TOPOLOGY= TESTS=)
	@KERNEL=race TOPOLOGY=$${TOPOLOGY:-switch,ports-iommu} tools/vm/check

soak:	## all importers on shared buffers, revokes and rebinds, for MINUTES= (10)
	@tools/vm/soak

race:	## attach, fault, revoke, close, fork, rebind on many threads for MINUTES= (30)
	@tools/vm/attack race

fuzz:	## made-up calls on all our files: CALLS= (1000000), from SEED= (1000) on
	@tools/vm/attack fuzz

style:	## checkpatch, warnings, sparse, kernel-doc, shellcheck, SPDX
	@tools/style/check

docs:	## the pages of Documentation, as HTML in build/docs
	@tools/docs/build

pictures:	## the pictures and texts in Documentation/routes anew, from runs
	@tools/vm/pictures

vm:	## a shell in the virtual machine (TOPOLOGY= KERNEL=stock|debug|race)
	@tools/vm/shell

install: all	## what `make` built (PREFIX= DESTDIR= INSTALL_MOD_PATH=)
	$(MODULES) INSTALL_MOD_PATH=$(or $(INSTALL_MOD_PATH),$(DESTDIR)) modules_install
	for program in $(PROGRAMS); do \
		$(MAKE) -C $$program install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) || exit; \
	done

clean:	## what `make` built here; the cache of the test machine stays
	test ! -e $(KDIR)/Makefile || $(MODULES) clean
	for program in $(PROGRAMS); do $(MAKE) -C $$program clean || exit; done
	rm -rf build

help:	## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile | expand -t 22

.PHONY: all modules headers demo demo-edu check check-fabric check-debug check-race soak race fuzz
.PHONY: style docs pictures vm install clean help $(PROGRAMS)

# given on make's command line, these are for the scripts
export TOPOLOGY TESTS KERNEL V SEEDS FIRST JOBS SABOTAGE MINUTES CALLS SEED
