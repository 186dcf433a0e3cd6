/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs that VMX hides or that are not the guest's in Keel, as the VMCS holds the guest's value (SDM 25.4.1).
 */
#include "cpu/msr.h"
#include "cpu/regs.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/* To the guest the firmware has locked VMX off. */
static bool read_feature_control(struct percpu *cpu, u32 msr, u64 *value)
{
	(void)cpu;
	(void)msr;
	*value = FEATURE_CONTROL_LOCK;
	return true;
}

static bool read_efer(struct percpu *cpu, u32 msr, u64 *value)
{
	(void)cpu;
	(void)msr;
	*value = vmcs_read64(VMCS_GUEST_IA32_EFER);
	return true;
}

/* A guest of 32-bit Keel has no long mode, but VMX lets it set LME. LMA is the processor's own. */
static bool write_efer(struct percpu *cpu, u32 msr, u64 value)
{
	bool has_nx = cpuid(CPUID_EXT_INFO).edx & CPUID_EXT_1_EDX_NX;
	u64 writable = EFER_SCE | (has_nx ? EFER_NXE : 0) | (GUEST_LONG_MODE ? EFER_LME : 0);
	u64 old = vmcs_read64(VMCS_GUEST_IA32_EFER);

	(void)cpu;
	(void)msr;
	if (value & ~(writable | (GUEST_LONG_MODE ? EFER_LMA : 0)))
		return false;
	if ((value ^ old) & EFER_LME && vmx_guest_cr0() & CR0_PG)
		return false;
	vmcs_write64(VMCS_GUEST_IA32_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
	/* NXE decides which entries of the guest's tables are good. */
	vmx_flush_linear();
	return true;
}

#ifndef CONFIG_MSR_MAP

/* Of DEBUGCTL: writes to memory by a linear address, while Keel runs. */
#define DEBUGCTL_TRACE (BIT64(6) | BIT64(7) | BIT64(8))

static const struct {
	u32 msr, field;
} in_vmcs[] = {
	{IA32_SYSENTER_CS, VMCS_GUEST_SYSENTER_CS},   {IA32_SYSENTER_ESP, VMCS_GUEST_SYSENTER_ESP},
	{IA32_SYSENTER_EIP, VMCS_GUEST_SYSENTER_EIP}, {IA32_DEBUGCTL, VMCS_GUEST_IA32_DEBUGCTL},
	{IA32_PAT, VMCS_GUEST_IA32_PAT},	      {IA32_FS_BASE, VMCS_GUEST_BASE(SEGMENT_FS)},
	{IA32_GS_BASE, VMCS_GUEST_BASE(SEGMENT_GS)},
};

static u32 field_of(u32 msr)
{
	u32 i = 0;

	while (in_vmcs[i].msr != msr)
		i++;
	return in_vmcs[i].field;
}

/* Keel's own register says whether there is one. */
static bool read_kept(struct percpu *cpu, u32 msr, u64 *value)
{
	u32 field = field_of(msr);

	(void)cpu;
	if (!rdmsr_safe(msr, value))
		return false;
	*value = VMCS_IS_64BIT(field) ? vmcs_read64(field) : vmcs_read(field);
	return true;
}

/* And, as Keel does not use it meanwhile, whether the value is a legal one. */
static bool write_kept(struct percpu *cpu, u32 msr, u64 value)
{
	u32 field = field_of(msr);
	u64 own;

	(void)cpu;
	if (msr == IA32_DEBUGCTL && value & DEBUGCTL_TRACE)
		return false;
	if (!rdmsr_safe(msr, &own) || !wrmsr_safe(msr, value))
		return false;
	value = rdmsr(msr);
	wrmsr(msr, own);
	if (VMCS_IS_64BIT(field))
		vmcs_write64(field, value);
	else
		vmcs_write(field, (unsigned long)value);
	return true;
}

/* Not tried in Keel's own register: its TLB would go on with the types that it saw meanwhile. */
static bool write_pat(struct percpu *cpu, u32 msr, u64 value)
{
	(void)cpu;
	(void)msr;
	if (!pat_legal(value))
		return false;
	vmcs_write64(VMCS_GUEST_IA32_PAT, value);
	return true;
}

#endif

#define MSR_BOTH (MSR_READ | MSR_WRITE)

const struct msr_rule vmx_msr_rules[] = {
	{IA32_FEATURE_CONTROL, IA32_FEATURE_CONTROL, MSR_BOTH, read_feature_control, msr_no_write},
	{IA32_VMX_BASIC, IA32_VMX_LAST, MSR_BOTH, msr_no_read, msr_no_write},
	/* Features that write to memory past EPT, or by linear address while Keel runs: hidden. */
	{IA32_RTIT_OUTPUT_BASE, IA32_RTIT_LAST, MSR_BOTH, msr_no_read, msr_no_write},
	{IA32_DS_AREA, IA32_DS_AREA, MSR_BOTH, msr_no_read, msr_no_write},
	{IA32_PEBS_ENABLE, IA32_PEBS_ENABLE, MSR_BOTH, msr_no_read, msr_no_write},
	{IA32_HW_FEEDBACK_PTR, IA32_HW_FEEDBACK_CONFIG, MSR_BOTH, msr_no_read, msr_no_write},
#ifndef CONFIG_MSR_MAP
	/* Else the guest's own without an exit. */
	{IA32_SYSENTER_CS, IA32_SYSENTER_EIP, MSR_BOTH, read_kept, write_kept},
	{IA32_DEBUGCTL, IA32_DEBUGCTL, MSR_BOTH, read_kept, write_kept},
	{IA32_PAT, IA32_PAT, MSR_BOTH, read_kept, write_pat},
	{IA32_FS_BASE, IA32_GS_BASE, MSR_BOTH, read_kept, write_kept},
#endif
	/* Last: under amd64 it is that too, and not counted in VMX_MSR_RULES. */
	{IA32_EFER, IA32_EFER, MSR_WRITE, read_efer, write_efer},
};
