/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INIT and start-up interrupts in other orders and by other destinations than the usual.
 * Left out: INIT to oneself and to CPU 0 (it goes back to the firmware), and NMIs to a CPU that
 * waits for its start, which QEMU's software CPU takes at the reset vector.
 */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/trap.h"

const char payload_name[] = "sipibad";

#define NR_CPUS_WANTED 4
#define SURPLUS_CPUS 2	/* under a Keel built for so many */
#define ABSENT 0x7e	/* an APIC ID that no CPU has */
#define RESERVED_MODE 0x300
#define OTHER_VECTOR 0x21
#define RESENDS 2000
#define RESEND_ROUNDS 20000
#define LDR_SHIFT 24

#define LOW_VECTOR 31
#define MSR_X2APIC_ICR 0x830

static u32 starts[MAX_CPUS];
static volatile u32 nmis[MAX_CPUS];

static void on_nmi(struct frame *f)
{
	(void)f;
	nmis[cpu_index()]++;
}

/* Sent to a CPU that waits: Bochs' APIC keeps it though INIT disabled it. */
static void on_irq(struct frame *f)
{
	(void)f;
	apic_eoi();
}

static void remember(void)
{
	for (u32 i = 0; i < nr_cpus; i++)
		starts[i] = cpus[i].starts;
}

static u32 started(void)
{
	u32 mask = 0;

	for (u32 i = 0; i < nr_cpus; i++)
		if (cpus[i].starts != starts[i])
			mask |= BIT(i);
	return mask;
}

static bool once_each(void)
{
	for (u32 i = 0; i < nr_cpus; i++)
		if (cpus[i].starts - starts[i] > 1)
			return false;
	return true;
}

static void answer(void *arg)
{
	((volatile u32 *)arg)[cpu_index()] = 1;
}

/* Every CPU that should run runs. */
static void check_running(const char *when)
{
	volatile u32 here[MAX_CPUS] = { 0 };

	for (u32 i = 1; i < nr_cpus; i++)
		check(smp_run(i, answer, (void *)here) && here[i], "CPU %u runs after %s", i, when);
}

/* Sends it until all of mask run: one may come before an emulator acts on INIT. */
static void start_by(u32 destination, u32 command, u32 mask, const char *how)
{
	for (u32 n = 0; n < RESENDS && (started() & mask) != mask; n++) {
		apic_send(destination, ICR_STARTUP | ICR_ASSERT | SMP_VECTOR | command);
		smp_delay(RESEND_ROUNDS);
	}
	smp_settle();
	check_eq(started(), mask, "CPUs that start by %s", how);
	check(once_each(), "none starts twice by %s", how);
}

static void check_no_start(const char *how)
{
	smp_settle();
	check_eq(started(), 0, "CPUs that start by %s", how);
}

/* The firmware left the others halted, or not: as bare. */
static void compare_without_init(void)
{
	remember();
	for (u32 i = 1; i < nr_cpus; i++)
		smp_sipi(i, SMP_VECTOR);
	smp_settle();
	same(started(), "CPUs that start by a start-up interrupt without INIT");
}

/* Also by a CPU that a busy host did not let run for a while. */
static void let_init_be_taken(void)
{
	for (u32 i = 0; i < 20; i++)
		smp_settle();
}

static void check_orders(void)
{
	remember();
	smp_sipi(1, SMP_VECTOR);
	smp_sipi(2, OTHER_VECTOR);
	check_no_start("a start-up interrupt to a running CPU");
	check_running("a start-up interrupt");

	smp_init_ipi(2);
	let_init_be_taken();
	check_eq(started(), 0, "CPUs that start by INIT alone");
	start_by(cpus[2].apic_id, 0, BIT(2), "INIT and a late start-up interrupt");

	remember();
	smp_init_ipi(3);
	smp_settle();
	smp_init_ipi(3);
	smp_settle();
	start_by(cpus[3].apic_id, 0, BIT(3), "INIT twice");

	remember();
	smp_init_ipi(1);
	smp_settle();
	apic_send(cpus[1].apic_id, ICR_FIXED | ICR_ASSERT | VEC_IRQ);
	check_no_start("an interrupt while it waits");
	start_by(cpus[1].apic_id, 0, BIT(1), "a start-up interrupt after another one");
	check_running("INIT in other orders");
}

/* The level that ends INIT on old CPUs: no CPU may lose anything by it. */
static void check_deassert(void)
{
	remember();
	apic_send(cpus[1].apic_id, ICR_INIT | ICR_LEVEL);
	apic_send(0, ICR_INIT | ICR_LEVEL | ICR_ALL);
	check_no_start("INIT's de-assertion");
	check_running("INIT's de-assertion");
}

