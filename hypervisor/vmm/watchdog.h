/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices a CPU that never leaves Keel. Each CPU counts its passages: odd in Keel, even in the
 * guest; at its own exits it looks at the next CPU's. Only an odd number that stays costs more than
 * a load and a test. A number, not a time, so that a machine that was paused is not suspected.
 */
#ifndef KEEL_VMM_WATCHDOG_H
#define KEEL_VMM_WATCHDOG_H

#include "vmm/cpus.h"

/* @cpu's neighbour is in Keel: is it still the passage seen before, for how long? May panic. */
void watchdog_look(struct percpu *cpu, const struct percpu *next);

/* @stuck does not answer: panics with what is known of it. */
_Noreturn void watchdog_bark(const struct percpu *stuck);

static inline void watchdog_enter_keel(struct percpu *cpu)
{
	const struct percpu *next = cpu->next;

	cpu->passage++;
	if (__builtin_expect(next->passage & 1, 0) && next != cpu)
		watchdog_look(cpu, next);
}

static inline void watchdog_leave_keel(struct percpu *cpu)
{
	cpu->passage++;
}

#endif
