/* SPDX-License-Identifier: BSD-2-Clause */
/* The programmable interval timer's channel 2, to wait before the guest owns it. */
#ifndef KEEL_DEV_PIT_H
#define KEEL_DEV_PIT_H

#include <keel/types.h>

/*
 * Waits @us microseconds (1 to 50000). On a machine without the timer it ends after a number of port
 * reads, which is longer.
 */
void pit_wait_us(u32 us);

#endif
