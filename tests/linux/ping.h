/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks Keel, from CPL 3, which CPU this is. Without Keel the instruction is #UD: SIGILL. */
#ifndef PING_H
#define PING_H

#include <keel/abi.h>

struct pong {
	unsigned answer, version, index, backend;
};

static inline struct pong ping(void)
{
	unsigned max, ebx, ecx, edx;
	struct pong p;

	__asm__ volatile("cpuid" : "=a"(max), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(0), "c"(0));
	if (ecx == 0x6c65746e) /* Genuine Intel: "ntel" */
		__asm__ volatile("vmcall"
				 : "=a"(p.answer), "=b"(p.version), "=c"(p.index), "=d"(p.backend)
				 : "a"(KEEL_HC_SIGNATURE), "c"(KEEL_HC_PING)
				 : "memory");
	else
		__asm__ volatile("vmmcall"
				 : "=a"(p.answer), "=b"(p.version), "=c"(p.index), "=d"(p.backend)
				 : "a"(KEEL_HC_SIGNATURE), "c"(KEEL_HC_PING)
				 : "memory");
	return p;
}

#endif
