/* SPDX-License-Identifier: BSD-2-Clause */
/* Error codes; functions return them negated. */
#ifndef KEEL_ERRNO_H
#define KEEL_ERRNO_H

enum {
	EINVAL = 22, /* malformed input */
	ENOMEM = 12, /* no room left in a bounded table or pool */
	ENOENT = 2,  /* not found */
	EFAULT = 14, /* address not mapped or access faulted */
	EBUSY = 16,  /* someone else cannot be brought to agree */
	ENODEV = 19, /* hardware feature is absent */
};

#endif
