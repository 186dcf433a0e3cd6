/* SPDX-License-Identifier: BSD-2-Clause */
/* The benchmark's workloads that need no Linux, in the same lines as tests/linux/bench.c. */
#include "../bench/exits.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"

const char payload_name[] = "bench";

#define ROUNDS 100000
#define DEADLINE_BIT BIT(24)

static const struct keel_table *table; /* NULL without Keel */

static u64 apic_base;

static void do_cpuid(void) { cpuid(0, 0); }
static void do_deadline(void) { wrmsr(MSR_TSC_DEADLINE, 0); }
static void do_wrmsr(void) { wrmsr(MSR_APIC_BASE, apic_base); }
static void do_cr0(void) { write_cr0(read_cr0() ^ CR0_TS); }

static void take(struct exits *e)
{
	memset(e, 0, sizeof(*e));
	if (table)
		check(read_exits(table, e), "the counts are whole");
}

static void measure(const char *name, void (*run)(void))
{
	struct exits from, to;
	u64 start, ticks;

	printf("BENCH start %s\n", name);
	take(&from);
	start = read_ticks();
	for (u32 i = 0; i < ROUNDS; i++)
		run();
	ticks = read_ticks() - start;
	take(&to);
	printf("BENCH end %s rounds=%u ticks=0x%llx exits", name, ROUNDS, ticks);
	for (u32 i = 0; table && i < KEEL_REASONS_MAX; i++)
		if (to.by[i] != from.by[i])
			printf(" %s=%u", table->reason[i], (u32)(to.by[i] - from.by[i]));
	printf("\n");
}

void payload(void)
{
	struct hypercall r;

	if (under_keel) {
		hypercall(KEEL_HC_TABLE, 0, &r);
		table = (const void *)(unsigned long)r.eax;
		check(table && !r.ebx, "the table KEEL is below 4 GiB");
	}
	measure("cpuid", do_cpuid);
	if (cpuid(1, 0).ecx & DEADLINE_BIT)
		measure("deadline", do_deadline);
	else
		printf("BENCH none deadline\n");
	apic_base = rdmsr(MSR_APIC_BASE);
	measure("wrmsr", do_wrmsr);
	measure("cr0", do_cr0);
}
