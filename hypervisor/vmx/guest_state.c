/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest-state area of the VMCS (SDM 25.4). */
#include "cpu/msr.h"
#include "cpu/regs.h"
#include "lib/string.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

static void set_segment(enum vmcs_segment segment, u16 selector, u32 limit, u32 access_rights)
{
	vmcs_write(VMCS_GUEST_SELECTOR(segment), selector);
	vmcs_write(VMCS_GUEST_BASE(segment), 0);
	vmcs_write(VMCS_GUEST_LIMIT(segment), limit);
	vmcs_write(VMCS_GUEST_ACCESS_RIGHTS(segment), access_rights);
}

static void set_segments(const struct guest_start *start)
{
	set_segment(SEGMENT_CS, start->cs, ~0u, ACCESS_RIGHTS_FLAT_CODE);
	set_segment(SEGMENT_SS, start->ds, ~0u, ACCESS_RIGHTS_FLAT_DATA);
	set_segment(SEGMENT_DS, start->ds, ~0u, ACCESS_RIGHTS_FLAT_DATA);
	set_segment(SEGMENT_ES, start->ds, ~0u, ACCESS_RIGHTS_FLAT_DATA);
	set_segment(SEGMENT_FS, start->ds, ~0u, ACCESS_RIGHTS_FLAT_DATA);
	set_segment(SEGMENT_GS, start->ds, ~0u, ACCESS_RIGHTS_FLAT_DATA);
	set_segment(SEGMENT_LDTR, 0, 0, ACCESS_RIGHTS_UNUSABLE);
	/* VM entry insists on a busy TSS (27.3.1.2). */
	set_segment(SEGMENT_TR, 0, 0xffff, ACCESS_RIGHTS_BUSY_TSS);
	vmcs_write(VMCS_GUEST_GDTR_BASE, start->gdt_base);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, start->gdt_limit);
	vmcs_write(VMCS_GUEST_IDTR_BASE, 0);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, 0);
}

static void set_control_registers(void)
{
	unsigned long cr0 = CR0_PE | CR0_ET;

	vmcs_write(VMCS_CR0_SHADOW, cr0);
	vmcs_write(VMCS_GUEST_CR0, cr0 | (vmx_caps.cr0_fixed0 & vmx_caps.cr0_owned));
	vmcs_write(VMCS_CR4_SHADOW, 0);
	vmcs_write(VMCS_GUEST_CR4, vmx_caps.cr4_fixed0);
	vmcs_write(VMCS_GUEST_CR3, 0);
	vmcs_write(VMCS_GUEST_DR7, DR7_INIT);
	/* Entered without paging, so LME and LMA must be 0, whatever Keel's own are. */
	vmcs_write64(VMCS_GUEST_IA32_EFER, 0);
	vmcs_write64(VMCS_GUEST_IA32_PAT, rdmsr(IA32_PAT));
	vmcs_write64(VMCS_GUEST_IA32_DEBUGCTL, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_CS, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_EIP, 0);
	for (int i = 0; i < 4; i++)
		vmcs_write64(VMCS_GUEST_PDPTE(i), 0);
}

void vmx_start_state(struct percpu *cpu, const struct guest_start *start, hpa_t nested_root)
{
	vmx_cpu(cpu)->eptp = vmx_eptp(nested_root);
	vmcs_write64(VMCS_EPTP, vmx_cpu(cpu)->eptp);
	vmcs_write64(VMCS_LINK_POINTER, ~0ull);
	set_segments(start);
	set_control_registers();
	vmcs_write(VMCS_GUEST_RIP, start->eip);
	vmcs_write(VMCS_GUEST_RSP, 0);
	vmcs_write(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE);
	memset(&cpu->regs, 0, sizeof(cpu->regs));
	cpu->regs.rsi = start->esi;
	/* What an earlier hypervisor left in the TLB under these tags is not the guest's. */
	vmx_flush(cpu);
	vmx_flush_linear();
}

unsigned long vmx_guest_cr0(void)
{
	return (vmcs_read(VMCS_GUEST_CR0) & ~vmx_caps.cr0_owned) |
	       (vmcs_read(VMCS_CR0_SHADOW) & vmx_caps.cr0_owned);
}

unsigned long vmx_guest_cr4(void)
{
	return (vmcs_read(VMCS_GUEST_CR4) & ~vmx_caps.cr4_owned) |
	       (vmcs_read(VMCS_CR4_SHADOW) & vmx_caps.cr4_owned);
}

bool vmx_guest_in_64bit_code(void)
{
	return (vmcs_read64(VMCS_GUEST_IA32_EFER) & EFER_LMA) &&
	       (vmcs_read(VMCS_GUEST_ACCESS_RIGHTS(SEGMENT_CS)) & ACCESS_RIGHTS_L);
}

void vmx_get_state(struct percpu *cpu, struct guest_state *state)
{
	u32 cs = vmcs_read(VMCS_GUEST_ACCESS_RIGHTS(SEGMENT_CS));
	u32 ss = vmcs_read(VMCS_GUEST_ACCESS_RIGHTS(SEGMENT_SS));

	(void)cpu;
	state->rip = vmcs_read(VMCS_GUEST_RIP);
	state->rsp = vmcs_read(VMCS_GUEST_RSP);
	state->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	state->cr0 = vmx_guest_cr0();
	state->cr2 = read_cr2(); /* no field: the register is still the guest's */
	state->cr3 = vmcs_read(VMCS_GUEST_CR3);
	state->cr4 = vmx_guest_cr4();
	state->efer = vmcs_read64(VMCS_GUEST_IA32_EFER);
	state->cs_base = vmcs_read(VMCS_GUEST_BASE(SEGMENT_CS));
	state->cs_selector = vmcs_read(VMCS_GUEST_SELECTOR(SEGMENT_CS));
	/* SS.DPL is the CPL (25.4.1), in virtual-8086 mode too. */
	state->cpl = ss >> ACCESS_RIGHTS_DPL_SHIFT & 3;
	state->cs_long = cs & ACCESS_RIGHTS_L;
}
