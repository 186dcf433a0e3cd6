/* SPDX-License-Identifier: BSD-2-Clause */
/* On amd64 the kernel itself reads the one to come. */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

void kexec_load(const char *kernel, const char *initramfs, const char *line)
{
	int files[] = { open(kernel, O_RDONLY | O_CLOEXEC), open(initramfs, O_RDONLY | O_CLOEXEC) };

	if (syscall(SYS_kexec_file_load, files[0], files[1], strlen(line) + 1, line, 0UL))
		die("FAIL kexec_file_load: %m");
}
