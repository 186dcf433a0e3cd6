/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions: capture one, or hook a vector. */
#ifndef TRAP_H
#define TRAP_H

#include "cpu.h"

enum { VEC_DB = 1, VEC_NMI = 2, VEC_UD = 6, VEC_GP = 13, VEC_PF = 14, VEC_IRQ = 0x40, VEC_WAKE = 0x4f };
#define NO_TRAP 0x100 /* what a try_ function returns when nothing was raised */
#define NR_VECTORS 0x50

struct frame {
#ifdef __x86_64__
	unsigned long r15, r14, r13, r12, r11, r10, r9, r8;
	unsigned long di, si, bp, bx, dx, cx, ax;
#else
	unsigned long di, si, bp, sp_unused, bx, dx, cx, ax;
#endif
	unsigned long vector, error, ip, cs, flags, sp, ss;
};

struct trap {
	u32 vector, error;
	unsigned long ip, ax;
};
/* This CPU's. */
#define last_trap (cpu_traps[cpu_index()])
extern volatile struct trap cpu_traps[MAX_CPUS];

typedef void (*trap_hook)(struct frame *f);
void trap_init(void);
/* The same for a CPU that was started later; from here on it is cpu_index(). */
void trap_cpu_init(u32 cpu);
/* A hook is for all CPUs. */
void trap_hook_set(u32 vector, trap_hook hook);
/* Runs position-independent code at CPL 3 until it traps; returns the vector. CPU 0 only. */
u32 try_user(const void *code);
/* Checks a try_ function's result; #GP must carry the error code 0. */
bool check_trap(u32 got, u32 want, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* An instruction that may fault: last_trap tells, execution goes on behind it. */
#define TRY_ASM(insn)                                                                              \
	"1: " insn "\n2:\n\t.pushsection .ex_table, \"a\"\n\t.long 1b, 2b\n\t.popsection\n"
#define TRY(insn, ...)                                                                             \
	({                                                                                         \
		last_trap.vector = NO_TRAP;                                                        \
		asm volatile(TRY_ASM(insn) __VA_ARGS__);                                           \
		last_trap.vector;                                                                  \
	})

static inline u32 try_rdmsr(u32 msr, u64 *v)
{
	u32 lo = 0, hi = 0;
	u32 vector = TRY("rdmsr", : "+a"(lo), "+d"(hi) : "c"(msr) : "memory");

	*v = (u64)hi << 32 | lo;
	return vector;
}

static inline u32 try_wrmsr(u32 msr, u64 v)
{
	return TRY("wrmsr", : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u32 try_xsetbv(u32 xcr, u64 v)
{
	return TRY("xsetbv", : : "c"(xcr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u32 try_write_cr0(unsigned long v) { return TRY("mov %0, %%cr0", : : "r"(v) : "memory"); }
static inline u32 try_write_cr4(unsigned long v) { return TRY("mov %0, %%cr4", : : "r"(v) : "memory"); }

#endif
