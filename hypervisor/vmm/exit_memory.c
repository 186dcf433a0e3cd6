/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses to guest-physical memory that the nested table does not map. */
#include <keel/console.h>
#include <keel/panic.h>

#include "cpu/regs.h"
#include "mm/frame.h"
#include "vmm/backend.h"
#include "vmm/handlers.h"
#include "vmm/nested.h"
#include "vmm/power.h"

static bool in_keel(gpa_t gpa)
{
	return keel_region.start <= gpa && gpa < keel_region.end;
}

/* The guest touched what its memory map does not have: it may go on, with junk. */
static void touch_hidden(struct percpu *cpu, const struct exit_info *info)
{
	struct guest_state state;

	backend->get_state(cpu, &state);
	log_notice("the guest touched Keel's hidden memory at 0x%llx (RIP 0x%llx): it sees junk",
		   (unsigned long long)info->memory.gpa, (unsigned long long)state.rip);
	nested_map_junk(cpu);
}

void exit_memory(struct percpu *cpu, const struct exit_info *info)
{
	gpa_t gpa = info->memory.gpa;

	if (info->memory.misconfigured)
		panic("nested page table entry for 0x%llx is malformed", (unsigned long long)gpa);
	if (power_is_reset_register(gpa) && info->memory.write)
		power_reset("reset by ACPI");
	if (in_keel(gpa))
		touch_hidden(cpu, info);
	else if (!nested_map_on_demand(cpu, gpa))
		panic("the guest accessed 0x%llx, which cannot be mapped", (unsigned long long)gpa);
}
