/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modes of the local APIC on each CPU: illegal changes fault, interrupts and starts work after
 * each legal one, the page can move on one CPU alone, and every kind of store reaches it.
 */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/trap.h"

const char payload_name[] = "apicmode";

#define NR_CPUS_WANTED 4
#define OTHER_BASE 0xfee40000u
#define BASE_FLAGS 0xfffu
#define IRQ_ROUNDS 5

static volatile u32 irqs[MAX_CPUS];

static void on_irq(struct frame *f)
{
	(void)f;
	irqs[cpu_index()]++;
	apic_eoi();
}

/* Stores a value in a register of the APIC's page, each by another instruction. */
#define STORE(name, insn, ...)                                                                     \
	static void store_##name(volatile u32 *at, u32 v)                                          \
	{                                                                                          \
		(void)at;                                                                          \
		(void)v;                                                                           \
		asm volatile(insn : : __VA_ARGS__ : "memory", "cc");                               \
	}
#define AT_V "r"(at), "r"(v)
#define AT_A "r"(at), "a"(v)
STORE(mov, "mov %1, (%0)", AT_V)
STORE(mov_a, "mov %1, (%0)", AT_A)
STORE(mov_disp8, "mov %1, 0x7f(%0)", "r"((u8 *)at - 0x7f), "r"(v))
STORE(mov_disp32, "mov %1, 0x12345(%0)", "r"((u8 *)at - 0x12345), "r"(v))
STORE(mov_sib, "mov %1, -4(%0,%2,2)", "r"(at), "r"(v), "r"(2L))
STORE(mov_imm, "movl $0x50, (%0)", "r"(at))
STORE(xchg, "xchg %1, (%0)", AT_V)
STORE(movnti, "movnti %1, (%0)", AT_V)
STORE(or, "movl $0x10, (%0); orl $0x40, (%0)", "r"(at))
STORE(or_reg, "movl $0x10, (%0); orl %1, (%0)", "r"(at), "r"(0x40))
STORE(and, "movl $0xf0, (%0); andl $0x50, (%0)", "r"(at))
STORE(and_reg, "movl $0xf0, (%0); andl %1, (%0)", AT_V)
STORE(add, "movl $0x20, (%0); addl $0x30, (%0)", "r"(at))
STORE(add_reg, "movl $0x20, (%0); addl %1, (%0)", "r"(at), "r"(0x30))
STORE(xor, "movl $0xf0, (%0); xorl $0xa0, (%0)", "r"(at))
STORE(xor_reg, "movl $0xf0, (%0); xorl %1, (%0)", "r"(at), "r"(0xa0))
STORE(sub, "movl $0x70, (%0); subl $0x20, (%0)", "r"(at))
STORE(adc, "movl $0x20, (%0); stc; adcl $0x2f, (%0)", "r"(at))
STORE(sbb, "movl $0x70, (%0); stc; sbbl $0x1f, (%0)", "r"(at))
STORE(not, "movl $0xaf, (%0); notl (%0)", "r"(at))
STORE(neg, "movl $0xb0, (%0); negl (%0)", "r"(at))
STORE(inc, "movl $0x4f, (%0); incl (%0)", "r"(at))
STORE(dec, "movl $0x51, (%0); decl (%0)", "r"(at))
#ifdef __x86_64__
STORE(moffs, "movabsl %0, 0xfee00080", "a"(v))
STORE(mov_high, "mov %1, %%r13d; mov %0, %%r14; mov %%r13d, (%%r14)", "r"(at), "S"(v))
#else
STORE(moffs, ".byte 0xa3; .long 0xfee00080", "a"(v))
STORE(mov_high, "mov %1, (%0)", AT_V)
#endif

static void store_stos(volatile u32 *at, u32 v)
{
	void *to = (void *)at;

	asm volatile("stosl" : "+D"(to) : "a"(v) : "memory");
}

#define VALUE 0x50 /* all of them store this in TPR, whose low half is 0 for that */
#define ROW(name)                                                                                  \
	{                                                                                          \
		#name, store_##name                                                                \
	}
static const struct {
	const char *name;
	void (*run)(volatile u32 *at, u32 v);
} stores[] = {
	ROW(mov), ROW(mov_a), ROW(mov_disp8), ROW(mov_disp32), ROW(mov_sib), ROW(mov_imm),
	ROW(mov_high), ROW(moffs), ROW(xchg), ROW(movnti), ROW(stos), ROW(or), ROW(or_reg),
	ROW(sub), ROW(adc), ROW(sbb), ROW(not), ROW(neg), ROW(inc), ROW(dec),
	ROW(and), ROW(and_reg), ROW(add), ROW(add_reg), ROW(xor), ROW(xor_reg),
};
static u32 stored[MAX_CPUS][ARRAY_SIZE(stores)];

