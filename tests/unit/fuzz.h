/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fuzz targets share: reading numbers from the input, and damaging good data with it. */
#ifndef KEEL_FUZZ_H
#define KEEL_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include <keel/bits.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
	const u8 *data;
	size_t size;
};

static inline void check(bool ok)
{
	if (!ok)
		abort();
}

/* The next number from the input; 0 when it is used up. */
static inline u64 take(struct input *in, u32 bytes)
{
	u64 v = 0;

	for (; bytes && in->size; bytes--, in->data++, in->size--)
		v = v << 8 | *in->data;
	return v;
}

/* Up to @max times: writes 1 to 8 bytes of the input somewhere in @target. */
static inline void damage(struct input *in, u8 *target, size_t size, u32 max)
{
	for (u32 n = (u32)take(in, 1) % (max + 1); n && size; n--) {
		size_t at = take(in, 2) % size;
		u32 bytes = 1u << (take(in, 1) & 3);
		u64 v = take(in, bytes);

		memcpy(target + at, &v, bytes < size - at ? bytes : size - at);
	}
}

#endif
