# SPDX-License-Identifier: BSD-2-Clause
#
# Top level: configure, build, run, test. 'make help' lists what a person does here.

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

O ?= build
override O := $(abspath $(or $(strip $(O)),build))
ifneq ($(words $(CURDIR) $(O)),2)
$(error the paths of the tree and of O must not contain spaces)
endif
# Such characters mean something to make, the shell or QEMU.
comma := ,
odd := : % $$ " ' ` ; & | < > ( ) { } * ? [ ] \ \# ! ^
odd := $(strip $(foreach char,$(odd) $(comma),$(findstring $(char),$(CURDIR)$(O))))
ifneq ($(odd),)
$(error the paths of the tree and of O must not contain $(odd))
endif
ifneq ($(and $(filter %config,$(MAKECMDGOALS)),$(filter-out %config,$(MAKECMDGOALS))),)
$(error configure first, then build: 'make $(filter %config,$(MAKECMDGOALS))' and 'make $(filter-out %config,$(MAKECMDGOALS))')
endif
Q := $(if $(filter 1,$(V)),,@)
override V := $(filter 1,$(V))
export V

# An ordinary user's PATH on Debian lacks debootstrap, mke2fs and sfdisk.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: all
all: hypervisor

include scripts/config.mk
include rootfs/rootfs.mk
include image/image.mk
include scripts/emulators.mk
include tests/nested/nested.mk

.PHONY: hypervisor
hypervisor: $(O)/hypervisor/keel.elf

$(O)/hypervisor/keel.elf: $(O)/include/config/auto.conf FORCE
	$(Q)$(MAKE) -C hypervisor O=$(O)

.PHONY: run
run: $(O)/keel.$(if $(filter 1,$(ISO)),iso,qcow2) $(if $(filter bochs,$(EMU)),emulators)
	$(Q)MEM='$(MEM)' SMP='$(SMP)' ISO='$(ISO)' EMU='$(EMU)' scripts/run

# The disk, or with ISO=1 the live system, goes to a stick.
.PHONY: usb stick
usb: stick $(O)/$(if $(filter 1,$(ISO)),keel.iso,image/disk.raw)
	$(Q)FORCE='$(FORCE)' YES='$(YES)' scripts/write-disk $(lastword $^) '$(DEV)'

# Before anything is built.
stick:
	$(Q)FORCE='$(FORCE)' scripts/write-disk --check '$(DEV)'

# K=expression selects tests as pytest's -k does; PART=n/m is one part of many.
.PHONY: check check-full
check check-full: hypervisor $(disk_products) $(O)/keel.qcow2 $(O)/keel.iso image emulators cmocka32 guest-kernels \
		$(O)/nested/bullseye/root.ext4
	$(Q)$(MAKE) -C tests $@ O=$(O) KEEL_ELF=$(O)/hypervisor/keel.elf K='$(K)' PART='$(PART)'
check-full: $(O)/nested/bookworm/root.ext4 $(O)/nested/trixie/root.ext4

# BENCH, BACKENDS, CONFIGS and CPUS select; PAIRS and FORCE: see docs/testing.md.
.PHONY: bench bench-doc
bench bench-doc: hypervisor $(O)/image/vmlinuz emulators
	$(Q)$(MAKE) -C tests $@ O=$(O) KEEL_ELF=$(O)/hypervisor/keel.elf

# The configuration and what was fetched stay; distclean removes them as well.
.PHONY: clean distclean
clean:
	$(Q)scripts/remove $(addprefix $(O)/,hypervisor keelctl tests bench image bochs run rootfs/tree rootfs/live log)
	$(Q)scripts/remove $(rootfs_products) $(foreach file,root.ext4 vmlinuz initrd,$(wildcard $(O)/nested/*/$(file))) \
		$(addprefix $(O)/,keel.qcow2 keel.raw keel.vmdk keel.iso keel.manifest keel.iso.manifest SHA256SUMS)
	$(Q)scripts/remove $(wildcard $(O)/*.tmp* $(O)/rootfs/*.tmp)

distclean:
	$(Q)scripts/remove $(O)

.PHONY: help
help:
	$(Q)cat scripts/help.txt

.PHONY: FORCE
FORCE:
