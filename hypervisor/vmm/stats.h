/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEL_VMM_STATS_H
#define KEEL_VMM_STATS_H

#include <keel/types.h>

/* Prints how many exits there were, by reason, when @event ("power-off", "reset: ...") happens. */
void stats_print(const char *event);

/* Exits of all CPUs for @reason, or for all reasons if it is EXIT_REASONS or more. */
u64 stats_exits(u32 reason);

#endif
