/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts what exits, on each CPU by itself and without a lock, in the table that the guest can read
 * (keel/abi.h).
 */
#ifndef KEEL_VMM_ACCOUNT_H
#define KEEL_VMM_ACCOUNT_H

#include <keel/account.h>

#include "lib/tally.h"
#include "vmm/exit.h"

/* Takes memory for the counters of all CPUs, whose number is known. 0 or -ENOMEM. */
int account_init(void);

/*
 * Fills in what does not change, and has the guest find the table through its RSDP at @rsdp, or not:
 * then a line says why. @below: signature of a hypervisor, or NULL.
 */
void account_publish(u64 rsdp, const char *below);

/* Where the guest sees the table, and how many bytes from there on; 0, 0 if it does not. */
gpa_t account_shown(u32 *bytes);

/* Counts one more of @key in @counts, those of the CPU that runs this. */
void account_key(struct keel_cpu *counts, enum keel_tally_kind kind, u64 key);

/* The same for a key that comes often, whose kind has 2^@bits slots from @first on. */
static inline void account_often(struct keel_cpu *counts, enum keel_tally_kind kind, u32 first,
				 u32 bits, u64 key)
{
	struct keel_tally *t = &counts->tally[first + tally_first(key, bits)];

	if (t->key.value == key)
		live_count(&t->count);
	else
		account_key(counts, kind, key);
}

/* Counts an exit. */
static inline void account_exit(struct keel_cpu *counts, u32 reason, u32 raw)
{
	live_count(&counts->exits[reason]);
	account_often(counts, KEEL_TALLY_RAW, ACCOUNT_RAW_FIRST, ACCOUNT_RAW_BITS, raw);
}

/* Counts a nested page fault at @gpa. */
static inline void account_page(struct keel_cpu *counts, gpa_t gpa)
{
	account_often(counts, KEEL_TALLY_PAGE, ACCOUNT_PAGE_FIRST, ACCOUNT_PAGE_BITS,
		      align_down(gpa, PAGE_SIZE));
}

#endif
