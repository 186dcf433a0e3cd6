/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks Keel itself, from user mode: the one call that it answers there. */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <stdint.h>

struct answer {
	uint32_t version; /* KEEL_ABI_VERSION */
	uint32_t index;	  /* Keel's number of the CPU that this runs on */
	uint32_t backend;
};

/* False if this CPU does not run under Keel. @answer may be NULL. */
bool ask_keel(struct answer *answer);

#endif
