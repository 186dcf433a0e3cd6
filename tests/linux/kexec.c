/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts /vmlinuz with the same files again: without firmware and without Keel's loader. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

#define KERNEL "/vmlinuz"
#define INITRAMFS "/initramfs"

static void put(int fd, const void *data, size_t size)
{
	static const char zeros[4];
	size_t pad = -size & 3;

	if (write(fd, data, size) != (ssize_t)size || write(fd, zeros, pad) != (ssize_t)pad)
		die("FAIL kexec: %m at writing the initramfs");
}

/* One file in cpio's "newc" format; a NULL path ends the archive. */
static void archive(int fd, const char *path)
{
	const char *name = path ? path + 1 : "TRAILER!!!";
	char header[128];
	char *data = NULL;
	struct stat st = { .st_mode = 0 };
	int size, in;

	if (path) {
		in = open(path, O_RDONLY | O_CLOEXEC);
		if (in < 0 || fstat(in, &st) || !(data = malloc((size_t)st.st_size)) ||
		    read(in, data, (size_t)st.st_size) != st.st_size)
			die("FAIL kexec: %m at reading %s", path);
		close(in);
	}
	size = snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s",
			0, st.st_mode, 0, 0, 1, 0, (unsigned)st.st_size, 0, 0, 0, 0,
			(unsigned)strlen(name) + 1, 0, name);
	put(fd, header, (size_t)size + 1);
	put(fd, data, (size_t)st.st_size);
	free(data);
}

/* This boot's command line with the last number replaced: "... kexec=N". */
static const char *command_line(int left)
{
	static char line[2048];
	char *at;

	snprintf(line, sizeof(line), "%s", contents("/proc/cmdline"));
	at = strstr(line, "kexec=");
	if (!at)
		die("FAIL kexec: no kexec= on the command line");
	snprintf(at, sizeof(line) - (size_t)(at - line), "kexec=%d", left);
	return line;
}

void kexec_again(int left)
{
	int out = open(INITRAMFS, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	archive(out, "/init");
	archive(out, KERNEL);
	archive(out, NULL);
	close(out);
	kexec_load(KERNEL, INITRAMFS, command_line(left));
	say("KEXEC %d to go", left);
	reboot(RB_KEXEC);
	die("FAIL kexec: %m");
}
