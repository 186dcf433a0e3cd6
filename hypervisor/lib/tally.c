/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

void tally_count(struct keel_tally *slot, u32 slots, u64 key, struct keel_live *lost)
{
	u32 first = tally_first(key, (u32)__builtin_ctz(slots));
	struct keel_tally *once = NULL;

	for (u32 i = 0; i < slots; i++) {
		struct keel_tally *t = &slot[(first + i) & (slots - 1)];

		if (t->key.value == key || !(t->key.value | t->count.value)) {
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
