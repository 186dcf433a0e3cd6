/* SPDX-License-Identifier: BSD-2-Clause */
/* Code breakpoints at and behind instructions that exit, and RFLAGS.RF over them. */
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/trap.h"

const char payload_name[] = "breakpoint";

#define FLAGS_RF BIT(16)
#define DR6_NONE 0xffff0ff0UL
#define DR7_NONE 0x400UL

extern const char at_cpuid[], behind_cpuid[], at_rdmsr[], behind_rdmsr[];
asm(".text\n"
    "at_cpuid: cpuid\n"
    "behind_cpuid: nop\n"
    "	ret\n"
    "at_rdmsr: rdmsr\n"
    "behind_rdmsr: nop\n"
    "	ret\n");

static const struct code {
	const char *name, *at, *behind;
	u32 vmx, svm; /* exits */
} codes[] = {
	{ "CPUID", at_cpuid, behind_cpuid, 1, 0 },
	{ "RDMSR", at_rdmsr, behind_rdmsr, 0, 1 },
};

static unsigned long traps[8], dr6[8];
static volatile u32 nr_traps;

static void on_debug(struct frame *f)
{
	u32 n = nr_traps++;

	if (n < ARRAY_SIZE(traps)) {
		traps[n] = f->ip;
		asm volatile("mov %%dr6, %0" : "=r"(dr6[n]));
	} else {
		asm volatile("mov %0, %%dr7" : : "r"(DR7_NONE));
	}
	asm volatile("mov %0, %%dr6" : : "r"(DR6_NONE));
	f->flags |= FLAGS_RF;
}

/* Runs the code with breakpoints at both places, or 0; each instruction must happen once. */
static void run(const struct code *c, const char *dr0, const char *dr1)
{
	u32 each = is_intel ? c->vmx : c->svm;
	u64 before, exits;
	unsigned long a = 0, b, cx = c->at == at_rdmsr ? MSR_EFER : 0, d = 0;

	if (no_long_mode && c->at == at_cpuid)
		each = 1;
	before = under_keel ? keel_exits(KEEL_EXITS_ALL) : 0;
	asm volatile("mov %0, %%dr0" : : "r"(dr0));
	asm volatile("mov %0, %%dr1" : : "r"(dr1));
	asm volatile("mov %0, %%dr7" : : "r"(DR7_NONE | (dr0 ? 1 : 0) | (dr1 ? 4 : 0)));
	asm volatile("call *%4" : "+a"(a), "=&b"(b), "+c"(cx), "+d"(d) : "S"(c->at) : "memory");
	asm volatile("mov %0, %%dr7" : : "r"(DR7_NONE));
	exits = under_keel ? keel_exits(KEEL_EXITS_ALL) - before : 0;
	check_eq(exits, under_keel ? 1 + each : 0, "exits of %s", c->name);
	check_eq((u32)a, c->at == at_rdmsr ? (u32)rdmsr(MSR_EFER) : cpuid(0, 0).eax,
		 "%s gives its result", c->name);
}

static void check_traps(const struct code *c, const char *first, const char *second)
{
	check_eq(nr_traps, (first ? 1 : 0) + (second ? 1 : 0), "%s: number of #DB", c->name);
	check_eq(traps[0], (unsigned long)first, "%s: first #DB", c->name);
	if (second)
		check_eq(traps[1], (unsigned long)second, "%s: second #DB", c->name);
	nr_traps = 0;
}

void payload(void)
{
	trap_hook_set(VEC_DB, on_debug);
	for (u32 i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct code *c = &codes[i];

		run(c, c->behind, NULL);
		check_eq(dr6[0] & 0xf, 1, "%s: DR6 behind it", c->name);
		check_traps(c, c->behind, NULL);
		for (u32 round = 0; round < 2; round++) {
			run(c, c->at, NULL);
			check_traps(c, c->at, NULL);
		}
		/* RF ends with the instruction that it lets pass. */
		run(c, c->at, c->behind);
		check_eq(dr6[1] & 0xf, 2, "%s: DR6 behind it, after RF", c->name);
		check_traps(c, c->at, c->behind);
	}
}
