/* SPDX-License-Identifier: BSD-2-Clause */
/* What every room may count on the CPU that it runs on. */
#ifndef KEEL_ACCOUNT_H
#define KEEL_ACCOUNT_H

#include <keel/live.h>
#include <keel/percpu.h>

/* Before account_init() nothing is counted. */
static inline void account_event(struct percpu *cpu, enum keel_event event)
{
	if (cpu->counts)
		live_count(&cpu->counts->events[event]);
}

#endif
