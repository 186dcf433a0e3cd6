/* SPDX-License-Identifier: BSD-2-Clause */
/* A lock that is held for a few instructions. Interrupts are always off in Keel. */
#ifndef KEEL_SPINLOCK_H
#define KEEL_SPINLOCK_H

#include <keel/atomic.h>

struct spinlock {
	u32 taken;
};

static inline bool spin_trylock(struct spinlock *lock)
{
	return !atomic_load(&lock->taken) && !atomic_exchange(&lock->taken, 1);
}

static inline void spin_lock(struct spinlock *lock)
{
	while (!spin_trylock(lock))
		__asm__ volatile("pause");
}

static inline void spin_unlock(struct spinlock *lock)
{
	atomic_store(&lock->taken, 0);
}

#endif
