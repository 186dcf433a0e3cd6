# SPDX-License-Identifier: BSD-2-Clause
#
# The bootable images in $(O), what is in them and their sums.

# Which images there are is known before anything is made.
ifneq ($(filter image check check-full,$(MAKECMDGOALS)),)
include $(auto_conf)
endif

images :=
images += $(if $(CONFIG_IMAGE_QCOW2),keel.qcow2)
images += $(if $(CONFIG_IMAGE_RAW),keel.raw)
images += $(if $(CONFIG_IMAGE_VMDK),keel.vmdk)

disk_symbols := image/size guest/cmdline grub/timeout serial serial/port serial/baud
disk_inputs := image/build image/embed-grub image/grub.cfg.in scripts/uuid \
	$(disk_symbols:%=$(O)/include/config/%.h) \
	$(rootfs_products) $(O)/hypervisor/keel.elf
disk_products := $(O)/image/vmlinuz $(O)/image/initrd.img $(O)/image/disk.raw
format_symbols := $(addprefix $(O)/include/config/image/,qcow2.h raw.h vmdk.h)

.PHONY: image
image: $(O)/SHA256SUMS

$(O)/SHA256SUMS: $(addprefix $(O)/,$(images) keel.manifest) $(format_symbols)
	$(Q)[ '$(strip $(images))' ] || { echo "error: no image is asked for: set" \
		"CONFIG_IMAGE_QCOW2, CONFIG_IMAGE_RAW or CONFIG_IMAGE_VMDK" >&2; exit 1; }
	$(Q)cd $(O) && sha256sum $(images) keel.manifest >$@.tmp && mv $@.tmp $@

# Package, version and architecture, a line each.
$(O)/keel.manifest: $(O)/rootfs/manifest
	$(Q)cp $< $@.tmp && mv $@.tmp $@

# The disk itself; the images are copies in other formats.
$(disk_products) &: $(disk_inputs)
	$(Q)scripts/need sfdisk:fdisk mformat:mtools debugfs:e2fsprogs grub-mkimage:grub-common \
		qemu-img:qemu-utils python3:python3
	$(Q)scripts/step image $(O)/log/image.log image/build $(KCONFIG_CONFIG) \
		$(O)/rootfs/rootfs.ext4 $(O)/hypervisor/keel.elf $(O)/image

$(O)/keel.qcow2: $(O)/include/config/image/compressed.h

$(O)/keel.qcow2 $(O)/keel.raw $(O)/keel.vmdk: $(O)/keel.%: $(O)/image/disk.raw image/convert
	$(Q)scripts/step $* $(O)/log/$*.log image/convert $(KCONFIG_CONFIG) $< $@
