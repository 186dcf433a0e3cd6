/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID exits only while the guest is led to x2APIC mode (vmm/x2apic_hint.c); under 32-bit Keel always,
 * as long mode is to be hidden, and without CONFIG_SVM_CPUID_PASS.
 */
#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "svm/svm.h"

void svm_trap_cpuid(struct percpu *cpu, bool trap)
{
	struct vmcb_control *control = &vmcb_of(cpu)->control;

	svm_changed(cpu, CLEAN_INTERCEPTS);
	if (trap || SVM_CPUID_EXITS)
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
