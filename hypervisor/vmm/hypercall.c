/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMCALL and VMMCALL: Keel's own by signature (keel/abi.h), else the hypervisor's below, else #UD.
 */
#include <keel/abi.h>
#include <keel/panic.h>

#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "mm/frame.h"
#include "vmm/account.h"
#include "vmm/backend.h"
#include "vmm/below.h"
#include "vmm/boot_failed.h"
#include "vmm/cpu_start.h"
#include "vmm/cpus.h"
#include "vmm/handlers.h"
#include "vmm/kick.h"
#include "vmm/stats.h"

static void set_u64(struct percpu *cpu, u64 v)
{
	cpu->regs.rax = (u32)v;
	cpu->regs.rbx = (u32)(v >> 32);
}

static void ping(struct percpu *cpu)
{
	cpu->regs.rax = KEEL_HC_ANSWER;
	cpu->regs.rbx = KEEL_ABI_VERSION;
	cpu->regs.rcx = cpu->index;
	cpu->regs.rdx = backend->abi_id;
}

static void describe_cpus(struct percpu *cpu)
{
	u32 running = 0;

	for (u32 i = 0; i < cpu_count && i < 32; i++)
		running |= cpu_runs(cpus[i]) ? BIT(i) : 0;
	cpu->regs.rax = cpu_count;
	cpu->regs.rbx = cpus_parked;
	cpu->regs.rcx = cpu_start_policy();
	cpu->regs.rdx = running;
}

static u32 sync_cpus(struct percpu *cpu)
{
	u32 count;

	kick_stop_others(cpu, &count);
	kick_resume_others();
	return count;
}

static void count_exits(struct percpu *cpu)
{
	/* EBX = 0 becomes STATS_ALL_CPUS. */
	set_u64(cpu, stats_exits((u32)cpu->regs.rbx - 1, (u32)cpu->regs.rdx));
}

#ifdef CONFIG_TEST_HOOKS
static void test_hook(u32 what)
{
	if (what == KEEL_TEST_PANIC)
		panic("the guest asked for it (KEEL_TEST_PANIC)");
	while (what == KEEL_TEST_HANG)
		cpu_relax();
}
#endif

#ifdef CONFIG_COUNT_VMCS
static u32 count_accesses(struct percpu *cpu)
{
	u32 field = (u32)cpu->regs.rdx;

	if (!backend->accesses)
		return KEEL_HC_UNKNOWN;
	return backend->accesses(cpu, field & ~KEEL_VMCS_WRITES, field & KEEL_VMCS_WRITES);
}
#endif

static void call(struct percpu *cpu, const struct guest_state *state)
{
	u32 shown;

	switch ((u32)cpu->regs.rcx) {
	case KEEL_HC_REGION:
		set_u64(cpu, keel_region.start);
		cpu->regs.rcx = (u32)(keel_region.end - keel_region.start);
		break;
	case KEEL_HC_EXITS:
		count_exits(cpu);
		break;
	case KEEL_HC_CPUS:
		describe_cpus(cpu);
		break;
	case KEEL_HC_SYNC:
		cpu->regs.rax = sync_cpus(cpu);
		break;
	case KEEL_HC_TABLE:
		set_u64(cpu, account_shown(&shown));
		cpu->regs.rcx = shown;
		break;
	case KEEL_HC_BOOT_FAILED:
		if (boot_stub && state->cs_base == boot_stub)
			boot_failed((u8)cpu->regs.rdx, (u32)cpu->regs.rdx >> 8);
		cpu->regs.rax = KEEL_HC_UNKNOWN;
		break;
#ifdef CONFIG_TEST_HOOKS
	case KEEL_HC_TEST:
		test_hook((u32)cpu->regs.rdx);
		break;
#endif
#ifdef CONFIG_COUNT_VMCS
	case KEEL_HC_VMCS:
		cpu->regs.rax = count_accesses(cpu);
		break;
#endif
	default:
		cpu->regs.rax = KEEL_HC_UNKNOWN;
	}
}

static u64 call_key(const struct percpu *cpu)
{
	u32 signature = (u32)cpu->regs.rax;

	if (signature != KEEL_HC_SIGNATURE)
		return signature;
	return (u64)signature << 32 | (u32)cpu->regs.rcx;
}

void exit_hypercall(struct percpu *cpu, const struct exit_info *info)
{
	struct guest_state state;

	(void)info;
	account_key(cpu->counts, KEEL_TALLY_HYPERCALL, call_key(cpu));
	backend->get_state(cpu, &state);
	if ((u32)cpu->regs.rax == KEEL_HC_SIGNATURE && (u32)cpu->regs.rcx == KEEL_HC_PING) {
		ping(cpu);
		backend->skip(cpu);
	} else if (state.cpl) {
		backend->inject(cpu, VECTOR_UD, 0);
	} else if ((u32)cpu->regs.rax == KEEL_HC_SIGNATURE) {
		call(cpu, &state);
		backend->skip(cpu);
	} else if (below_hypercall(cpu, &state)) {
		backend->skip(cpu);
	} else {
		backend->inject(cpu, VECTOR_UD, 0);
	}
}
