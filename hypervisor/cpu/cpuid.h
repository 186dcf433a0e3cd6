/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID leaves and the bits Keel looks at, by leaf (SDM volume 2, CPUID; APM volume 3, appendix E).
 */
#ifndef KEEL_CPU_CPUID_H
#define KEEL_CPU_CPUID_H

#include <keel/bits.h>
#include <keel/types.h>

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

#define CPUID_VENDOR		     0x0
#define CPUID_FEATURES		     0x1
#define CPUID_EXT_FEATURES	     0x7
#define CPUID_TOPOLOGY		     0xb
#define CPUID_XSAVE		     0xd
#define CPUID_HYPERVISOR	     0x40000000
#define CPUID_RANGE		     0xf0000000 /* what tells leaves of a hypervisor from others */
#define CPUID_IN_BLOCK		     0xff	/* of a hypervisor's blocks of leaves */
#define CPUID_EXT_MAX		     0x80000000
#define CPUID_EXT_INFO		     0x80000001
#define CPUID_ADDRESS_SIZES	     0x80000008
#define CPUID_SVM		     0x8000000a

/* Leaf 1 */
#define CPUID_1_ECX_VMX		     BIT(5)
#define CPUID_1_ECX_SMX		     BIT(6)
#define CPUID_1_ECX_XSAVE	     BIT(26)
#define CPUID_1_ECX_OSXSAVE	     BIT(27)
#define CPUID_1_ECX_HYPERVISOR	     BIT(31)
#define CPUID_1_EDX_MTRR	     BIT(12)
#define CPUID_1_EBX_APIC_ID_SHIFT    24

/* Leaf 7, subleaf 0 */
#define CPUID_7_ECX_OSPKE	     BIT(4)

/* Leaf 0x80000001 */
#define CPUID_EXT_1_ECX_SVM	     BIT(2)
#define CPUID_EXT_1_ECX_PERFCTR_CORE BIT(23)
#define CPUID_EXT_1_EDX_NX	     BIT(20)
#define CPUID_EXT_1_EDX_PAGE1GB	     BIT(26)
#define CPUID_EXT_1_EDX_LM	     BIT(29)

/* Leaf 0x8000000A */
#define CPUID_SVM_EDX_NP	     BIT(0)
#define CPUID_SVM_EDX_NRIPS	     BIT(3)
#define CPUID_SVM_EDX_CLEAN	     BIT(5)

/* Leaf 0x80000008 EAX */
#define CPUID_PHYS_BITS		     0xff

static inline struct cpuid cpuid_count(u32 leaf, u32 subleaf)
{
	struct cpuid c;

	__asm__ volatile("cpuid"
			 : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
			 : "a"(leaf), "c"(subleaf));
	return c;
}

static inline struct cpuid cpuid(u32 leaf)
{
	return cpuid_count(leaf, 0);
}

/* CPUID mirrors CR4, which was Keel's when Keel executed it: @on is the guest's bit. */
static inline void cpuid_mirror(u32 *reg, u32 feature, bool on)
{
	*reg = on ? *reg | feature : *reg & ~feature;
}

/* MAXPHYADDR of this CPU, in bits (SDM volume 3, 4.1.4). */
u8 cpu_phys_bits(void);

/* This CPU's x2APIC ID, or its 8-bit APIC ID where it has no topology leaf. */
u32 cpu_apic_id(void);

/* The 12 letters of leaf 0, terminated. */
void cpu_vendor(char out[13]);

/* Has this CPU extended leaf @leaf? */
bool cpuid_has_extended(u32 leaf);

#endif