static void store_all(void *arg)
{
	volatile u32 *tpr = (u32 *)(unsigned long)(APIC_BASE_USUAL + APIC_TPR);

	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(stores); i++) {
		*tpr = 0;
		stores[i].run(tpr, VALUE);
		stored[cpu_index()][i] = *tpr;
	}
	*tpr = 0;
}

/* All at once: nothing of one CPU's may get into another's. */
static void check_stores(void)
{
	for (u32 i = 1; i < nr_cpus; i++)
		smp_give(i, store_all, NULL);
	store_all(NULL);
	for (u32 i = 1; i < nr_cpus; i++)
		check(smp_wait(i), "CPU %u has stored", i);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		for (u32 i = 0; i < ARRAY_SIZE(stores); i++)
			check_eq(stored[cpu][i], VALUE, "TPR of CPU %u by %s", cpu,
				 stores[i].name);
}

/* A job that writes APIC_BASE. */
struct change {
	u64 value, after;
	u32 vector;
};

static void do_change(void *arg)
{
	struct change *c = arg;

	c->vector = try_wrmsr(MSR_APIC_BASE, c->value);
	c->after = rdmsr(MSR_APIC_BASE);
	apic_look();
	if (c->after & APIC_BASE_ENABLE)
		apic_write(APIC_SVR, APIC_SVR_ENABLE);
}

static u64 base_bits(u32 cpu)
{
	return cpu ? 0 : APIC_BASE_BSP;
}

static void run_on(u32 cpu, smp_job job, void *arg)
{
	if (cpu)
		smp_run(cpu, job, arg);
	else
		job(arg);
}

/* Tries a change of mode; returns whether it was made. */
static bool change_mode(u32 cpu, u32 mode, u32 want, const char *what)
{
	struct change c = { APIC_BASE_USUAL | base_bits(cpu) | mode, 0, 0 };

	run_on(cpu, do_change, &c);
	return check_eq(c.vector, want, "CPU %u: %s", cpu, what) && c.vector == NO_TRAP &&
	       check_eq(c.after, c.value, "CPU %u: APIC_BASE after it", cpu);
}

static void take_irqs(void *arg)
{
	u32 me = cpu_index();

	irq_on();
	for (u32 i = 1; i <= IRQ_ROUNDS; i++) {
		apic_self_irq(VEC_IRQ);
		smp_reaches(&irqs[me], i);
	}
	smp_reaches(&irqs[me], *(u32 *)arg);
	irq_off();
}

/* A CPU interrupts itself, CPU 0 interrupts it, and CPU 0 can start it again. */
static void check_works(u32 cpu, const char *mode)
{
	u32 want = 2 * IRQ_ROUNDS;

	irqs[cpu] = 0;
	smp_give(cpu, take_irqs, &want);
	smp_reaches(&irqs[cpu], IRQ_ROUNDS);
	for (u32 i = 1; i <= IRQ_ROUNDS; i++) {
		apic_send(cpus[cpu].apic_id, ICR_FIXED | ICR_ASSERT | VEC_IRQ);
		smp_reaches(&irqs[cpu], IRQ_ROUNDS + i);
	}
	check(smp_wait(cpu), "CPU %u has its interrupts in %s", cpu, mode);
	check_eq(irqs[cpu], want, "interrupts of CPU %u in %s", cpu, mode);
	check(smp_start(cpu, SMP_VECTOR), "CPU %u starts again in %s", cpu, mode);
}

/* A job: the page moves, and what is at the old and the new place is told. */
struct move {
	u32 vector, id, old_place;
	u64 after;
};

static void do_move(void *arg)
{
	struct move *m = arg;
	u64 usual = rdmsr(MSR_APIC_BASE);

	m->vector = try_wrmsr(MSR_APIC_BASE, OTHER_BASE | (usual & BASE_FLAGS));
	m->after = rdmsr(MSR_APIC_BASE);
	apic_look();
	m->id = apic_id();
	apic_write(APIC_TPR, VALUE);
	m->old_place = *(volatile u32 *)(unsigned long)(APIC_BASE_USUAL + APIC_TPR) == VALUE;
	apic_write(APIC_TPR, 0);
}

