# SPDX-License-Identifier: GPL-2.0
# The commands of quell; each is a script, which checks its own settings.
# Variables given to make (KERNEL, CPUS, ISOLATED, STOCK, ...) reach it
# through the environment.

.PHONY: help run quiet reproduce run-live live deb rpm static kernel-deb scale test ci series proofs torture bench install clean

help:
	@echo 'make run     boot 64 virtual CPUs and show who interrupts whom'
	@echo '             KERNEL=6.12|7.3  CPUS=1..255  ISOLATED=n  STOCK=1|debian'
	@echo 'make run-live  Debian'"'"'s own kernel, quieted by a module while it runs'
	@echo '             KERNEL=6.12|7.3  CPUS=12..255  ISOLATED=n'
	@echo 'make live    build that module for the running kernel, or for KDIR'
	@echo 'make deb     Debian packages: the command, and the module for dkms'
	@echo 'make rpm     the command as an .rpm'
	@echo 'make static  the command as one static binary'
	@echo 'make kernel-deb KERNEL=6.12|7.3  packages of the kernel, an hour or two;'
	@echo '             DEBUG_INFO=none: sooner, without BTF;  LSMOD=FILE: fewer modules'
	@echo 'make quiet   a minute of kernel work beside isolated CPUs, stock and quell'
	@echo '             KERNEL=6.12|7.3  SECONDS=60'
	@echo 'make reproduce  published results, rerun here; ONLY=name for one, KERNEL=,'
	@echo '             SECONDS=600 of work beside isolated CPUs, MIB= to collapse'
	@echo 'make scale   the same growth drawn from 8 to 255 CPUs'
	@echo 'make test    every quick test; `.ci/run` adds the long ones'
	@echo 'make series  the patch series for KERNEL, below build/'
	@echo 'make proofs  model-check every claim of the design'
	@echo 'make torture removers against walkers in the kernel, nothing may be found'
	@echo '             STRATEGY= BACKEND= SECONDS=60; FAULT=name|all: it must be'
	@echo 'make bench   what a walker pays: natively, and in instructions'
	@echo 'make install the command quell (PREFIX=/usr/local, DESTDIR=)'
	@echo 'make clean   remove build/ (kernels stay in the cache)'

run:
	@lab/run

quiet:
	@lab/quiet $(if $(SECONDS),--seconds '$(SECONDS)') $(if $(GUESTS),--guests) $(if $(KERNEL),--kernel '$(KERNEL)')

reproduce:
	@lab/reproduce $(if $(ONLY),--only '$(ONLY)') $(if $(SECONDS),--seconds '$(SECONDS)') $(if $(MIB),--mib '$(MIB)')

run-live:
	@live/run

live:
	@lab/need live
	@$(MAKE) -C live

deb:
	@packaging/build

rpm:
	@packaging/rpm

static:
	@lab/need cli
	@$(MAKE) -s -C cli quell-static 2>/dev/null || $(MAKE) -C cli quell-static
	@echo build/cli/quell-static

kernel-deb:
	@packaging/kernel "$${KERNEL:-6.12}"

scale:
	@lab/scale

test:
	@lab/test quick

ci:
	@.ci/run

series:
	@tree=$$(lab/fetch "$${KERNEL:-6.12}") && \
		linux/series --check "$$tree" "build/series-$${tree##*-}"

proofs:
	@proofs/run

# SECONDS means something else to a shell, so these go by options.
torture:
	@lab/torture $(if $(FAULT),--fault '$(FAULT)') $(if $(STRATEGY),--strategy '$(STRATEGY)') \
		$(if $(BACKEND),--backend '$(BACKEND)') $(if $(SECONDS),--seconds '$(SECONDS)') \
		$(if $(KERNEL),--kernel '$(KERNEL)') $(if $(CONFIG),--config '$(CONFIG)') \
		$(if $(CPUS),--cpus '$(CPUS)')

bench:
	@lab/need bench
	@$(MAKE) -s -C lab/bench
	@build/bench/walk
	@build/bench/word
	@lab/bench/gup-instructions

install:
	@lab/need cli
	@$(MAKE) -C cli install

clean:
	rm -rf build
