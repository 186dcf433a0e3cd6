/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads kernel modules. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

void load_modules(void)
{
	static char list[1024];
	char path[128];

	snprintf(list, sizeof(list), "%s", contents("/modules"));
	for (char *name = strtok(list, "\n"); name; name = strtok(NULL, "\n")) {
		int fd;

		snprintf(path, sizeof(path), "/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			die("FAIL %s: %m", path);
		say("MODULE %s %s", name, syscall(SYS_finit_module, fd, "", 0) ? strerror(errno) : "loaded");
		close(fd);
	}
}
