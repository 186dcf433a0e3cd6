/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/cpuid.h"
#include "vmm/account.h"
#include "vmm/backend.h"
#include "vmm/handlers.h"
#include "vmm/x2apic_hint.h"

void exit_cpuid(struct percpu *cpu, const struct exit_info *info)
{
	u32 leaf = (u32)cpu->regs.rax;
	u32 subleaf = (u32)cpu->regs.rcx;
	struct cpuid c = cpuid_count(leaf, subleaf);

	(void)info;
	account_key(cpu, KEEL_TALLY_CPUID, leaf);
	if (backend->fix_cpuid)
		backend->fix_cpuid(cpu, leaf, subleaf, &c);
	x2apic_hint_cpuid(cpu, leaf, &c);
	cpu->regs.rax = c.eax;
	cpu->regs.rbx = c.ebx;
	cpu->regs.rcx = c.ecx;
	cpu->regs.rdx = c.edx;
	backend->skip(cpu);
}
