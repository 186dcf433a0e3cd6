/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID exits only while the guest is led to x2APIC mode (vmm/x2apic_hint.c); under 32-bit Keel always,
 * as long mode is to be hidden.
 */
#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "svm/svm.h"

void svm_trap_cpuid(struct percpu *cpu, bool trap)
{
	struct vmcb_control *control = &vmcb_of(cpu)->control;

	if (trap || !GUEST_LONG_MODE)
		control->intercept3 |= INTERCEPT_CPUID;
	else
		control->intercept3 &= ~INTERCEPT_CPUID;
}

void svm_fix_cpuid(struct percpu *cpu, u32 leaf, u32 subleaf, struct cpuid *out)
{
	u64 cr4 = vmcb_of(cpu)->save.cr4;

	if (leaf == CPUID_FEATURES)
		cpuid_mirror(&out->ecx, CPUID_1_ECX_OSXSAVE, cr4 & CR4_OSXSAVE);
	else if (leaf == CPUID_EXT_FEATURES && subleaf == 0)
		cpuid_mirror(&out->ecx, CPUID_7_ECX_OSPKE, cr4 & CR4_PKE);
}
