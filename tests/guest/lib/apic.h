/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of this CPU, in xAPIC mode. */
#ifndef APIC_H
#define APIC_H

#include "guest.h"

#define APIC_EOI 0x0b0
#define APIC_LVT_TIMER 0x320

void apic_init(void);
void apic_write(u32 reg, u32 v);
u32 apic_read(u32 reg);
void apic_self_nmi(void);
void apic_self_irq(u8 vector);

#endif