/* What is no proper write of the ICR must not get to the hardware either. */
static void check_odd_stores(void)
{
	for (u32 i = 1; i < 4; i++) {
		volatile u32 *at = (volatile u32 *)(unsigned long)(APIC_BASE_USUAL + APIC_ICR) + i;

		apic_write(APIC_ICR_HIGH, cpus[1].apic_id << 24);
		check_trap(TRY("mov %0, (%1)", : : "r"(ICR_INIT | ICR_ASSERT), "r"(at) : "memory"),
			   VEC_GP, "INIT stored %u bytes behind the ICR", 4 * i);
		check_trap(TRY("mov %0, (%1)",
			       : : "r"(ICR_STARTUP | ICR_ASSERT | SMP_VECTOR), "r"(at) : "memory"),
			   VEC_GP, "start-up interrupt stored %u bytes behind the ICR", 4 * i);
	}
}

static void check_reserved_bits(void)
{
	static const u8 bits[] = { 13, 16, 17, 20, 24, 31 };
	u64 to = (u64)cpus[1].apic_id << 32;

	for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
		check_trap(try_wrmsr(MSR_X2APIC_ICR, to | ICR_INIT | ICR_ASSERT | BIT(bits[i])), VEC_GP,
			   "INIT with reserved bit %u", bits[i]);
		check_trap(try_wrmsr(MSR_X2APIC_ICR,
				     to | ICR_STARTUP | ICR_ASSERT | SMP_VECTOR | BIT(bits[i])),
			   VEC_GP, "start-up interrupt with reserved bit %u", bits[i]);
	}
}

/* Where the ICR is trapped: emulators do things of their own with such writes. */
static void check_odd_writes(void)
{
	if (!under_keel || keel_policy() != KEEL_START_SAFE)
		return;
	remember();
	if (apic_is_x2())
		check_reserved_bits();
	else
		check_odd_stores();
	check_no_start("an odd write of the ICR");
	check_running("odd writes of the ICR");
}

static void wait_deaf(void *arg)
{
	volatile u32 *there = arg;

	asm volatile("cli");
	*there = 1;
	for (;;)
		asm volatile("pause");
}

/* An interrupt's vector may be an exception's number: INIT takes it from the APIC all the same. */
static void check_low_vector(void)
{
	volatile u32 there = 0;

	remember();
	smp_give(1, wait_deaf, (void *)&there);
	check(smp_reaches(&there, 1), "CPU 1 is deaf");
	apic_send(cpus[1].apic_id, ICR_FIXED | ICR_ASSERT | LOW_VECTOR);
	smp_settle();
	smp_init_ipi(1);
	smp_settle();
	start_by(cpus[1].apic_id, 0, BIT(1), "a start-up interrupt with vector 31 pending before");
	check_running("a pending vector 31");
}

static void check_absent(void)
{
	remember();
	apic_send(ABSENT, ICR_INIT | ICR_ASSERT);
	apic_send(ABSENT, ICR_STARTUP | ICR_ASSERT | SMP_VECTOR);
	apic_send(ABSENT, ICR_NMI | ICR_ASSERT);
	apic_send(ABSENT, ICR_FIXED | ICR_ASSERT | VEC_IRQ);
	apic_send(cpus[1].apic_id, RESERVED_MODE | ICR_ASSERT | VEC_IRQ);
	check_no_start("commands to an absent CPU");
	check_running("commands to an absent CPU");
}

