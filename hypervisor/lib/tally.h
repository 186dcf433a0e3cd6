/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts by key, in a hash table of fixed size that another CPU may read meanwhile. */
#ifndef KEEL_LIB_TALLY_H
#define KEEL_LIB_TALLY_H

/*
 * 2^32 divided by the golden ratio: of the product with a 32-bit key, the highest bits are the number of
 * the slot that is looked at first (Knuth volume 3, 6.4). Neighbouring keys go far apart.
 */
#define TALLY_FACTOR 0x9e3779b1

#ifndef __ASSEMBLER__

#include <keel/live.h>

/*
 * Counts @key in @slots (a power of two, 2 or more) at @slot; in @lost if all are other keys'. Then a key
 * that came once gives its slot up, count and all, so that a scan of many keys leaves room for those that
 * come again: the sum of all counts and @lost is what was counted. A key that comes often costs one
 * look, mostly. A slot that has a key and the count 0 is kept for that key.
 */
void tally_count(struct keel_tally *slot, u32 slots, u64 key, struct keel_live *lost);

/* The number of @key's first slot of 2^@bits. */
static inline u32 tally_first(u64 key, u32 bits)
{
	return (u32)(key ^ key >> 32) * TALLY_FACTOR >> (32 - bits);
}

#endif
#endif
