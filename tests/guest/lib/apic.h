/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of the CPU that asks, in xAPIC or x2APIC mode. Registers by their xAPIC offset. */
#ifndef APIC_H
#define APIC_H

#include "guest.h"

#define APIC_ID 0x020
#define APIC_TPR 0x080
#define APIC_EOI 0x0b0
#define APIC_LDR 0x0d0
#define APIC_DFR 0x0e0
#define APIC_SVR 0x0f0
#define APIC_ISR 0x100
#define APIC_IRR 0x200
#define APIC_ESR 0x280
#define APIC_ICR 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_PERF 0x340
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define APIC_SELF_IPI 0x3f0 /* x2APIC mode only */

#define APIC_SVR_ENABLE 0x1ff
#define APIC_DFR_FLAT 0xffffffffu
#define APIC_DFR_CLUSTER 0x0fffffffu
#define APIC_LVT_MASKED 0x10000

#define APIC_BASE_BSP BIT(8)
#define APIC_BASE_X2 BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_USUAL 0xfee00000u

/* As a destination: every APIC. */
#define APIC_EVERYONE 0xffffffffu

#define ICR_FIXED 0x000
#define ICR_LOWEST 0x100
#define ICR_NMI 0x400
#define ICR_INIT 0x500
#define ICR_STARTUP 0x600
#define ICR_LOGICAL 0x800
#define ICR_PENDING 0x1000
#define ICR_ASSERT 0x4000
#define ICR_LEVEL 0x8000
#define ICR_SELF 0x40000
#define ICR_ALL 0x80000
#define ICR_OTHERS 0xc0000

/* Takes the mode and the base from APIC_BASE, and software-enables the APIC. */
void apic_init(void);
/* The first half of that: after the mode or the base changed. */
void apic_look(void);
bool apic_has_x2(void);
/* From xAPIC mode to x2APIC mode; then apic_init() again. */
void apic_to_x2(void);
bool apic_is_x2(void);
u32 apic_id(void);
void apic_write(u32 reg, u32 v);
u32 apic_read(u32 reg);
/* One interrupt command. In xAPIC mode a destination has 8 bits. */
void apic_send(u32 destination, u32 command);
void apic_eoi(void);
void apic_self_nmi(void);
void apic_self_irq(u8 vector);

#endif
