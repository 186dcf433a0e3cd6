/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that others read while they change (keel/abi.h). Each has one writer. */
#ifndef KEEL_LIVE_H
#define KEEL_LIVE_H

#include <keel/abi.h>
#include <keel/types.h>

/* Volatile: what is written in this order is seen in this order (SDM volume 3, 9.2.3.2). */
static inline void live_set(struct keel_live *live, u64 v)
{
	*(volatile keel_u64 *)&live->value = v;
	*(volatile keel_u64 *)&live->inverse = ~v;
}

static inline void live_count(struct keel_live *live)
{
	live->value++;
	live->inverse--;
}

#endif
