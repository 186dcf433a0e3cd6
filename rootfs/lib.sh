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
# In the guest's own root, whose links must not lead into the host's files.
forget_build() {
	chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin EPOCH="@$SOURCE_DATE_EPOCH" \
		/bin/sh -eu <<-'END'
		: >/etc/machine-id
		rm -f /var/lib/dbus/machine-id /etc/ssh/ssh_host_* /var/lib/systemd/random-seed
		rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
		rm -rf /var/cache/apt/archives/*.deb /var/cache/ldconfig/*
		rm -f /var/cache/debconf/*-old /var/lib/dpkg/*-old
		rm -f /etc/.pwd.lock /etc/passwd- /etc/group- /etc/*shadow-
		rm -rf /tmp/* /var/tmp/* /root/.bash_history
		find /run /var/log -type f -delete
		find / -xdev -newermt "$EPOCH" -exec touch -h -d "$EPOCH" {} +
	END
}

list_packages() {
	chroot "$tree" dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' | LC_ALL=C sort
}
