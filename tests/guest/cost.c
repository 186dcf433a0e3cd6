/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many instructions Keel takes for an exit, on a machine whose TSC counts them: lines "COST name:
 * number", which the host holds against tests/budget.toml.
 */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/paging.h"
#include "lib/trap.h"

const char payload_name[] = "cost";

#define ROUNDS 1000

static u64 apic_base;

static void do_nothing(void) { asm volatile("nop"); }
static void do_cpuid(void) { cpuid(0, 0); }
static void do_cpuid_mirror(void) { cpuid(1, 0); }
static void do_wrmsr(void) { wrmsr(MSR_APIC_BASE, apic_base); }
static void do_hypercall(void) { keel_answers(); }
static void do_deadline(void) { wrmsr(MSR_TSC_DEADLINE, 0); }
static void do_ipi(void) { apic_write(APIC_ICR, ICR_SELF | ICR_ASSERT | VEC_IRQ); }
static void do_tpr(void) { apic_write(APIC_TPR, 0); }
static void do_eoi(void) { apic_write(APIC_EOI, 0); }

struct cost {
	const char *name;
	void (*run)(void);
};

/* As Linux does at its start, at 256 leaves, twice: that must not make other leaves slow. */
static void look_for_hypervisor(void)
{
	for (u32 i = 0; i < 2 * 256; i++)
		cpuid(0x40000000 + (i % 256) * 0x100, 0);
}

/* What exits, and what does not under this Keel: the same for all. */
static const struct cost costs[] = {
	{ "cpuid", do_cpuid },
	{ "cpuid-mirror", do_cpuid_mirror }, /* a leaf that shows CR4 */
	{ "wrmsr", do_wrmsr },		     /* one that Keel looks at */
	{ "hypercall", do_hypercall },
	{ "deadline", do_deadline },
	{ "ipi", do_ipi },
	{ "tpr", do_tpr },
	{ "eoi", do_eoi },
};

/* The mean, rounded: an emulator's own interrupts come between now and then. */
static u32 ticks(void (*run)(void))
{
	u64 start;

	run();
	start = rdtsc();
	for (u32 i = 0; i < ROUNDS; i++)
		run();
	return ((u32)(rdtsc() - start) + ROUNDS / 2) / ROUNDS;
}

void payload(void)
{
	u32 nothing;

	/* The paging of a 32-bit guest. */
	if (option("pae"))
		pae_on();
	if (option("pse"))
		pse_on();
	nothing = ticks(do_nothing);
	look_for_hypervisor();
	apic_init();
	if (option("x2apic")) {
		apic_to_x2();
		apic_init();
	}
	apic_base = rdmsr(MSR_APIC_BASE);
	for (u32 i = 0; i < ARRAY_SIZE(costs); i++)
		printf("COST %s: %u\n", costs[i].name, ticks(costs[i].run) - nothing);
	check(nothing < 100, "the TSC counts instructions");
}