static void check_broadcast(void)
{
	u32 others = BIT(nr_cpus) - 1 - 1;

	remember();
	apic_send(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	check_no_start("INIT to all others");
	start_by(0, ICR_OTHERS, others, "INIT and start-up interrupts to all others");
	check_running("a broadcast");

	/* One stopped, the start-up interrupt for all: those that run ignore it. */
	remember();
	smp_init_ipi(2);
	smp_settle();
	start_by(0, ICR_OTHERS, BIT(2), "a start-up interrupt to all others, one stopped");
	check_running("a start-up interrupt to all others");
}

static u32 logical[MAX_CPUS];

static void set_logical(void *arg)
{
	const u32 *mode = arg; /* DFR */
	u32 me = cpu_index();

	if (!apic_is_x2()) {
		apic_write(APIC_DFR, *mode);
		apic_write(APIC_LDR, (u32)(*mode == APIC_DFR_FLAT ? BIT(me) :
					   (me / 2) << 4 | BIT(me % 2)) << LDR_SHIFT);
	}
	logical[me] = apic_read(APIC_LDR) >> (apic_is_x2() ? 0 : LDR_SHIFT);
}

/*
 * INIT clears an xAPIC's logical ID (and Bochs' x2APIC's), so the start-up interrupts that work
 * are physical ones. The CPUs spin: on QEMU's software CPU, INIT waits in HLT for the start-up
 * interrupt.
 */
static void check_logical(const char *name, u32 dfr, u32 first, u32 second)
{
	u32 destination;

	smp_spin(true);
	set_logical(&dfr);
	smp_run_all(set_logical, &dfr);
	destination = logical[first] | logical[second];
	remember();
	apic_send(destination, ICR_LOGICAL | ICR_STARTUP | ICR_ASSERT | SMP_VECTOR);
	check_no_start("a logical start-up interrupt to running CPUs");
	/* QEMU keeps one that a starved CPU has not looked at yet over INIT. */
	check_running("a logical start-up interrupt");
	apic_send(destination, ICR_LOGICAL | ICR_INIT | ICR_ASSERT);
	let_init_be_taken();
	if (!apic_is_x2()) {
		apic_send(destination, ICR_LOGICAL | ICR_STARTUP | ICR_ASSERT | SMP_VECTOR);
		check_no_start("a logical start-up interrupt after INIT");
	}
	start_by(cpus[first].apic_id, 0, BIT(first), name);
	remember();
	start_by(cpus[second].apic_id, 0, BIT(second), name);
	smp_spin(false);
	check_running(name);
}

static void restart_three(void *arg)
{
	(void)arg;
	smp_init_ipi(3);
	smp_settle();
	for (u32 n = 0; n < RESENDS && cpus[3].starts == starts[3]; n++) {
		smp_sipi(3, SMP_VECTOR);
		smp_delay(RESEND_ROUNDS);
	}
}

/* Not only the CPU that booted starts others. */
static void check_by_other(void)
{
	remember();
	check(smp_run(1, restart_three, NULL), "CPU 1 comes back from starting CPU 3");
	check_eq(started(), BIT(3), "CPUs that CPU 1 starts");
	check_running("that");
}

/* Keel has room for two CPUs: whoever asks, the others do not run. */
static void check_surplus(void)
{
	u32 all = BIT(NR_CPUS_WANTED) - 1;

	if (!smp_start_all(under_keel ? SURPLUS_CPUS : NR_CPUS_WANTED))
		return;
	for (; nr_cpus < NR_CPUS_WANTED; nr_cpus++)
		cpus[nr_cpus].apic_id = nr_cpus;
	remember();
	for (u32 i = SURPLUS_CPUS; i < nr_cpus; i++)
		smp_init_ipi(i);
	for (u32 n = 0; n < 3; n++) {
		smp_settle();
		for (u32 i = SURPLUS_CPUS; i < nr_cpus; i++)
			smp_sipi(i, SMP_VECTOR);
	}
	smp_settle();
	if (under_keel)
		check_eq(started(), 0, "surplus CPUs that start by INIT to each");
	remember();
	apic_send(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	smp_settle();
	start_by(0, ICR_OTHERS, under_keel ? BIT(1) : all & ~1U, "a broadcast, with surplus CPUs");
	apic_send(0, ICR_NMI | ICR_ASSERT | ICR_OTHERS);
	check(smp_reaches(&nmis[1], 1), "an NMI to all others comes");
	smp_settle();
	check_eq(nmis[1], 1, "NMIs that CPU 1 gets");
	for (u32 i = SURPLUS_CPUS; i < nr_cpus; i++)
		check_eq(nmis[i], !under_keel, "NMIs that CPU %u gets", i);
	if (under_keel)
		nr_cpus = SURPLUS_CPUS;
	check_running("all that");
}

void payload(void)
{
	trap_hook_set(VEC_NMI, on_nmi);
	trap_hook_set(VEC_IRQ, on_irq);
	if (option("surplus")) {
		check_surplus();
		return;
	}
	if (!smp_init(NR_CPUS_WANTED))
		return;
	smp_prepare(SMP_VECTOR);
	smp_prepare(OTHER_VECTOR);
	compare_without_init();
	if (!smp_start_all(NR_CPUS_WANTED))
		return;
	check_orders();
	check_deassert();
	check_absent();
	check_broadcast();
	if (!apic_is_x2())
		check_logical("logical flat INIT", APIC_DFR_FLAT, 1, 3);
	check_logical("logical cluster INIT", APIC_DFR_CLUSTER, 2, 3);
	check_by_other();
	check_odd_writes();
	check_low_vector();
}
