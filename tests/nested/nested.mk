# SPDX-License-Identifier: BSD-2-Clause
#
# KVM hosts of Debian releases in $(O)/nested, and Debian on Keel inside them.

host_image = $(O)/nested/$(or $(strip $(1)),bullseye)/root.ext4

.PHONY: nested nested-asked nested-host serve
nested: nested-asked nested-host $(O)/keel.qcow2 emulators
	$(Q)O='$(O)' LEVELS='$(LEVELS)' VENDOR='$(VENDOR)' SMP='$(SMP)' HOST='$(HOST)' BARE='$(BARE)' \
		tests/system/nested-run

# Before anything is built.
nested-asked:
	$(Q)O='$(O)' LEVELS='$(LEVELS)' VENDOR='$(VENDOR)' SMP='$(SMP)' HOST='$(HOST)' BARE='$(BARE)' \
		tests/system/nested-run --check

nested-host: $(call host_image,$(HOST))

$(O)/nested/%/.packages: scripts/private-apt | $(auto_conf)
	$(Q)scripts/step host-$* $(O)/log/host-$*.log scripts/private-apt $* amd64 $(@D)/tree \
		linux-image-amd64 qemu-system-x86 busybox-static
	$(Q)touch $@

$(O)/nested/%/root.ext4: tests/nested/build-host tests/nested/init $(O)/nested/%/.packages
	$(Q)scripts/need mke2fs:e2fsprogs cpio:cpio readelf:binutils
	$(Q)scripts/step host-$* $(O)/log/host-$*-image.log tests/nested/build-host \
		$(@D)/tree tests/nested/init $(@D)

.PRECIOUS: $(O)/nested/%/.packages $(O)/nested/%/root.ext4

# The disk for hosts elsewhere, which write to layers of their own.
serve: $(O)/keel.qcow2
	$(Q)scripts/serve $< '$(PORT)'
