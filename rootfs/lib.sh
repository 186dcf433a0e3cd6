# SPDX-License-Identifier: BSD-2-Clause
#
# For the scripts that fill a tree as root in a namespace: $tree, $OUT and
# $SOURCE_DATE_EPOCH are theirs.

clean_up() {
	for dir in dev proc sys; do
		umount -R "$tree/$dir" 2>/dev/null || :
	done
	rm -rf --one-file-system "$tree" "$OUT"/*.tmp
}

# Nobody can make device nodes in a user namespace: lend the host's.
lend_devices() {
	mkdir -p "$tree/dev"
	mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
	for device in null zero full random urandom tty; do
		touch "$tree/dev/$device"
		mount --bind "/dev/$device" "$tree/dev/$device"
	done
}

# What must differ between two copies of the image is made at the first boot; what
# tells of this build only is not for the guest, and differs from build to build.
forget_build() {
	: >"$tree/etc/machine-id"
	rm -f "$tree/var/lib/dbus/machine-id" "$tree"/etc/ssh/ssh_host_*
	rm -f "$tree"/var/lib/systemd/random-seed
	rm -rf "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/*.bin
	rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/cache/ldconfig/*
	rm -f "$tree"/var/cache/debconf/*-old "$tree"/var/lib/dpkg/*-old
	rm -f "$tree"/etc/.pwd.lock "$tree"/etc/passwd- "$tree"/etc/group- "$tree"/etc/*shadow-
	rm -rf "$tree"/tmp/* "$tree"/var/tmp/* "$tree"/root/.bash_history
	find "$tree/var/log" -type f -delete
	find "$tree" -xdev -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

list_packages() {
	chroot "$tree" dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' | LC_ALL=C sort
}
