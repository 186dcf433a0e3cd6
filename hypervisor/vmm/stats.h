/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEL_VMM_STATS_H
#define KEEL_VMM_STATS_H

#include <keel/types.h>

/* Prints how many exits there were, by reason, when @event ("power-off", "reset: ...") happens. */
void stats_print(const char *event);

#define STATS_ALL_CPUS (~0u)

/*
 * Exits of the CPU with @index, or of all, for @reason, or for all reasons if that is EXIT_REASONS or
 * more. An index that does not exist has none.
 */
u64 stats_exits(u32 index, u32 reason);

#endif
