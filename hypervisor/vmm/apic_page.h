/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores to a local APIC's page that is write-protected in the nested table. */
#ifndef KEEL_VMM_APIC_PAGE_H
#define KEEL_VMM_APIC_PAGE_H

#include "vmm/backend.h"
#include "vmm/exit.h"

/*
 * The guest wrote to the protected page of @info->memory.gpa: decodes the store and does it, on this
 * CPU's APIC or, where another CPU's lies, on what this CPU has there. An instruction that Keel
 * cannot do gets #GP, and a line says so.
 */
void apic_page_store(struct percpu *cpu, const struct exit_info *info);

#endif
