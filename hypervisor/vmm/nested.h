/* SPDX-License-Identifier: BSD-2-Clause */
/* The nested page table: guest-physical is host-physical, but for Keel's own memory. */
#ifndef KEEL_VMM_NESTED_H
#define KEEL_VMM_NESTED_H

#include "lib/range.h"
#include "vmm/backend.h"

/*
 * Builds the table: everything below 4 GiB and all of @ram above, by the largest pages that memory
 * types allow, without keel_region. @ram must stay. 0 or -ENOMEM. After backend->init().
 */
int nested_init(const struct range_list *ram);

/* HPA of the root table. */
hpa_t nested_root(void);

/*
 * Maps what lies around @gpa above 4 GiB: MMIO that no memory map names. False if it cannot be
 * mapped.
 */
bool nested_map_on_demand(struct percpu *cpu, gpa_t gpa);

/* Backs the hidden memory below @end, page-aligned, by one page of junk. */
void nested_map_junk(struct percpu *cpu, gpa_t end);

/* The guest wrote an MTRR: rebuilds the table if a type that is in force changed. */
void nested_types_changed(struct percpu *cpu);

#endif
