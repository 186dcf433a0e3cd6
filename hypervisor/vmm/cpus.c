/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/cpus.h"

#include "cpu/regs.h"

#define LOOKS_MIN 100000

struct percpu *cpus[CONFIG_NR_CPUS];
u32 cpu_count;
u32 cpus_parked;
u64 tsc_per_ms;

struct patience patience_ms(u32 ms)
{
	return (struct patience){rdtsc() + ms * tsc_per_ms, 0};
}

bool patience_ends(struct patience *p)
{
	cpu_relax();
	if (p->looks < LOOKS_MIN) {
		p->looks++;
		return false;
	}
	return rdtsc() > p->until;
}
