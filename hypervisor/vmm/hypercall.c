/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMCALL and VMMCALL: Keel's own by signature (keel/abi.h), else the hypervisor's below, else #UD.
 */
#include <keel/abi.h>

#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "mm/frame.h"
#include "vmm/backend.h"
#include "vmm/below.h"
#include "vmm/handlers.h"
#include "vmm/stats.h"

static void set_u64(struct percpu *cpu, u64 v)
{
	cpu->regs.rax = (u32)v;
	cpu->regs.rbx = (u32)(v >> 32);
}

static void call(struct percpu *cpu)
{
	switch ((u32)cpu->regs.rcx) {
	case KEEL_HC_PING:
		cpu->regs.rax = KEEL_HC_ANSWER;
		cpu->regs.rbx = KEEL_ABI_VERSION;
		cpu->regs.rcx = cpu->index;
		cpu->regs.rdx = backend->abi_id;
		break;
	case KEEL_HC_REGION:
		set_u64(cpu, keel_region.start);
		cpu->regs.rcx = (u32)(keel_region.end - keel_region.start);
		break;
	case KEEL_HC_EXITS:
		set_u64(cpu, stats_exits((u32)cpu->regs.rdx));
		break;
	default:
		cpu->regs.rax = KEEL_HC_UNKNOWN;
	}
}

void exit_hypercall(struct percpu *cpu, const struct exit_info *info)
{
	struct guest_state state;

	(void)info;
	backend->get_state(cpu, &state);
	if (state.cpl) {
		backend->inject(cpu, VECTOR_UD, 0);
	} else if ((u32)cpu->regs.rax == KEEL_HC_SIGNATURE) {
		call(cpu);
		backend->skip(cpu);
	} else if (below_hypercall(cpu)) {
		backend->skip(cpu);
	} else {
		backend->inject(cpu, VECTOR_UD, 0);
	}
}
