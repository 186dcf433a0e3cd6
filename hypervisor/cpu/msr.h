/* SPDX-License-Identifier: BSD-2-Clause */
/* MSR numbers, bits and access (SDM volume 4; APM volume 2, appendix A). */
#ifndef KEEL_CPU_MSR_H
#define KEEL_CPU_MSR_H

#include <keel/bits.h>
#include <keel/types.h>

#define IA32_APIC_BASE			0x1b
#define IA32_FEATURE_CONTROL		0x3a
#define IA32_BIOS_UPDT_TRIG		0x79
#define IA32_MTRRCAP			0xfe
#define IA32_SYSENTER_CS		0x174
#define IA32_SYSENTER_ESP		0x175
#define IA32_SYSENTER_EIP		0x176
#define IA32_DEBUGCTL			0x1d9
#define IA32_MTRR_PHYSBASE0		0x200
#define IA32_MTRR_PHYSMASK0		0x201
#define IA32_MTRR_FIX64K_00000		0x250
#define IA32_MTRR_FIX16K_80000		0x258
#define IA32_MTRR_FIX16K_A0000		0x259
#define IA32_MTRR_FIX4K_C0000		0x268
#define IA32_MTRR_FIX4K_F8000		0x26f
#define IA32_PAT			0x277
#define IA32_MTRR_DEF_TYPE		0x2ff
#define IA32_VMX_BASIC			0x480
#define IA32_VMX_PINBASED_CTLS		0x481
#define IA32_VMX_PROCBASED_CTLS		0x482
#define IA32_VMX_EXIT_CTLS		0x483
#define IA32_VMX_ENTRY_CTLS		0x484
#define IA32_VMX_CR0_FIXED0		0x486
#define IA32_VMX_CR0_FIXED1		0x487
#define IA32_VMX_CR4_FIXED0		0x488
#define IA32_VMX_CR4_FIXED1		0x489
#define IA32_VMX_PROCBASED_CTLS2	0x48b
#define IA32_VMX_EPT_VPID_CAP		0x48c
#define IA32_VMX_TRUE_PINBASED_CTLS	0x48d
#define IA32_VMX_TRUE_PROCBASED_CTLS	0x48e
#define IA32_VMX_TRUE_EXIT_CTLS		0x48f
#define IA32_VMX_TRUE_ENTRY_CTLS	0x490
#define IA32_VMX_LAST			0x493
#define IA32_PEBS_ENABLE		0x3f1
#define IA32_RTIT_OUTPUT_BASE		0x560
#define IA32_RTIT_LAST			0x58f
#define IA32_DS_AREA			0x600
#define IA32_HW_FEEDBACK_PTR		0x17d0
#define IA32_HW_FEEDBACK_CONFIG		0x17d1
#define IA32_EFER			0xc0000080
#define IA32_FS_BASE			0xc0000100
#define IA32_GS_BASE			0xc0000101

#define AMD_PERF_EVT_SEL0		0xc0010000
#define AMD_PERF_OLD_CTR0		0xc0010004
#define AMD_IORR_BASE0			0xc0010016
#define AMD_TOP_MEM			0xc001001a
#define AMD_TOP_MEM2			0xc001001d
#define AMD_PATCH_LOADER		0xc0010020
#define AMD_MMIO_CFG_BASE		0xc0010058
#define AMD_SMM_BASE			0xc0010111
#define AMD_SMM_MASK			0xc0010113
#define AMD_VM_CR			0xc0010114
#define AMD_VM_HSAVE_PA			0xc0010117
#define AMD_SVM_KEY			0xc0010118
#define AMD_PERF_CTL0			0xc0010200
#define AMD_PERF_CTR0			0xc0010201

#define DEBUGCTL_BTF			BIT64(1)

#define APIC_BASE_BSP			BIT64(8)
#define APIC_BASE_EXTD			BIT64(10)
#define APIC_BASE_EN			BIT64(11)
#define APIC_BASE_ADDRESS		0x000ffffffffff000ull

#define FEATURE_CONTROL_LOCK		BIT64(0)
#define FEATURE_CONTROL_VMX_OUTSIDE_SMX BIT64(2)

#define VM_CR_SVMDIS			BIT64(4)
#define VM_CR_LOCK			BIT64(3)

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

/* As rdmsr() and wrmsr(), but false instead of a panic where the CPU answers #GP. */
bool rdmsr_safe(u32 msr, u64 *v);
bool wrmsr_safe(u32 msr, u64 v);

/* May IA32_PAT have this value (SDM volume 3, 12.12.2)? */
bool pat_legal(u64 v);

/* XSETBV; false where the CPU answers #GP or #UD. */
bool xsetbv_safe(u32 index, u64 v);

#endif
