/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/trace.h"

#include <keel/bits.h>
#include <keel/console.h>
#include <keel/live.h>

#include "cpu/regs.h"
#include "vmm/backend.h"

/* In a CPU's block: first the histograms, then the ring. */
#define HISTOGRAM_OFFSET ((u32)sizeof(struct keel_cpu))
#define RING_BYTES	 ((u32)sizeof(struct keel_trace_entry) * TRACE_ENTRIES)
#define RING_OFFSET	 (HISTOGRAM_OFFSET + TRACE_BYTES - RING_BYTES)

/* What a panic prints. */
#define DUMP_ENTRIES	 8u

static struct keel_live *buckets_of(struct keel_cpu *counts, u32 reason)
{
	struct keel_live *first = (struct keel_live *)((u8 *)counts + HISTOGRAM_OFFSET);

	return &first[reason * KEEL_HISTOGRAM_BUCKETS];
}

/* Entry number @number, from 1 on. */
static struct keel_trace_entry *entry_of(struct keel_cpu *counts, u64 number)
{
	struct keel_trace_entry *ring = (struct keel_trace_entry *)((u8 *)counts + RING_OFFSET);

	return &ring[(number - 1) % TRACE_ENTRIES];
}

void trace_describe(struct keel_table *table)
{
	table->histogram_offset = HISTOGRAM_OFFSET;
	table->trace_offset = RING_OFFSET;
	table->trace_entries = TRACE_ENTRIES;
}

void trace_begin(struct percpu *cpu, const struct exit_info *info, struct traced_exit *traced)
{
	u64 time = rdtsc();
	struct guest_state state;

	backend->get_state(cpu, &state);
	*traced = (struct traced_exit){
		.reason = info->reason,
		.raw = info->raw,
		.time = time,
		.rip = state.rip,
		.cr3 = state.cr3,
		.qualification = info->qualification,
	};
}

static void count_cycles(struct keel_cpu *counts, u32 reason, u64 cycles)
{
	u32 log2 = cycles ? 63 - (u32)__builtin_clzll(cycles) : 0;

	live_count(&buckets_of(counts, reason)[min_u64(log2, KEEL_HISTOGRAM_BUCKETS - 1)]);
}

void trace_end(struct percpu *cpu, const struct traced_exit *traced)
{
	u64 number = cpu->counts->traced.value + 1;
	struct keel_trace_entry *e = entry_of(cpu->counts, number);
	u64 cycles = rdtsc() - traced->time;

	count_cycles(cpu->counts, traced->reason, cycles);
	live_set(&e->number, 0);
	live_set(&e->time, traced->time);
	live_set(&e->reason, traced->reason | (u64)traced->raw << 32);
	live_set(&e->rip, traced->rip);
	live_set(&e->cr3, traced->cr3);
	live_set(&e->qualification, traced->qualification);
	live_set(&e->cycles, cycles);
	live_set(&e->number, number);
	live_set(&cpu->counts->traced, number);
}

void trace_dump(const struct percpu *cpu)
{
	u64 last = cpu->counts->traced.value;

	for (u64 n = last > DUMP_ENTRIES ? last - DUMP_ENTRIES + 1 : 1; n <= last; n++) {
		const struct keel_trace_entry *e = entry_of(cpu->counts, n);

		log_line(LOG_PANIC, "exit %llu: %s, raw 0x%x, %llx, %llu ticks, RIP %llx CR3 %llx",
			 (unsigned long long)n, exit_reason_names[(u32)e->reason.value],
			 (u32)(e->reason.value >> 32), (unsigned long long)e->qualification.value,
			 (unsigned long long)e->cycles.value, (unsigned long long)e->rip.value,
			 (unsigned long long)e->cr3.value);
	}
}
