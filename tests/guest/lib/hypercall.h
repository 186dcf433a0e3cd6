/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#include <keel/abi.h>

#include "guest.h"

struct hypercall {
	u32 eax, ebx, ecx, edx;
};

/* The call with these registers; returns the vector, or NO_TRAP with the registers after it. */
u32 hypercall_raw(struct hypercall *r);
/* The same with EBX = 0 and the registers in out. */
u32 hypercall_sig(u32 signature, u32 function, u32 arg, struct hypercall *out);
u32 hypercall(u32 function, u32 arg, struct hypercall *out);
bool keel_answers(void);
/* Keel's hidden memory; returns its size. */
u32 keel_region(u64 *start);
u64 keel_exits(u32 reason);
u64 keel_exits_on(u32 keel_cpu, u32 reason);
/* KEEL_START_*, how CPUs are started. */
u32 keel_policy(void);

#endif
