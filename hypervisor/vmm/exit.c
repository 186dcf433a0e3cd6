/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit handler: one table, indexed by the neutral reason. */
#include "vmm/exit.h"

#include <keel/panic.h>
#include <keel/percpu.h>

#include "vmm/account.h"
#include "vmm/handlers.h"
#include "vmm/trace.h"
#include "vmm/watchdog.h"

const char *const exit_reason_names[EXIT_REASONS] = {
	[EXIT_CPUID] = "cpuid",
	[EXIT_RDMSR] = "rdmsr",
	[EXIT_WRMSR] = "wrmsr",
	[EXIT_CR] = "cr",
	[EXIT_IO] = "io",
	[EXIT_MEMORY] = "memory",
	[EXIT_HYPERCALL] = "hypercall",
	[EXIT_XSETBV] = "xsetbv",
	[EXIT_INVD] = "invd",
	[EXIT_HIDDEN_INSN] = "hidden-insn",
	[EXIT_TRIPLE_FAULT] = "triple-fault",
	[EXIT_TASK_SWITCH] = "task-switch",
	[EXIT_INIT] = "init",
	[EXIT_SIPI] = "sipi",
	[EXIT_NMI] = "nmi",
	[EXIT_NMI_WINDOW] = "nmi-window",
	[EXIT_UNKNOWN] = "unknown",
};

typedef void (*exit_handler)(struct percpu *cpu, const struct exit_info *info);

/* A reason without an entry is one that Keel never asked for: fatal. */
static const exit_handler handlers[EXIT_REASONS] = {
	[EXIT_CPUID] = exit_cpuid,
	[EXIT_RDMSR] = exit_rdmsr,
	[EXIT_WRMSR] = exit_wrmsr,
	[EXIT_CR] = exit_cr,
	[EXIT_IO] = exit_io,
	[EXIT_MEMORY] = exit_memory,
	[EXIT_HYPERCALL] = exit_hypercall,
	[EXIT_XSETBV] = exit_xsetbv,
	[EXIT_INVD] = exit_invd,
	[EXIT_HIDDEN_INSN] = exit_hidden_insn,
	[EXIT_TRIPLE_FAULT] = exit_triple_fault,
	[EXIT_TASK_SWITCH] = exit_task_switch,
	[EXIT_INIT] = exit_init,
	[EXIT_SIPI] = exit_sipi,
	[EXIT_NMI] = exit_nmi,
	[EXIT_NMI_WINDOW] = exit_nmi_window,
};

void exit_dispatch(struct percpu *cpu, const struct exit_info *info)
{
	struct traced_exit traced;

	watchdog_enter_keel(cpu);
	account_exit(cpu->counts, info->reason, info->raw);
	trace_begin(cpu, info, &traced);
	cpu->last.reason = info->reason;
	cpu->last.raw = info->raw;
	cpu->last.qualification = info->qualification;
	if (!handlers[info->reason])
		panic("the guest caused an exit that Keel does not handle: %s, raw reason 0x%x",
		      exit_reason_names[info->reason], info->raw);
	handlers[info->reason](cpu, info);
	trace_end(cpu, &traced);
	watchdog_leave_keel(cpu);
}
