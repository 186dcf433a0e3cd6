/* SPDX-License-Identifier: BSD-2-Clause */
/* The code that a CPU executes between Keel's SIPI and C. */
#ifndef KEEL_MODE_TRAMPOLINE_H
#define KEEL_MODE_TRAMPOLINE_H

#include <keel/types.h>

/* What it needs to know, at trampoline_data in the copy. */
struct trampoline {
	u64 cr3;   /* Keel's page tables, below 4 GiB */
	u64 stack; /* struct percpu of that CPU */
	u64 entry; /* called with that struct percpu, never returns */
};

/* Position-independent; one page at most. */
extern const u8 trampoline_start[], trampoline_data[], trampoline_end[];

#endif
