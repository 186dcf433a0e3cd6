/* SPDX-License-Identifier: BSD-2-Clause */
/* How the guests of the benchmark read their exits: in the ACPI table KEEL, which costs none. */
#ifndef EXITS_H
#define EXITS_H

#include <keel/abi.h>
#include <stdbool.h>

/* The exits so far, by reason; all 0 without Keel. */
struct exits {
	unsigned long long by[KEEL_REASONS_MAX];
};

static inline unsigned long long read_ticks(void)
{
	unsigned low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (unsigned long long)high << 32 | low;
}

/* The exits of all CPUs; false if a number was being changed. The table's bytes may be a copy. */
static inline bool read_exits(const struct keel_table *table, struct exits *e)
{
	for (unsigned reason = 0; reason < KEEL_REASONS_MAX; reason++) {
		e->by[reason] = 0;
		for (unsigned cpu = 0; cpu < table->cpus; cpu++) {
			const char *block = (const char *)table + table->cpu_offset + cpu * table->cpu_stride;
			const volatile struct keel_live *live = ((const struct keel_cpu *)block)->exits + reason;
			unsigned long long value = live->value;

			if (value != ~live->inverse)
				return false;
			e->by[reason] += value;
		}
	}
	return true;
}

#endif
