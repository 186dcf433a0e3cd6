/* SPDX-License-Identifier: BSD-2-Clause */
/* How many exits each thing costs: exactly as the policy says, and none where it says none. */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/paging.h"
#include "lib/trap.h"

const char payload_name[] = "count";

#define ROUNDS 100

static void do_ping(void) { keel_answers(); }
static void do_cpuid(void) { cpuid(0, 0); }
static void do_rdtsc(void) { rdtsc(); }
static void do_port(void) { outb(0x80, 0); }
static void do_pause(void) { asm volatile("pause"); }
static void do_cr0(void) { write_cr0(read_cr0() ^ CR0_TS); }
static void do_cr3(void) { write_cr3(read_cr3()); }
static void do_cr4(void) { write_cr4(read_cr4() ^ CR4_PGE); }
static void do_invlpg(void) { asm volatile("invlpg (%0)" : : "r"(0x1000UL) : "memory"); }
static void do_fs_base(void) { wrmsr(MSR_FS_BASE, rdmsr(MSR_FS_BASE)); }
static void do_lstar(void) { wrmsr(0xc0000082, rdmsr(0xc0000082)); }
static void do_efer(void) { rdmsr(MSR_EFER); }
static void do_apic(void) { apic_write(APIC_EOI, 0); }
static void do_dr(void) { asm volatile("mov %0, %%dr0" : : "r"(0UL)); }
static void do_wbinvd(void) { wbinvd(); }

static bool has_deadline;

static void do_deadline(void)
{
	if (has_deadline)
		wrmsr(MSR_TSC_DEADLINE, 0);
}

static volatile u32 irqs;

static void on_irq(struct frame *f)
{
	(void)f;
	irqs++;
	apic_write(APIC_EOI, 0);
}

static void do_interrupt(void)
{
	apic_self_irq(VEC_IRQ);
	asm volatile("sti; nop; nop; cli");
}

static void do_hlt(void)
{
	apic_self_irq(VEC_IRQ);
	asm volatile("sti; hlt; cli");
}

struct cost {
	const char *name;
	void (*run)(void);
	u32 vmx, svm; /* exits for each */
	u32 msrs, crs, apic; /* accesses to MSRs, writes of CR0 and CR4, and of the local APIC's page in it */
};

static const struct cost costs[] = {
	{ "hypercall", do_ping, 1, 1, 0, 0, 0 },
	{ "CPUID", do_cpuid, 1, 0, 0, 0, 0 },
	{ "RDTSC", do_rdtsc, 0, 0, 0, 0, 0 },
	{ "port access", do_port, 0, 0, 0, 0, 0 },
	{ "PAUSE", do_pause, 0, 0, 0, 0, 0 },
	{ "CR0.TS change", do_cr0, 0, 0, 0, 1, 0 },
	{ "CR3 load", do_cr3, 0, 0, 0, 0, 0 },
	{ "CR4.PGE change", do_cr4, 0, 0, 0, 1, 0 },
	{ "INVLPG", do_invlpg, 0, 0, 0, 0, 0 },
	{ "FS_BASE read and write", do_fs_base, 0, 0, 2, 0, 0 },
	{ "LSTAR read and write", do_lstar, 0, 0, 2, 0, 0 },
	{ "EFER read", do_efer, 0, 1, 1, 0, 0 },
	{ "APIC write", do_apic, 0, 0, 0, 0, 1 },
	{ "debug register", do_dr, 0, 0, 0, 0, 0 },
	{ "WBINVD", do_wbinvd, 0, 0, 0, 0, 0 },
	{ "TSC_DEADLINE write", do_deadline, 0, 0, 1, 0, 0 },
	{ "interrupt", do_interrupt, 0, 0, 0, 0, 3 },
	{ "HLT", do_hlt, 0, 0, 0, 0, 3 },
};

/* By the words for a Keel that lets less through. */
static u32 exits_of(const struct cost *c)
{
	u32 each = is_intel ? c->vmx : c->svm;

	if (c->run == do_cpuid && (no_long_mode || option("cpuids")))
		each = 1;
	if (option("msrs") && !(c->run == do_deadline && !has_deadline))
		each = each > c->msrs ? each : c->msrs;
	if (option("crs") && is_intel)
		each += c->crs;
	if (option("pages"))
		each += c->apic;
	return each;
}

void payload(void)
{
	u64 before, after;

	has_deadline = cpuid(1, 0).ecx & BIT(24);
	apic_init();
	trap_hook_set(VEC_IRQ, on_irq);
	for (u32 i = 0; i < ARRAY_SIZE(costs); i++) {
		u32 each = exits_of(&costs[i]);

		costs[i].run();
		before = under_keel ? keel_exits(KEEL_EXITS_ALL) : 0;
		for (u32 n = 0; n < ROUNDS; n++)
			costs[i].run();
		after = under_keel ? keel_exits(KEEL_EXITS_ALL) : 0;
		/* The question for the count is an exit of its own. */
		check_eq(after - before, under_keel ? 1 + each * ROUNDS : 0,
			 "exits of %u times %s", ROUNDS, costs[i].name);
	}
	check_eq(irqs, 2 * (ROUNDS + 1), "every interrupt came once");
}
