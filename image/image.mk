# SPDX-License-Identifier: BSD-2-Clause
#
# The bootable disk, $(O)/keel.qcow2, what is in it and its sum.

image_symbols := image/size guest/cmdline grub/timeout serial serial/port serial/baud
image_inputs := image/build image/embed-grub image/grub.cfg.in \
	$(image_symbols:%=$(O)/include/config/%.h) \
	$(rootfs_products) $(O)/hypervisor/keel.elf

.PHONY: image
image: $(O)/SHA256SUMS

$(O)/SHA256SUMS: $(O)/keel.qcow2 $(O)/keel.manifest
	$(Q)cd $(O) && sha256sum $(^F) >$@.tmp && mv $@.tmp $@

# Package, version and architecture, a line each.
$(O)/keel.manifest: $(O)/rootfs/manifest
	$(Q)cp $< $@.tmp && mv $@.tmp $@

$(O)/keel.qcow2: $(image_inputs)
	$(Q)scripts/need sfdisk:fdisk mformat:mtools debugfs:e2fsprogs grub-mkimage:grub-common \
		qemu-img:qemu-utils python3:python3
	$(Q)scripts/step image $(O)/log/image.log image/build $(KCONFIG_CONFIG) \
		$(O)/rootfs/rootfs.ext4 $(O)/hypervisor/keel.elf $(O)/image $@
