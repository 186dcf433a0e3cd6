/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#include <keel/abi.h>

#include "guest.h"

struct hypercall {
	u32 eax, ebx, ecx, edx;
};

/* Returns the vector, or NO_TRAP with the registers in out. */
u32 hypercall_sig(u32 signature, u32 function, u32 arg, struct hypercall *out);
u32 hypercall(u32 function, u32 arg, struct hypercall *out);
bool keel_answers(void);
/* Keel's hidden memory; returns its size. */
u32 keel_region(u64 *start);
u64 keel_exits(u32 reason);

#endif
