/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An INIT in VMX non-root operation exits, and is over then (SDM volume 3, 26.2 and 28.2). KVM before
 * Linux 5.4 resets the CPU instead, behind Keel's back; that of 5.4 keeps the INIT, and each entry
 * exits by it. NMIs, the kick on SVM, arrive in all of them.
 */
#include "vmm/kick_trial.h"

#include <keel/atomic.h>
#include <keel/panic.h>

#include "cpu/regs.h"
#include "lib/icr.h"
#include "vmm/backend.h"
#include "vmm/cpus.h"
#include "vmm/kick.h"

#define ARRIVES_MS 2000
#define REPEATS_MS 50
/* The kick's own, and those by which the backend looks for one that may be lost. */
#define EXITS_MAX  8

static bool arrives(struct percpu *cpu)
{
	struct patience patience = patience_ms(ARRIVES_MS);

	while (atomic_load(&cpu->kick_in_flight)) {
		if (patience_ends(&patience))
			return false;
	}
	return true;
}

/* Does @cpu, which is halted, go on to exit? @passage: its percpu.passage before the kick. */
static bool repeats(struct percpu *cpu, u32 passage)
{
	struct patience patience = patience_ms(REPEATS_MS);

	while (atomic_load(&cpu->passage) - passage <= 2 * EXITS_MAX) {
		if (patience_ends(&patience))
			return false;
	}
	return true;
}

/* NULL if it is as it should be. */
static const char *fault_of(struct percpu *cpu)
{
	u32 passage = atomic_load(&cpu->passage);

	/* Those that come again are no reset by the chipset (vmm/cpu_start.c). */
	cpu->stray_kick_until = UINT64_MAX;
	kick_request(cpu, 0);
	if (!arrives(cpu))
		return "does not exit by an INIT";
	if (repeats(cpu, passage))
		return "exits by one INIT again and again";
	cpu->stray_kick_until = 0;
	return NULL;
}

void kick_trial(void)
{
	if (backend->kick_mode != ICR_INIT)
		return;
	for (u32 i = 1; i < cpu_count; i++) {
		const char *fault = fault_of(cpus[i]);

		if (fault)
			refuse("CPU %u %s: the hypervisor below cannot run Keel with several CPUs "
			       "(KVM can from Linux 5.10 on); give the machine one",
			       i, fault);
	}
}
