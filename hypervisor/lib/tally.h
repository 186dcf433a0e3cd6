/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts by key, in a hash table of fixed size that another CPU may read meanwhile. */
#ifndef KEEL_LIB_TALLY_H
#define KEEL_LIB_TALLY_H

#include <keel/live.h>

/*
 * Counts @key in @slots (a power of two) at @slot; in @lost if all are other keys'. A key that comes
 * often early costs one look.
 */
void tally_count(struct keel_tally *slot, u32 slots, u64 key, struct keel_live *lost);

#endif
