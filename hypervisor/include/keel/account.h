/* SPDX-License-Identifier: BSD-2-Clause */
/* What every room may count on the CPU that it runs on. */
#ifndef KEEL_ACCOUNT_H
#define KEEL_ACCOUNT_H

/* The first slot of a kind of keys in a CPU's block, and log2 of their number (vmm/account.c). */
#define ACCOUNT_RAW_FIRST   0
#define ACCOUNT_RAW_BITS    4
#define ACCOUNT_MSR_FIRST   16
#define ACCOUNT_MSR_BITS    5
#define ACCOUNT_CPUID_FIRST 48
#define ACCOUNT_CPUID_BITS  6
#define ACCOUNT_PAGE_FIRST  128
#define ACCOUNT_PAGE_BITS   5

#ifndef __ASSEMBLER__

#include <keel/live.h>
#include <keel/percpu.h>

/* Before account_init() nothing is counted. */
static inline void account_event(struct percpu *cpu, enum keel_event event)
{
	if (cpu->counts)
		live_count(&cpu->counts->events[event]);
}

#endif
#endif
