/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX as vmm/ sees it. */
#include <keel/abi.h>
#include <keel/errno.h>

#include "cpu/exception.h"
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
	vmx_ept_format.level[1].leaf = vmx_caps.ept_2m && NESTED_2M;
	vmx_ept_format.level[2].leaf = vmx_caps.ept_1g && NESTED_1G;
	if (vmx_bitmaps_init()) {
		*why = "Keel's own memory has no page left for the VMX bitmaps";
		return -ENOMEM;
	}
	return 0;
}

static bool in_window(unsigned long ip, const u8 *start, const u8 *end)
{
	return ip >= (unsigned long)start && ip < (unsigned long)end;
}

static unsigned long nmi_window(unsigned long ip)
{
	if (in_window(ip, vmx_entry_window_start, vmx_entry_window_end))
		return (unsigned long)vmx_entry_restart;
#ifdef CONFIG_CPUID_FAST
	if (in_window(ip, vmx_fast_window_start, vmx_fast_window_end))
		return (unsigned long)vmx_fast_restart;
#endif
	return ip;
}

static bool has_wait_for_sipi(void)
{
	return vmx_caps.wait_for_sipi;
}

_Noreturn static void run(struct percpu *cpu)
{
	exception_set_nmi_window(nmi_window);
	vmx_set_host_state(cpu);
#ifdef CONFIG_CPUID_FAST
	vmx_fast_init(cpu);
#endif
	vmx_enter(cpu);
}

static void idle(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

static void drop_interrupts(void)
{
	__asm__ volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
}

const struct backend vmx_backend = {
	.name = "VMX",
	.abi_id = KEEL_BACKEND_VMX,
	.nested_format = &vmx_ept_format,
	.nested_attrs = vmx_ept_attrs,
	.nested_has_types = true,
	.nested_write = EPT_WRITE,
	.msr_rules = vmx_msr_rules,
	.msr_rule_count = VMX_MSR_RULES,
	.present = present,
	.init = init,
	.trap_msr = vmx_trap_msr,
	.trap_ports = vmx_trap_ports,
#ifdef CONFIG_CPUID_FAST
	.pass_wrmsr = vmx_pass_wrmsr,
#endif
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
	.set_cr4 = vmx_set_cr4,
	.switch_task = vmx_switch_task,
	.flush = vmx_flush,
#ifdef CONFIG_COUNT_VMCS
	.accesses = vmx_accesses,
#endif
	.fix_cpuid = vmx_fix_cpuid,
};
