/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

/* 2^32 divided by the golden ratio: neighbouring keys go far apart (Knuth volume 3, 6.4). */
#define HASH_FACTOR 0x9e3779b1u
#define HASH_SHIFT  20

void tally_count(struct keel_tally *slot, u32 slots, u64 key, struct keel_live *lost)
{
	u32 first = (u32)(key ^ key >> 32) * HASH_FACTOR >> HASH_SHIFT;
	struct keel_tally *once = NULL;

	for (u32 i = 0; i < slots; i++) {
		struct keel_tally *t = &slot[(first + i) & (slots - 1)];

		if (t->key.value == key || !t->count.value) {
			if (t->key.value != key)
				live_set(&t->key, key);
			live_count(&t->count);
			return;
		}
		if (t->count.value == 1)
			once = t;
	}
	if (once)
		live_set(&once->key, key);
	live_count(lost);
}
