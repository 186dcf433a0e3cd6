/* SPDX-License-Identifier: BSD-2-Clause */
#include "trap.h"

#include <stdarg.h>

#include "format.h"
#include "paging.h"

#define SEL_CODE (sizeof(long) == 8 ? 0x20 : SEL_CODE32)
#define TSS_WORDS 26
#define GATE_INTERRUPT 0x8e00

extern const unsigned long trap_stubs[NR_VECTORS];
extern u64 gdt[];
extern const u32 ex_table_start[], ex_table_end[];
extern const char user_leave[];
extern unsigned long user_return_sp;
void user_enter(unsigned long ip);
void trap_handler(struct frame *f);

volatile struct trap cpu_traps[MAX_CPUS];

static trap_hook hooks[NR_VECTORS];
static struct {
	u16 offset_low, selector, type, offset_mid;
#ifdef __x86_64__
	u32 offset_high, zero;
#endif
} idt[NR_VECTORS];
static u32 tss[MAX_CPUS][TSS_WORDS];
static u8 trap_stacks[MAX_CPUS][4096] __attribute__((aligned(16)));

static void tss_init(u32 cpu)
{
	u32 selector = SEL_TSS + 16 * cpu;
	unsigned long base = (unsigned long)tss[cpu];

	/* 32-bit: ESP0, SS0. 64-bit: RSP0; the upper half is 0. */
	tss[cpu][1] = (u32)(unsigned long)(trap_stacks[cpu] + sizeof(trap_stacks[cpu]));
	tss[cpu][2] = sizeof(long) == 8 ? 0 : SEL_DATA;
	gdt[selector / 8] = (sizeof(tss[cpu]) - 1) | (u64)(base & 0xffffff) << 16 |
			    0x89ULL << 40 | (u64)(base >> 24 & 0xff) << 56;
	asm volatile("ltr %w0" : : "r"(selector) : "memory");
}

void trap_cpu_init(u32 cpu)
{
	struct {
		u16 limit;
		unsigned long base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (unsigned long)idt };

	asm volatile("lidt %0" : : "m"(idtr));
	tss_init(cpu);
}

void trap_init(void)
{
	for (u32 i = 0; i < NR_VECTORS; i++) {
		idt[i].offset_low = trap_stubs[i] & 0xffff;
		idt[i].offset_mid = trap_stubs[i] >> 16;
		idt[i].selector = SEL_CODE;
		idt[i].type = GATE_INTERRUPT;
	}
	trap_cpu_init(0);
}

void trap_hook_set(u32 vector, trap_hook hook)
{
	hooks[vector] = hook;
}

static bool fix_up(struct frame *f)
{
	for (const u32 *e = ex_table_start; e < ex_table_end; e += 2) {
		if (e[0] == f->ip) {
			f->ip = e[1];
			return true;
		}
	}
	return false;
}

void trap_handler(struct frame *f)
{
	if (f->vector < NR_VECTORS && hooks[f->vector]) {
		hooks[f->vector](f);
		return;
	}
	last_trap.vector = f->vector;
	last_trap.error = f->error;
	last_trap.ip = f->ip;
	last_trap.ax = f->ax;
	if (fix_up(f))
		return;
	if (f->cs & 3) {
		f->cs = SEL_CODE;
		f->ip = (unsigned long)user_leave;
		f->flags = 2;
#ifdef __x86_64__
		f->ss = SEL_DATA;
		f->sp = user_return_sp;
#endif
		return;
	}
	check(false, "no unexpected vector %u error 0x%llx at 0x%llx cr2 0x%llx on CPU %u",
	      (u32)f->vector, (u64)f->error, (u64)f->ip, (u64)read_cr2(), cpu_index());
	finish();
}

u32 try_user(const void *code)
{
	unsigned long ip = (unsigned long)code;

	if (paging_on()) {
		map_user();
		ip += USER_WINDOW - (ip & ~(WINDOW_SIZE - 1UL));
	}
	last_trap.vector = NO_TRAP;
	user_enter(ip);
	return last_trap.vector;
}

bool check_trap(u32 got, u32 want, const char *fmt, ...)
{
	u64 found = got | (got == VEC_GP ? (u64)last_trap.error << 32 : 0);
	char name[100];
	va_list ap;

	va_start(ap, fmt);
	format_to(name, sizeof(name), fmt, ap);
	va_end(ap);
	return check_eq(found, want, "%s", name);
}
