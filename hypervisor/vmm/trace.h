/* SPDX-License-Identifier: BSD-2-Clause */
/* How long exits take, and the last ones of each CPU: part of its block in the table (keel/abi.h). */
#ifndef KEEL_VMM_TRACE_H
#define KEEL_VMM_TRACE_H

#include <generated/autoconf.h>
#include <keel/percpu.h>

#include "vmm/exit.h"

#ifdef CONFIG_TRACE

#define TRACE_ENTRIES 128u
#define TRACE_BYTES                                                                  \
	((u32)sizeof(struct keel_live) * KEEL_REASONS_MAX * KEEL_HISTOGRAM_BUCKETS + \
	 (u32)sizeof(struct keel_trace_entry) * TRACE_ENTRIES)

/* An exit that is being handled. */
struct traced_exit {
	u32 reason, raw;
	u64 time, rip, cr3, qualification;
};

/* Fills in where it all is. */
void trace_describe(struct keel_table *table);

/* Around the handler of each exit. */
void trace_begin(struct percpu *cpu, const struct exit_info *info, struct traced_exit *traced);
void trace_end(struct percpu *cpu, const struct traced_exit *traced);

/* Prints the last exits of @cpu. */
void trace_dump(const struct percpu *cpu);

#else

#define TRACE_BYTES 0u

struct traced_exit {
};

static inline void trace_describe(struct keel_table *table)
{
	(void)table;
}

static inline void trace_begin(struct percpu *cpu, const struct exit_info *info,
			       struct traced_exit *traced)
{
	(void)cpu;
	(void)info;
	(void)traced;
}

static inline void trace_end(struct percpu *cpu, const struct traced_exit *traced)
{
	(void)cpu;
	(void)traced;
}

static inline void trace_dump(const struct percpu *cpu)
{
	(void)cpu;
}

#endif
#endif
