/* SPDX-License-Identifier: BSD-2-Clause */
/* NMIs between exits: each comes once, never nested, and waits for IRET. */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/trap.h"

const char payload_name[] = "nmi";

#define ROUNDS 1000
#define PATIENCE 1000

static volatile u32 nmis, depth, deepest, nested_seen;
static volatile bool send_another;
static volatile u64 exit_results;

/* Exits of every kind that Keel makes cheap. */
static void exits(u32 n)
{
	for (u32 i = 0; i < n; i++) {
		exit_results += cpuid(0, 0).eax;
		exit_results += rdmsr(MSR_EFER);
		if (under_keel)
			exit_results += keel_answers();
	}
}

static void on_nmi(struct frame *f)
{
	(void)f;
	nmis++;
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (send_another) {
		u32 before = nmis;

		send_another = false;
		apic_self_nmi();
		exits(50);
		nested_seen += nmis - before;
	} else {
		exits(1);
	}
	depth--;
}

static bool wait_for(u32 count)
{
	for (u32 i = 0; i < PATIENCE && nmis < count; i++)
		exits(1);
	return nmis == count;
}

static void check_thousand(void)
{
	u32 late = 0, extra = 0;

	nmis = 0;
	for (u32 i = 1; i <= ROUNDS; i++) {
		apic_self_nmi();
		if (!wait_for(i))
			late++;
		exits(3);
		if (nmis > i)
			extra++;
	}
	check_eq(nmis, ROUNDS, "NMIs that came of %u sent", ROUNDS);
	check_eq(late, 0, "NMIs that were missing when waited for");
	check_eq(extra, 0, "NMIs that came twice");
	check_eq(deepest, 1, "depth of NMI handlers");
}

static void check_blocking(void)
{
	nmis = nested_seen = 0;
	for (u32 i = 1; i <= 100; i++) {
		send_another = true;
		apic_self_nmi();
		if (!wait_for(2 * i))
			break;
	}
	exits(10);
	check_eq(nmis, 200, "an NMI sent in the handler comes after its IRET");
	check_eq(nested_seen, 0, "no NMI comes in the handler, whatever exits there");
	check_eq(deepest, 1, "depth of NMI handlers with one pending");
}

/* Single steps, so that exits, #DB and NMI meet. */
static void check_stepping(void)
{
	unsigned long flags;

	nmis = 0;
	for (u32 i = 0; i < 100; i++) {
		asm volatile("pushf; pop %0" : "=r"(flags));
		asm volatile("push %0; popf" : : "r"(flags | (unsigned long)FLAGS_TF) : "cc", "memory");
		apic_self_nmi();
		exits(1);
		asm volatile("push %0; popf" : : "r"(flags) : "cc", "memory");
		wait_for(i + 1);
	}
	check_eq(nmis, 100, "NMIs while single-stepping");
}

static void on_debug(struct frame *f)
{
	(void)f;
	exits(1);
}

void payload(void)
{
	apic_init();
	trap_hook_set(VEC_NMI, on_nmi);
	trap_hook_set(VEC_DB, on_debug);
	check_thousand();
	check_blocking();
	check_stepping();
}
