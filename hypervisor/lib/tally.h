/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts by key, in a hash table of fixed size that another CPU may read meanwhile. */
#ifndef KEEL_LIB_TALLY_H
#define KEEL_LIB_TALLY_H

#include <keel/live.h>

/*
 * Counts @key in @slots (a power of two) at @slot; in @lost if all are other keys'. Then a key that
 * came once gives its slot up, count and all, so that a scan of many keys leaves room for those that
 * come again: the sum of all counts and @lost is what was counted. A key that comes often costs one
 * look, mostly.
 */
void tally_count(struct keel_tally *slot, u32 slots, u64 key, struct keel_live *lost);

#endif
