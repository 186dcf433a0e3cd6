/* SPDX-License-Identifier: BSD-2-Clause */
/* Checked accesses to what the guest sees at a linear address. */
#ifndef KEEL_VMM_GUEST_MEMORY_H
#define KEEL_VMM_GUEST_MEMORY_H

#include "vmm/backend.h"

/*
 * Walks the guest's page tables (SDM volume 3, chapter 4) for @gva under @state: none, 32-bit, PAE,
 * 4 or 5 levels. 0 and *@gpa, or -EFAULT where it is not mapped or the walk leaves the guest's
 * memory.
 */
int guest_translate(const struct guest_state *state, gva_t gva, gpa_t *gpa);

/* Reads @len bytes at @gva into @buf; returns how many could be read from its start. */
size_t guest_read(const struct guest_state *state, gva_t gva, void *buf, size_t len);

/*
 * The instruction bytes at @gva, CODE_BYTES of them: NULL if they lie in two pages or cannot be read at once; then
 * guest_read() may. A walk that gave the same page before is not made again while its entries are as they were.
 * The pointer is good until the exit ends.
 */
#define CODE_BYTES 16u
const u8 *guest_code(struct percpu *cpu, const struct guest_state *state, gva_t gva);

/*
 * Writes there, as the CPU does for itself: whether the guest's tables allow it is not asked. A page whose
 * writes exit is not written.
 */
size_t guest_write(const struct guest_state *state, gva_t gva, const void *buf, size_t len);

#define GUEST_PDPTES 4

/* The four page-directory pointers of PAE paging at @cr3. False where loading them is #GP. */
bool guest_read_pdptes(u64 cr3, u64 pdptes[GUEST_PDPTES]);

#endif
