/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUs under Keel. */
#ifndef KEEL_VMM_CPUS_H
#define KEEL_VMM_CPUS_H

#include <generated/autoconf.h>
#include <keel/atomic.h>
#include <keel/percpu.h>

#include "lib/startup.h"

/* By index, the boot CPU first; constant once the guest runs, as the counts are. */
extern struct percpu *cpus[CONFIG_NR_CPUS];
extern u32 cpu_count;
/* CPUs that the machine has and the guest never gets. */
extern u32 cpus_parked;

/* TSC ticks of a millisecond, measured at the start. */
extern u64 tsc_per_ms;

/* Does that CPU execute guest code, or is it about to? The others sit in Keel or wait for a SIPI. */
static inline bool cpu_runs(const struct percpu *cpu)
{
	return startup_state(atomic_load(&cpu->startup)) == STARTUP_RUN;
}

static inline bool is_boot_cpu(const struct percpu *cpu)
{
	return cpu->index == 0;
}

/*
 * How long a CPU waits for another one: a time, and a number of looks, so that a machine that was
 * paused in between is not taken for a slow one.
 */
struct patience {
	u64 until; /* TSC */
	u32 looks;
};

struct patience patience_ms(u32 ms);
/* To be asked in a loop, which it slows down. */
bool patience_ends(struct patience *p);

#endif
