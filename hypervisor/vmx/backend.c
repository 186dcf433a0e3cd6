/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX as vmm/ sees it. */
#include <keel/abi.h>
#include <keel/errno.h>

#include "cpu/exception.h"
#include "cpu/msr.h"
#include "cpu/regs.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

static bool present(void)
{
	return cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_VMX;
}

static int init(const char **why)
{
	int error = vmx_read_capabilities(&vmx_caps, why);

	if (error)
		return error;
	vmx_ept_format.level[1].leaf = vmx_caps.ept_2m;
	vmx_ept_format.level[2].leaf = vmx_caps.ept_1g;
	if (vmx_bitmaps_init()) {
		*why = "Keel's own memory has no page left for the VMX bitmaps";
		return -ENOMEM;
	}
	return 0;
}

static unsigned long nmi_window(unsigned long ip)
{
	bool inside = ip >= (unsigned long)vmx_entry_window_start &&
		      ip < (unsigned long)vmx_entry_window_end;

	return inside ? (unsigned long)vmx_entry_restart : ip;
}

static bool has_wait_for_sipi(void)
{
	return vmx_caps.wait_for_sipi;
}

_Noreturn static void run(struct percpu *cpu)
{
	exception_set_nmi_window(nmi_window);
	vmx_set_host_state(cpu);
	vmx_enter(cpu);
}

/* To the guest the firmware has locked VMX off. */
static bool read_feature_control(struct percpu *cpu, u32 msr, u64 *value)
{
	(void)cpu;
	(void)msr;
	*value = FEATURE_CONTROL_LOCK;
	return true;
}

/* A guest of 32-bit Keel has no long mode, but VMX lets it set LME. */
static bool write_efer(struct percpu *cpu, u32 msr, u64 value)
{
	bool has_nx = cpuid(CPUID_EXT_INFO).edx & CPUID_EXT_1_EDX_NX;

	(void)cpu;
	(void)msr;
	if (value & ~(EFER_SCE | (has_nx ? EFER_NXE : 0)))
		return false;
	vmcs_write64(VMCS_GUEST_IA32_EFER, value);
	/* NXE decides which entries of the guest's tables are good. */
	vmx_flush_linear();
	return true;
}

static void idle(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

static void drop_interrupts(void)
{
	__asm__ volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
}

#define MSR_BOTH (MSR_READ | MSR_WRITE)

static const struct msr_rule msr_rules[] = {
	{IA32_FEATURE_CONTROL, IA32_FEATURE_CONTROL, MSR_BOTH, read_feature_control, msr_no_write},
	{IA32_VMX_BASIC, IA32_VMX_LAST, MSR_BOTH, msr_no_read, msr_no_write},
	/* Features that write to memory past EPT, or by linear address while Keel runs: hidden. */
	{IA32_RTIT_OUTPUT_BASE, IA32_RTIT_LAST, MSR_BOTH, msr_no_read, msr_no_write},
	{IA32_DS_AREA, IA32_DS_AREA, MSR_BOTH, msr_no_read, msr_no_write},
	{IA32_PEBS_ENABLE, IA32_PEBS_ENABLE, MSR_BOTH, msr_no_read, msr_no_write},
	{IA32_HW_FEEDBACK_PTR, IA32_HW_FEEDBACK_CONFIG, MSR_BOTH, msr_no_read, msr_no_write},
	/* Elsewhere EFER is the guest's own: last, and left out there. */
	{IA32_EFER, IA32_EFER, MSR_WRITE, NULL, write_efer},
};

const struct backend vmx_backend = {
	.name = "VMX",
	.abi_id = KEEL_BACKEND_VMX,
	.nested_format = &vmx_ept_format,
	.nested_attrs = vmx_ept_attrs,
	.nested_has_types = true,
	.nested_write = EPT_WRITE,
	.msr_rules = msr_rules,
	.msr_rule_count = ARRAY_SIZE(msr_rules) - GUEST_LONG_MODE,
	.present = present,
	.init = init,
	.trap_msr = vmx_trap_msr,
	.trap_ports = vmx_trap_ports,
	.cpu_on = vmx_cpu_on,
	.reset_state = vmx_reset_state,
	.start_flat = vmx_start_flat,
	.start_sipi = vmx_start_sipi,
	.park = vmx_park,
	.has_wait_for_sipi = has_wait_for_sipi,
	.wait_for_sipi = vmx_wait_for_sipi,
	.run = run,
	.idle = idle,
	.drop_interrupts = drop_interrupts,
	/* Latched in VMX root operation, an exit in the guest (SDM 24.2, 26.2). */
	.kick_mode = ICR_INIT,
	.skip = vmx_skip,
	.skip_bytes = vmx_skip_bytes,
	.set_rflags = vmx_set_rflags,
	.inject = vmx_inject,
	.get_state = vmx_get_state,
	.set_cr0 = vmx_set_cr0,
	.switch_task = vmx_switch_task,
	.flush = vmx_flush,
	.fix_cpuid = vmx_fix_cpuid,
};