static void do_move_back(void *arg)
{
	struct move *m = arg;

	m->vector = try_wrmsr(MSR_APIC_BASE, APIC_BASE_USUAL | (rdmsr(MSR_APIC_BASE) & BASE_FLAGS));
	apic_init();
}

/* QEMU's software CPU keeps the page where it was. */
static void check_move(u32 cpu)
{
	struct move m = { 0 };

	if (!is_intel)
		return;
	run_on(cpu, do_move, &m);
	check_eq(m.vector, NO_TRAP, "CPU %u: the APIC's page moves", cpu);
	check_eq(m.after & ~(u64)BASE_FLAGS, OTHER_BASE, "CPU %u: its new place", cpu);
	check_eq(m.id, cpus[cpu].apic_id, "CPU %u: APIC ID at the new place", cpu);
	same(m.old_place, "CPU %u: the old place still answers", cpu);
	for (u32 i = 1; i < nr_cpus; i++)
		if (i != cpu)
			check_works(i, "the usual place, while another's APIC is elsewhere");
	if (cpu)
		check_works(cpu, "a page elsewhere");
	run_on(cpu, do_move_back, &m);
	check_eq(m.vector, NO_TRAP, "CPU %u: the APIC's page moves back", cpu);
	if (cpu)
		check_works(cpu, "xAPIC mode with the page back");
}

static void check_illegal(u32 cpu, bool has_x2)
{
	change_mode(cpu, APIC_BASE_X2, VEC_GP, "x2APIC mode without the enable bit is #GP");
	if (!has_x2)
		change_mode(cpu, APIC_BASE_X2 | APIC_BASE_ENABLE, VEC_GP,
			    "x2APIC mode that the CPU has not is #GP");
}

static void check_modes(u32 cpu)
{
	check_illegal(cpu, apic_has_x2());
	change_mode(cpu, APIC_BASE_ENABLE, NO_TRAP, "xAPIC mode again");
	if (cpu)
		check_works(cpu, "xAPIC mode");
	if (!apic_has_x2())
		return;
	if (change_mode(cpu, APIC_BASE_ENABLE | APIC_BASE_X2, NO_TRAP, "to x2APIC mode") && cpu)
		check_works(cpu, "x2APIC mode");
	/* Bochs' INIT leads back to xAPIC mode. */
	change_mode(cpu, APIC_BASE_ENABLE | APIC_BASE_X2, NO_TRAP, "x2APIC mode again");
	change_mode(cpu, APIC_BASE_ENABLE, VEC_GP, "from x2APIC to xAPIC mode is #GP");
	change_mode(cpu, APIC_BASE_X2, VEC_GP, "from x2APIC to a mode that is none is #GP");
	if (cpu)
		check_works(cpu, "x2APIC mode after faults");
}

static void say_hello(void *arg)
{
	*(volatile u32 *)arg = 1;
}

/* For good: neither emulator lets a CPU enable its APIC again. The CPU runs on, deaf. */
static void check_disabled(u32 cpu)
{
	volatile u32 hello = 0;
	struct hypercall sync;

	if (!change_mode(cpu, 0, NO_TRAP, "to disabled"))
		return;
	irqs[cpu] = 0;
	apic_send(cpus[cpu].apic_id, ICR_FIXED | ICR_ASSERT | VEC_IRQ);
	smp_settle();
	check(smp_run(cpu, say_hello, (void *)&hello) && hello, "CPU %u runs with its APIC disabled",
	      cpu);
	check_eq(irqs[cpu], 0, "interrupts of CPU %u with its APIC disabled", cpu);
	/* No kick reaches it: Keel says so, and leaves it at that. */
	if (under_keel)
		check_eq(hypercall(KEEL_HC_SYNC, 0, &sync), NO_TRAP, "the others are synchronised");
	check(smp_run(cpu, say_hello, (void *)&hello) && hello, "CPU %u still runs", cpu);
}

void payload(void)
{
	trap_hook_set(VEC_IRQ, on_irq);
	if (!smp_start_all(NR_CPUS_WANTED))
		return;
	smp_spin(true); /* the idle loop must not need the APIC */
	check_stores();
	for (u32 i = 0; i < nr_cpus; i++)
		check_move(i);
	for (u32 n = 1; n <= nr_cpus; n++)
		check_modes(n % nr_cpus);
	check_disabled(nr_cpus - 1);
}
