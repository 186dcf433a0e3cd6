# SPDX-License-Identifier: BSD-2-Clause
#
# The Debian guest's root file system, without Keel, and what it consists of.

rootfs_symbols := suite mirror arch kernel packages hostname root/password ssh ssh/keys overlay hook grow/root
keelctl_files := $(addprefix keelctl/,keelctl.8 keelctl.bash keelctl-verify.service)
rootfs_inputs := $(O)/keelctl/keelctl $(keelctl_files) rootfs/build rootfs/stage rootfs/lib.sh rootfs/packages scripts/uuid \
	$(O)/rootfs/inputs \
	$(rootfs_symbols:%=$(O)/include/config/debian/%.h)

.PHONY: rootfs
rootfs: $(O)/rootfs/rootfs.ext4

rootfs_products := $(addprefix $(O)/rootfs/,vmlinuz initrd.img manifest rootfs.tar rootfs.ext4)

# It runs in the guest, and is built without the guest's compiler.
.PHONY: keelctl
keelctl: $(O)/keelctl/keelctl
$(O)/keelctl/keelctl: FORCE
	$(Q)$(MAKE) -C keelctl O=$(O) ARCH=$(CONFIG_DEBIAN_ARCH)

# Folders and files that are laid over the guest: a list that changes with any of them.
$(O)/rootfs/inputs: $(auto_conf) FORCE
	$(Q)rootfs/list-inputs $(KCONFIG_CONFIG) $@

$(rootfs_products) &: $(rootfs_inputs)
	$(Q)scripts/need debootstrap:debootstrap unshare:util-linux newuidmap:uidmap mke2fs:e2fsprogs
	$(Q)scripts/step rootfs $(O)/log/rootfs.log rootfs/build $(KCONFIG_CONFIG) $(O)/keelctl/keelctl $(O)/rootfs

# The same as a live system.
live_products := $(addprefix $(O)/rootfs/live/,vmlinuz initrd.img manifest filesystem.squashfs)

$(live_products) &: rootfs/live rootfs/stage-live rootfs/live-hook rootfs/lib.sh scripts/private-apt $(rootfs_products)
	$(Q)scripts/need unshare:util-linux newuidmap:uidmap mksquashfs:squashfs-tools
	$(Q)scripts/step live $(O)/log/live.log rootfs/live $(KCONFIG_CONFIG) $(O)/rootfs $(O)/rootfs/live
