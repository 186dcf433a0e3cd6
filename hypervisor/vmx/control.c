/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns VMX on on a CPU and sets up the parts of its VMCS that the guest does not see. */
#include "mode/desc.h"
#include "cpu/msr.h"
#include "cpu/regs.h"
#include <keel/errno.h>
#include "mm/frame.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

#define VMX_INSTRUCTION(name, operation)                                                        \
	static bool name(const void *region)                                                    \
	{                                                                                       \
		u64 address = (unsigned long)region;                                            \
		bool failed;                                                                    \
                                                                                                \
		__asm__ volatile(operation " %1" : "=@ccbe"(failed) : "m"(address) : "memory"); \
		return !failed;                                                                 \
	}

VMX_INSTRUCTION(vmxon, "vmxon")
VMX_INSTRUCTION(vmclear, "vmclear")
VMX_INSTRUCTION(vmptrld, "vmptrld")

/* Those that stay as they are; vmx_reset_state() sets the others. */
static void set_controls(void)
{
	vmcs_write(VMCS_SECONDARY_CONTROLS, vmx_caps.secondary);
	vmcs_write(VMCS_EXIT_CONTROLS, vmx_caps.exit);
	/* The guest's exceptions are its own. */
	vmcs_write(VMCS_EXCEPTION_BITMAP, 0);
	vmcs_write(VMCS_PAGE_FAULT_ERROR_CODE_MASK, 0);
	vmcs_write(VMCS_PAGE_FAULT_ERROR_CODE_MATCH, 0);
	vmcs_write(VMCS_CR3_TARGET_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_CR0_MASK, vmx_caps.cr0_owned);
	vmcs_write(VMCS_CR4_MASK, vmx_caps.cr4_owned);
	if (vmx_caps.secondary & SECONDARY_ENABLE_VPID)
		vmcs_write(VMCS_VPID, VMX_VPID);
	if (vmx_caps.secondary & SECONDARY_ENABLE_XSAVES)
		vmcs_write64(VMCS_XSS_EXITING_BITMAP, 0);
	vmx_bitmaps_use();
}

void vmx_set_host_state(struct percpu *cpu)
{
	vmcs_write(VMCS_HOST_CR0, read_cr0());
	vmcs_write(VMCS_HOST_CR3, read_cr3());
	vmcs_write(VMCS_HOST_CR4, read_cr4());
	vmcs_write64(VMCS_HOST_IA32_EFER, rdmsr(IA32_EFER));
	/* Keel's mappings are write-back by PAT entry 0, which the guest may reprogram. */
	vmcs_write64(VMCS_HOST_IA32_PAT, rdmsr(IA32_PAT));
	vmcs_write(VMCS_HOST_CS_SELECTOR, SEL_CODE);
	vmcs_write(VMCS_HOST_SS_SELECTOR, SEL_DATA);
	vmcs_write(VMCS_HOST_DS_SELECTOR, SEL_DATA);
	vmcs_write(VMCS_HOST_ES_SELECTOR, SEL_DATA);
	vmcs_write(VMCS_HOST_FS_SELECTOR, SEL_DATA);
	vmcs_write(VMCS_HOST_GS_SELECTOR, SEL_DATA);
	vmcs_write(VMCS_HOST_TR_SELECTOR, SEL_TSS);
	vmcs_write(VMCS_HOST_FS_BASE, 0);
	vmcs_write(VMCS_HOST_GS_BASE, 0);
	vmcs_write(VMCS_HOST_TR_BASE, desc_tss_base());
	vmcs_write(VMCS_HOST_GDTR_BASE, desc_gdt_base());
	vmcs_write(VMCS_HOST_IDTR_BASE, desc_idt_base());
	vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
	/* The stack of every exit begins below the registers that run.S spills. */
	vmcs_write(VMCS_HOST_RSP, (unsigned long)cpu);
	vmcs_write(VMCS_HOST_RIP, (unsigned long)vmx_exit_entry);
}

/* VMX operation fixes some bits. XSETBV, which always exits, can be redone only with OSXSAVE. */
static void set_control_registers(void)
{
	unsigned long cr4 = read_cr4() | vmx_caps.cr4_fixed0 | CR4_VMXE;

	if (cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_XSAVE)
		cr4 |= CR4_OSXSAVE;
	write_cr0((read_cr0() | vmx_caps.cr0_fixed0) & vmx_caps.cr0_fixed1);
	write_cr4(cr4 & vmx_caps.cr4_fixed1);
}

int vmx_cpu_on(struct percpu *cpu, const char **why)
{
	u32 *vmxon_region = frame_alloc();
	u32 *vmcs = frame_alloc();
	int error = vmx_check_capabilities(why);

	if (!error)
		error = vmx_unlock(why);
	if (error)
		return error;
	if (!vmxon_region || !vmcs || vmx_count_init(cpu)) {
		*why = "Keel's own memory has no page left for the VMCS";
		return -ENOMEM;
	}
	*vmxon_region = vmx_caps.revision;
	*vmcs = vmx_caps.revision;
	set_control_registers();
	if (!vmxon(vmxon_region)) {
		*why = "VMXON failed: is another hypervisor using VMX on this CPU?";
		return -ENODEV;
	}
	if (!vmclear(vmcs) || !vmptrld(vmcs)) {
		*why = "the CPU refuses Keel's VMCS (VMCLEAR, VMPTRLD)";
		return -ENODEV;
	}
	set_controls();
	vmx_init_kept_state();
	return 0;
}
