/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses to guest-physical memory that the nested table does not map. */
#include <keel/console.h>
#include <keel/panic.h>

#include "cpu/regs.h"
#include "mm/frame.h"
#include "vmm/account.h"
#include "vmm/apic_page.h"
#include "vmm/backend.h"
#include "vmm/handlers.h"
#include "vmm/nested.h"
#include "vmm/power.h"

static bool in_keel(gpa_t gpa)
{
	return keel_region.start <= gpa && gpa < keel_region.end;
}

/*
 * The guest touched what its memory map does not have: it may go on, with junk. The page with the
 * reset register stays out, so that a reset is seen, until it too is touched otherwise.
 */
static void touch_hidden(struct percpu *cpu, gpa_t gpa)
{
	gpa_t reset_page = power_reset_register() & ~(gpa_t)(PAGE_SIZE - 1);
	bool keeps_reset = reset_page && gpa < reset_page;
	struct guest_state state;

	backend->get_state(cpu, &state);
	log_notice("the guest touched Keel's hidden memory at 0x%llx (RIP 0x%llx): it sees junk",
		   (unsigned long long)gpa, (unsigned long long)state.rip);
	nested_map_junk(cpu, keeps_reset ? reset_page : keel_region.end);
}

/* A write to the counters that the guest may read (vmm/account.c). */
static void refuse_write(struct percpu *cpu, gpa_t gpa)
{
	static bool said;

	if (!said)
		log_notice("the guest wrote to the table KEEL at 0x%llx: #GP",
			   (unsigned long long)gpa);
	said = true;
	backend->inject(cpu, VECTOR_GP, 0);
}

void exit_memory(struct percpu *cpu, const struct exit_info *info)
{
	gpa_t gpa = info->memory.gpa;

	account_page(cpu->counts, gpa);
	if (info->memory.misconfigured)
		panic("nested page table entry for 0x%llx is malformed", (unsigned long long)gpa);
	/* The one that may come often is first. */
	if (info->memory.write && nested_is_protected(gpa)) {
		apic_page_store(cpu, info);
		return;
	}
	if (info->memory.write && gpa == power_reset_register())
		power_reset("reset by ACPI");
	if (nested_is_shown(gpa)) {
		/* 32-bit Keel writes an entry in halves: who reads meanwhile finds it absent, and tries again. */
		if (info->memory.write)
			refuse_write(cpu, gpa);
	} else if (in_keel(gpa)) {
		touch_hidden(cpu, gpa);
	} else if (!nested_map_on_demand(cpu, gpa)) {
		log_error("the guest accessed 0x%llx, which cannot be mapped: #GP",
			  (unsigned long long)gpa);
		backend->inject(cpu, VECTOR_GP, 0);
	}
}
