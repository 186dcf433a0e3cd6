/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUs share without a lock. All are sequentially consistent: such accesses are rare. */
#ifndef KEEL_ATOMIC_H
#define KEEL_ATOMIC_H

#include <keel/types.h>

static inline u32 atomic_load(const u32 *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static inline void atomic_store(u32 *p, u32 v)
{
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

/* The next three give what was there before. */
static inline u32 atomic_exchange(u32 *p, u32 v)
{
	return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

static inline u32 atomic_or(u32 *p, u32 bits)
{
	return __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

static inline u32 atomic_add(u32 *p, u32 n)
{
	return __atomic_fetch_add(p, n, __ATOMIC_SEQ_CST);
}

/* Replaces @expected by @v; false if something else was there. */
static inline bool atomic_replace(u32 *p, u32 expected, u32 v)
{
	return __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

#endif
