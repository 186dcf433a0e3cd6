/* SPDX-License-Identifier: BSD-2-Clause */
/* Control registers, flags and the instructions that read and write them (SDM volume 3, 2.5). */
#ifndef KEEL_CPU_REGS_H
#define KEEL_CPU_REGS_H

#include <keel/bits.h>
#include <keel/types.h>

#define CR0_PE	     BIT64(0)
#define CR0_MP	     BIT64(1)
#define CR0_EM	     BIT64(2)
#define CR0_TS	     BIT64(3)
#define CR0_ET	     BIT64(4)
#define CR0_NE	     BIT64(5)
#define CR0_WP	     BIT64(16)
#define CR0_AM	     BIT64(18)
#define CR0_NW	     BIT64(29)
#define CR0_CD	     BIT64(30)
#define CR0_PG	     BIT64(31)

#define CR4_PSE	     BIT64(4)
#define CR4_PAE	     BIT64(5)
#define CR4_MCE	     BIT64(6)
#define CR4_PGE	     BIT64(7)
#define CR4_LA57     BIT64(12)
#define CR4_VMXE     BIT64(13)
#define CR4_SMXE     BIT64(14)
#define CR4_PCIDE    BIT64(17)
#define CR4_OSXSAVE  BIT64(18)
#define CR4_SMEP     BIT64(20)
#define CR4_PKE	     BIT64(22)
#define CR4_CET	     BIT64(23)

#define CR3_PCID     0xfffull /* while CR4.PCIDE is set */

#define EFER_SCE     BIT64(0)
#define EFER_LME     BIT64(8)
#define EFER_LMA     BIT64(10)
#define EFER_NXE     BIT64(11)
#define EFER_SVME    BIT64(12)
#define EFER_LMSLE   BIT64(13)

#define RFLAGS_FIXED BIT64(1) /* reads as 1 always */
#define RFLAGS_TF    BIT64(8)
#define RFLAGS_DF    BIT64(10)
#define RFLAGS_RF    BIT64(16)

#define DR6_INIT     0xffff0ff0u
#define DR6_BS	     BIT64(14)
#define DR7_INIT     0x400u

/* Exception vectors (SDM volume 3, 6.3.1). */
enum vector {
	VECTOR_DB = 1,
	VECTOR_NMI = 2,
	VECTOR_BP = 3,
	VECTOR_OF = 4,
	VECTOR_UD = 6,
	VECTOR_DF = 8,
	VECTOR_TS = 10,
	VECTOR_NP = 11,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_MC = 18,
	VECTOR_COUNT = 32,
};

#define DEFINE_CR(n)                                                       \
	static inline unsigned long read_cr##n(void)                       \
	{                                                                  \
		unsigned long v;                                           \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v));          \
		return v;                                                  \
	}                                                                  \
	static inline void write_cr##n(unsigned long v)                    \
	{                                                                  \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory"); \
	}

DEFINE_CR(0)
DEFINE_CR(3)
DEFINE_CR(4)
#undef DEFINE_CR

static inline unsigned long read_cr2(void)
{
	unsigned long v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

/* Forgets the translation of one of Keel's own linear addresses. */
static inline void invlpg(unsigned long address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* A machine check in Keel is then a panic that says so, not a shutdown. */
static inline void cpu_enable_machine_checks(void)
{
	write_cr4(read_cr4() | CR4_MCE);
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Stops this CPU for good. */
_Noreturn static inline void cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

#endif
