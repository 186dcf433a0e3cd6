/* SPDX-License-Identifier: BSD-2-Clause */
/* The programmable interval timer's channel 2, to wait before the guest owns it. */
#ifndef KEEL_DEV_PIT_H
#define KEEL_DEV_PIT_H

#include <keel/types.h>

/*
 * Waits @us microseconds (20 to 50000). False on a machine without the timer: the time was then
 * guessed.
 */
bool pit_wait_us(u32 us);

#endif
