/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes to CR0 and CR4 that touch a bit of Keel's: done here as the processor would. */
#include "cpu/regs.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/* CR0's defined bits; a write leaves the others 0 and ET 1 (SDM 2.5). */
#define CR0_DEFINED                                                                                \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)

/* PG going up with LME enters IA-32e mode, going down leaves it (SDM 4.1.2 and 10.8.5). */
static bool switch_ia32e_mode(unsigned long old, unsigned long new)
{
	u64 efer = vmcs_read64(VMCS_GUEST_IA32_EFER);
	u32 tr = vmcs_read(VMCS_GUEST_ACCESS_RIGHTS(SEGMENT_TR));

	if (!((old ^ new) & CR0_PG) || !(efer & EFER_LME))
		return true;
	if (new &CR0_PG) {
		if ((tr & ACCESS_RIGHTS_TYPE) != SEGMENT_TYPE_BUSY_TSS)
			return false; /* a 16-bit TSS */
		efer |= EFER_LMA;
		vmcs_write(VMCS_ENTRY_CONTROLS, vmx_caps.entry | ENTRY_IA32E_MODE_GUEST);
	} else {
		efer &= ~EFER_LMA;
		vmcs_write(VMCS_ENTRY_CONTROLS, vmx_caps.entry);
	}
	vmcs_write64(VMCS_GUEST_IA32_EFER, efer);
	return true;
}

/* VM exits and entries leave CD and NW alone (SDM 27.3.2.1): they are the guest's in Keel too. */
static void set_cache_bits(unsigned long new)
{
	unsigned long bits = CR0_CD | CR0_NW;
	unsigned long old = read_cr0();

	if ((old ^ new) & bits)
		write_cr0((old & ~bits) | (new &bits));
}

static void load_pdptes(const u64 *pdptes)
{
	for (int i = 0; pdptes && i < 4; i++)
		vmcs_write64(VMCS_GUEST_PDPTE(i), pdptes[i]);
}

bool vmx_set_cr0(struct percpu *cpu, u64 value, const u64 *pdptes)
{
	unsigned long new = (value & CR0_DEFINED) | CR0_ET;

	(void)cpu;
	if (!switch_ia32e_mode(vmx_guest_cr0(), new))
		return false;
	set_cache_bits(new);
	vmcs_write(VMCS_CR0_SHADOW, new);
	vmcs_write(VMCS_GUEST_CR0, new | vmx_caps.cr0_forced);
	load_pdptes(pdptes);
	vmx_flush_linear();
	return true;
}

bool vmx_set_cr4(struct percpu *cpu, u64 value, const u64 *pdptes)
{
	(void)cpu;
	/* Of the processor's bits, those of the features that Keel hides. */
	if (value & (~(u64)vmx_caps.cr4_fixed1 | CR4_VMXE | CR4_SMXE))
		return false;
	vmcs_write(VMCS_CR4_SHADOW, value);
	vmcs_write(VMCS_GUEST_CR4, value | vmx_caps.cr4_fixed0);
	load_pdptes(pdptes);
	vmx_flush_linear();
	return true;
}
