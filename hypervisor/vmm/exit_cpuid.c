/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/cpuid.h"
#include "vmm/account.h"
#include "vmm/backend.h"
#include "vmm/below.h"
#include "vmm/handlers.h"
#include "vmm/nested.h"
#include "vmm/x2apic_hint.h"

/* A guest of 32-bit Keel has no long mode, and no physical address that the nested table has not. */
static void show_ia32(u32 leaf, struct cpuid *out)
{
	if (leaf == CPUID_EXT_INFO)
		out->edx &= ~CPUID_EXT_1_EDX_LM;
	else if (leaf == CPUID_ADDRESS_SIZES &&
		 (out->eax & CPUID_PHYS_BITS) > nested_address_bits())
		out->eax = (out->eax & ~CPUID_PHYS_BITS) | nested_address_bits();
}

void exit_fix_cpuid(struct percpu *cpu, u32 leaf, u32 subleaf, struct cpuid *c)
{
	if (backend->fix_cpuid)
		backend->fix_cpuid(cpu, leaf, subleaf, c);
	if (!GUEST_LONG_MODE)
		show_ia32(leaf, c);
	x2apic_hint_cpuid(cpu, leaf, c);
	below_cpuid(leaf, c);
}

/*
 * Linux looks for a hypervisor at 256 leaves, 100h apart, and does so twice: they count as one, or they would
 * take all slots for good, and each other leaf's exit would be slow.
 */
static u32 counted_as(u32 leaf)
{
	return (leaf & CPUID_RANGE) == CPUID_HYPERVISOR ? leaf & (CPUID_RANGE | CPUID_IN_BLOCK) : leaf;
}

void exit_cpuid(struct percpu *cpu, const struct exit_info *info)
{
	u32 leaf = (u32)cpu->regs.rax;
	u32 subleaf = (u32)cpu->regs.rcx;
	struct cpuid c = cpuid_count(leaf, subleaf);

	(void)info;
	account_key(cpu->counts, KEEL_TALLY_CPUID, counted_as(leaf));
	exit_fix_cpuid(cpu, leaf, subleaf, &c);
	cpu->regs.rax = c.eax;
	cpu->regs.rbx = c.ebx;
	cpu->regs.rcx = c.ecx;
	cpu->regs.rdx = c.edx;
	backend->skip(cpu);
}
