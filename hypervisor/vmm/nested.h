/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nested page table, one for all CPUs: guest-physical is host-physical, but for Keel's own memory.
 * What only adds a mapping needs no flush; what takes tables away stops the other CPUs meanwhile.
 */
#ifndef KEEL_VMM_NESTED_H
#define KEEL_VMM_NESTED_H

#include "lib/range.h"
#include "vmm/backend.h"

/*
 * Builds the table: everything below 4 GiB and all of @ram above, by the largest pages that memory
 * types allow, without keel_region. @ram must stay. 0 or -ENOMEM. After backend->init().
 */
int nested_init(const struct range_list *ram);

/* How many bits of a GPA the table's format translates. After backend_choose(). */
u8 nested_address_bits(void);

/* One past the highest GPA that the table's format and this CPU have. */
u64 nested_limit(void);

/* HPA of the root table. */
hpa_t nested_root(void);

/*
 * The guest missed @gpa: maps what lies around it if that is above 4 GiB, MMIO that no memory map
 * names. True also if it is mapped by now; false if it cannot be.
 */
bool nested_map_on_demand(struct percpu *cpu, gpa_t gpa);

/*
 * Makes the page at @gpa read-only until as many nested_unprotect() have followed: writes exit.
 * Other CPUs may go on writing to it until their TLBs forget it. No room is a panic.
 */
void nested_protect(struct percpu *cpu, gpa_t gpa);
void nested_unprotect(struct percpu *cpu, gpa_t gpa);
bool nested_is_protected(gpa_t gpa);

/* Backs the hidden memory below @end, page-aligned, by one page of junk. */
void nested_map_junk(struct percpu *cpu, gpa_t end);

/*
 * Shows the guest, at @gpa, the pages of Keel's own memory at @hpa, to read or also to @write. Twice at
 * most, before the guest runs. 0 or -ENOMEM.
 */
int nested_show(gpa_t gpa, hpa_t hpa, u64 bytes, bool write);
/* Does the guest see, in the hidden memory, a page at @gpa that it may read only? */
bool nested_is_shown(gpa_t gpa);

/* The guest wrote an MTRR: rebuilds the table if a type that is in force changed. */
void nested_types_changed(struct percpu *cpu);

#endif
