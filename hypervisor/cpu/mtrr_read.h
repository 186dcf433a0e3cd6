/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEL_CPU_MTRR_READ_H
#define KEEL_CPU_MTRR_READ_H

#include "lib/mtrr.h"

/* Reads this CPU's MTRRs (SDM volume 3, 12.11). All zero but phys_bits where it has none. */
void mtrr_read(struct mtrr_state *out);

#endif
