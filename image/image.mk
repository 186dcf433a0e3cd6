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
images += $(if $(CONFIG_IMAGE_ISO),keel.iso keel.iso.manifest)

menu_inputs := image/menu image/grub.cfg.in image/grub-modules \
	$(addprefix $(O)/include/config/,guest/cmdline.h grub/timeout.h serial.h serial/port.h serial/baud.h)
disk_inputs := image/build scripts/describe-build image/embed-grub scripts/uuid $(menu_inputs) $(O)/include/config/image/size.h \
	$(rootfs_products) $(O)/hypervisor/keel.elf
disk_products := $(O)/image/vmlinuz $(O)/image/initrd.img $(O)/image/disk.raw
format_symbols := $(addprefix $(O)/include/config/image/,qcow2.h raw.h vmdk.h iso.h)

.PHONY: image iso some-image
image: some-image $(O)/SHA256SUMS
iso: $(O)/keel.iso

# As a recipe: auto.conf may be made anew after it was first read.
some-image:
	$(if $(strip $(images)),,$(error no image is asked for: set CONFIG_IMAGE_QCOW2, CONFIG_IMAGE_RAW, \
		CONFIG_IMAGE_VMDK or CONFIG_IMAGE_ISO))

$(O)/SHA256SUMS: $(addprefix $(O)/,$(images) keel.manifest) $(format_symbols)
	$(Q)rm -f $(filter-out $(addprefix $(O)/,$(images)),$(addprefix $(O)/keel.,raw vmdk))
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

$(O)/keel.iso: image/iso $(menu_inputs) $(live_products) $(O)/hypervisor/keel.elf
	$(Q)scripts/need grub-mkrescue:grub-common xorriso:xorriso
	$(Q)scripts/step iso $(O)/log/iso.log image/iso $(KCONFIG_CONFIG) \
		$(O)/rootfs/live $(O)/hypervisor/keel.elf $@

$(O)/keel.iso.manifest: $(O)/rootfs/live/manifest
	$(Q)cp $< $@.tmp && mv $@.tmp $@
