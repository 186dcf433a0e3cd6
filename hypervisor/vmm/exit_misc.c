/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits whose handling is a line or two. */
#include <keel/console.h>

#include "cpu/msr.h"
#include "cpu/regs.h"
#include "vmm/backend.h"
#include "vmm/handlers.h"
#include "vmm/power.h"

void exit_xsetbv(struct percpu *cpu, const struct exit_info *info)
{
	u64 value = (u64)(u32)cpu->regs.rdx << 32 | (u32)cpu->regs.rax;

	(void)info;
	/* XCR0 stays the guest's: Keel never touches extended state. */
	if (xsetbv_safe((u32)cpu->regs.rcx, value))
		backend->skip(cpu);
	else
		backend->inject(cpu, VECTOR_GP, 0);
}

/*
 * INVD would lose what Keel has in the caches; writing back first is allowed to the guest's eyes.
 */
void exit_invd(struct percpu *cpu, const struct exit_info *info)
{
	(void)info;
	wbinvd();
	backend->skip(cpu);
}

void exit_hidden_insn(struct percpu *cpu, const struct exit_info *info)
{
	(void)info;
	backend->inject(cpu, VECTOR_UD, 0);
}

void exit_triple_fault(struct percpu *cpu, const struct exit_info *info)
{
	(void)cpu;
	(void)info;
	power_reset("reset: triple fault of the guest");
}

/* With one CPU an INIT is the chipset's soft reset (port 0x92, keyboard controller). */
void exit_init(struct percpu *cpu, const struct exit_info *info)
{
	(void)cpu;
	(void)info;
	power_reset("reset: INIT");
}

/*
 * The backend injects a waiting NMI as soon as the guest can take it; these exits only bring that
 * about.
 */
void exit_nmi(struct percpu *cpu, const struct exit_info *info)
{
	(void)cpu;
	(void)info;
}
