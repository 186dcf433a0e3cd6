/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits whose handling is a line or two. */
#include <keel/console.h>

#include "cpu/msr.h"
#include "cpu/regs.h"
#include "vmm/backend.h"
#include "vmm/handlers.h"
#include "vmm/kick.h"
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

void exit_task_switch(struct percpu *cpu, const struct exit_info *info)
{
	backend->switch_task(cpu, info);
}

void exit_triple_fault(struct percpu *cpu, const struct exit_info *info)
{
	(void)cpu;
	(void)info;
	power_reset("reset: triple fault of the guest");
}

/*
 * The backend has counted the NMIs that arrived into cpu->nmi_pending and injects those that are the
 * guest's.
 */
void exit_nmi(struct percpu *cpu, const struct exit_info *info)
{
	(void)info;
	if (backend->kick_mode != ICR_NMI || !kick_arrived(cpu))
		return;
	cpu->nmi_pending--;
	kick_serve(cpu);
}

/* Only brings about that the backend injects a waiting NMI. */
void exit_nmi_window(struct percpu *cpu, const struct exit_info *info)
{
	(void)cpu;
	(void)info;
}
