/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/watchdog.h"

#include <keel/panic.h>

#include "cpu/regs.h"
#include "vmm/exit.h"

#define LIMIT_MS 10000
/* A machine that is paused for an hour takes one strike; the second needs the time again. */
#define STRIKES	 2

void watchdog_look(struct percpu *cpu, const struct percpu *next)
{
	u32 passage = next->passage;
	u64 now = rdtsc();

	if (passage != cpu->watched_passage) {
		cpu->watched_passage = passage;
		cpu->watched_since = now;
		cpu->watched_strikes = 0;
	} else if (passage & 1 && now - cpu->watched_since > LIMIT_MS * tsc_per_ms) {
		cpu->watched_since = now;
		if (++cpu->watched_strikes == STRIKES)
			watchdog_bark(next);
	}
}

_Noreturn void watchdog_bark(const struct percpu *stuck)
{
	if (stuck->passage & 1)
		panic("CPU %u has been in Keel for more than %u seconds, since its exit number %u "
		      "(%s, raw 0x%x)",
		      stuck->index, LIMIT_MS * STRIKES / 1000, stuck->passage / 2 + 1,
		      exit_reason_names[stuck->last.reason], stuck->last.raw);
	panic("CPU %u runs its guest and does not answer: does the hypervisor below deliver INIT "
	      "and "
	      "NMI to it?",
	      stuck->index);
}
