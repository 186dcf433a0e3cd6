/* SPDX-License-Identifier: BSD-2-Clause */
/* Single-step, STI and MOV SS over instructions that exit: as if they did not. */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/trap.h"

const char payload_name[] = "step";

#define DR6_BS BIT(14)

enum when { ALWAYS, KEEL_VMX, KEEL_SVM };
enum how { NOTHING, READ_EFER, WRITE_EFER, PING, SET_XCR0 };

#define SNIPPET(name, how, when)                                                                   \
	{                                                                                          \
		#name, step_##name, step_##name##_at, sti_##name, sti_##name##_at, how, when       \
	}
#define SNIPPETS(X)                                                                                \
	X(nop, NOTHING, ALWAYS)                                                                    \
	X(cpuid, NOTHING, ALWAYS)                                                                  \
	X(cpuid_segment, NOTHING, ALWAYS)                                                          \
	X(cpuid_address, NOTHING, ALWAYS)                                                          \
	X(cpuid_operand, NOTHING, ALWAYS)                                                          \
	X(rdmsr, READ_EFER, ALWAYS)                                                                \
	X(rdmsr_segment, READ_EFER, ALWAYS)                                                        \
	X(rdmsr_operand, READ_EFER, ALWAYS)                                                        \
	X(rdmsr_address, READ_EFER, ALWAYS)                                                        \
	X(rdmsr_many, READ_EFER, ALWAYS)                                                           \
	X(wrmsr, WRITE_EFER, ALWAYS)                                                               \
	X(wrmsr_segment, WRITE_EFER, ALWAYS)                                                       \
	X(wrmsr_operand, WRITE_EFER, ALWAYS)                                                       \
	X(vmcall, PING, KEEL_VMX)                                                                  \
	X(vmcall_segment, PING, KEEL_VMX)                                                          \
	X(vmmcall, PING, KEEL_SVM)                                                                 \
	X(vmmcall_segment, PING, KEEL_SVM)                                                         \
	X(xsetbv, SET_XCR0, ALWAYS)                                                                \
	X(invd, NOTHING, ALWAYS)                                                                   \
	X(wbinvd, NOTHING, ALWAYS)                                                                 \
	SNIPPETS64(X)
#ifdef __x86_64__
#define SNIPPETS64(X)                                                                              \
	X(cpuid_rex, NOTHING, ALWAYS)                                                              \
	X(rdmsr_rex, READ_EFER, ALWAYS)                                                            \
	X(wrmsr_rex, WRITE_EFER, ALWAYS)                                                           \
	X(vmcall_rex, PING, KEEL_VMX)                                                              \
	X(vmmcall_rex, PING, KEEL_SVM)
#else
#define SNIPPETS64(X)
#endif

#define DECLARE(name, how, when)                                                                   \
	extern const char step_##name[], step_##name##_at[], sti_##name[], sti_##name##_at[];
SNIPPETS(DECLARE)
extern const char step_mov_ss[], step_mov_ss_at[];

#define ROW(name, how, when) SNIPPET(name, how, when),
static const struct snippet {
	const char *name, *step, *step_at, *sti, *sti_at;
	enum how how;
	enum when when;
} snippets[] = { SNIPPETS(ROW) };

static unsigned long traps[16];
static volatile u32 nr_traps;
static unsigned long stop_at, dr6;

static unsigned long read_dr6(void)
{
	unsigned long v;

	asm volatile("mov %%dr6, %0" : "=r"(v));
	return v;
}

static void on_debug(struct frame *f)
{
	if (nr_traps < ARRAY_SIZE(traps))
		traps[nr_traps] = f->ip;
	nr_traps++;
	dr6 |= read_dr6();
	asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff0UL));
	if (f->ip == stop_at || nr_traps >= ARRAY_SIZE(traps))
		f->flags &= ~FLAGS_TF;
}

static void on_irq(struct frame *f)
{
	if (nr_traps < ARRAY_SIZE(traps))
		traps[nr_traps] = f->ip;
	nr_traps++;
	apic_write(APIC_EOI, 0);
}

/* Runs a snippet with the registers that its instruction wants. */
static void run(const char *code, enum how how)
{
	u64 efer = rdmsr(MSR_EFER);
	unsigned long a = 0, b, c = 0, d = 0, s;

	if (how == READ_EFER || how == WRITE_EFER) {
		c = MSR_EFER;
		a = (u32)efer;
		d = efer >> 32;
	} else if (how == PING) {
		a = KEEL_HC_SIGNATURE;
		c = KEEL_HC_PING;
	} else if (how == SET_XCR0) {
		a = 1;
	}
	asm volatile("call *%5"
		     : "+a"(a), "=&b"(b), "+c"(c), "+d"(d), "=&S"(s)
		     : "D"(code)
		     : "memory", "cc");
	if (how == READ_EFER)
		check_eq((u64)(u32)d << 32 | (u32)a, efer, "the value is right as well");
	if (how == PING)
		check_eq((u32)a, KEEL_HC_ANSWER, "the answer is right as well");
}

/* One trap behind the instruction, one behind the NOP that follows: no more, no less. */
static void check_step(const char *name, const char *code, const char *at, enum how how)
{
	nr_traps = 0;
	dr6 = 0;
	stop_at = (unsigned long)at + 1;
	run(code, how);
	check_eq(nr_traps, 2, "%s single-stepped: number of #DB", name);
	check_eq(traps[0], (unsigned long)at, "%s single-stepped: first #DB", name);
	check_eq(traps[1], stop_at, "%s single-stepped: second #DB", name);
	check(dr6 & DR6_BS, "%s single-stepped: DR6.BS", name);
}

/* A pending interrupt comes right behind the instruction in STI's shadow. */
static void check_sti(const struct snippet *s)
{
	nr_traps = 0;
	apic_self_irq(VEC_IRQ);
	run(s->sti, s->how);
	check_eq(nr_traps, 1, "STI, %s: number of interrupts", s->name);
	check_eq(traps[0], (unsigned long)s->sti_at, "STI, %s: place of the interrupt", s->name);
}

void payload(void)
{
	bool has_xsave = cpuid(1, 0).ecx & BIT(26);

	trap_hook_set(VEC_DB, on_debug);
	trap_hook_set(VEC_IRQ, on_irq);
	apic_init();
	if (has_xsave)
		write_cr4(read_cr4() | CR4_OSXSAVE);
	for (u32 i = 0; i < ARRAY_SIZE(snippets); i++) {
		const struct snippet *s = &snippets[i];

		if (s->when == KEEL_VMX && !(under_keel && is_intel))
			continue;
		if (s->when == KEEL_SVM && !(under_keel && !is_intel))
			continue;
		if (s->how == SET_XCR0 && !has_xsave)
			continue;
		check_step(s->name, s->step, s->step_at, s->how);
		check_sti(s);
	}
	check_step("MOV SS and CPUID", step_mov_ss, step_mov_ss_at, NOTHING);
}
