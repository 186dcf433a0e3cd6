/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An INIT in VMX non-root operation exits, and is over then (SDM volume 3, 26.2 and 28.2). KVM before
 * Linux 5.4 resets the CPU instead, behind Keel's back; that of 5.4 keeps the INIT, and each entry
 * exits by it. NMIs, the kick on SVM, arrive in all of them.
 */
#include "vmm/kick_trial.h"

#include <keel/atomic.h>
#include <keel/panic.h>

#include "lib/icr.h"
#include "vmm/backend.h"
#include "vmm/cpus.h"
#include "vmm/kick.h"

#define ARRIVES_MS 10000
#define SETTLES_MS 100
/* The kick's own, and those by which the backend looks for one that may be lost. */
#define EXITS_MAX  8

static _Noreturn void refuse_below(u32 index, const char *fault)
{
	refuse("CPU %u %s: the hypervisor below cannot run Keel with several CPUs (KVM can from "
	       "Linux 5.10 on); give the machine one",
	       index, fault);
}

static bool arrives(struct percpu *cpu)
{
	struct patience patience = patience_ms(ARRIVES_MS);

	while (atomic_load(&cpu->kick_in_flight)) {
		if (patience_ends(&patience))
			return false;
		kick_poll(this_cpu());
	}
	return true;
}

static void kick_all(void)
{
	for (u32 i = 1; i < cpu_count; i++) {
		/* Those that come again are no reset by the chipset (vmm/cpu_start.c). */
		cpus[i]->stray_kick_until = UINT64_MAX;
		kick_request(cpus[i], 0);
	}
	for (u32 i = 1; i < cpu_count; i++) {
		if (!arrives(cpus[i]))
			refuse_below(i, "does not exit by an INIT");
	}
}

/* A CPU that is halted does not go on to exit. */
static void settle(void)
{
	struct patience patience = patience_ms(SETTLES_MS);

	while (!patience_ends(&patience))
		kick_poll(this_cpu());
	for (u32 i = 1; i < cpu_count; i++) {
		if (atomic_load(&cpus[i]->passage) > 2 * EXITS_MAX)
			refuse_below(i, "exits by one INIT again and again");
	}
}

void kick_trial(void)
{
	if (backend->kick_mode != ICR_INIT || cpu_count == 1)
		return;
	/* The first may find a CPU in Keel, before its first entry; the second finds it in the guest. */
	kick_all();
	settle();
	kick_all();
	for (u32 i = 1; i < cpu_count; i++)
		cpus[i]->stray_kick_until = 0;
}
