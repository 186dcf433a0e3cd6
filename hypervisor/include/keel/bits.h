/* SPDX-License-Identifier: BSD-2-Clause */
/* Bit, size and alignment arithmetic. */
#ifndef KEEL_BITS_H
#define KEEL_BITS_H

#include <keel/types.h>

#define BIT(n)	      (1u << (n))
#define BIT64(n)      (1ull << (n))

#define KIB(n)	      ((u64)(n) << 10)
#define MIB(n)	      ((u64)(n) << 20)
#define GIB(n)	      ((u64)(n) << 30)

#define PAGE_SHIFT    12
#define PAGE_SIZE     4096u

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Rounds @v down to a multiple of @align, a power of two. */
static inline u64 align_down(u64 v, u64 align)
{
	return v & ~(align - 1);
}

/* Rounds @v up to a multiple of @align, a power of two. Wraps to 0 at the top. */
static inline u64 align_up(u64 v, u64 align)
{
	return align_down(v + align - 1, align);
}

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

#endif
