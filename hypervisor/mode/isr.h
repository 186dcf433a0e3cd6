/* SPDX-License-Identifier: BSD-2-Clause */
/* What differs by width of an exception in Keel. */
#ifndef KEEL_MODE_ISR_H
#define KEEL_MODE_ISR_H

#include "mode/mode.h"

/* Prints the registers in @frame, for a panic. @cr2: the register of that name. */
void isr_dump(const struct isr_frame *frame, unsigned long cr2);

#endif
