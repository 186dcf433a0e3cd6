/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC of the CPU that runs this, in the mode the guest has it in (SDM volume 3, chapter
 * 11; APM volume 2, chapter 16). Registers are named by their xAPIC offset in bytes.
 */
#ifndef KEEL_DEV_APIC_H
#define KEEL_DEV_APIC_H

#include <keel/percpu.h>

#define APIC_REG_ID	  0x020
#define APIC_REG_TPR	  0x080
#define APIC_REG_EOI	  0x0b0
#define APIC_REG_LDR	  0x0d0
#define APIC_REG_DFR	  0x0e0
#define APIC_REG_SVR	  0x0f0
#define APIC_REG_ISR	  0x100
#define APIC_REG_IRR	  0x200
#define APIC_REG_ESR	  0x280
#define APIC_REG_ICR_LOW  0x300
#define APIC_REG_ICR_HIGH 0x310
#define APIC_REG_TIMER	  0x320
#define APIC_REG_THERMAL  0x330
#define APIC_REG_PERF	  0x340
#define APIC_REG_LINT0	  0x350
#define APIC_REG_LINT1	  0x360
#define APIC_REG_ERROR	  0x370
#define APIC_REG_COUNT	  0x380
#define APIC_REG_DIVIDE	  0x3e0

/* An LVT entry (SDM 11.5.1). */
#define APIC_LVT_MASKED	  BIT(16)
#define APIC_LVT_MODE	  (7u << 8)
#define APIC_LVT_NMI	  (ICR_NMI << 8)

/* DFR after INIT: the flat model. */
#define APIC_DFR_RESET	  0xffffffffu

/* Number of the x2APIC MSR that stands for an xAPIC register. */
#define X2APIC_MSR(reg)	  (0x800 + (reg) / 16)

/* Takes the APIC's mode and place anew from IA32_APIC_BASE; at the start and when it changes. */
void apic_find(struct percpu *cpu);

/* Reads or writes a register of 32 bits; an APIC that is disabled reads 0. */
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 v);

/*
 * Sends an IPI to the one CPU with @apic_id: @low is the ICR's low half but for destination and
 * shorthand. The guest's half-written ICR is kept. False if this CPU's APIC is disabled.
 */
bool apic_send(u32 apic_id, u32 low);

/*
 * Gives the APIC the state that INIT leaves (SDM 11.4.7.3). What it has accepted already can only be
 * taken from it as interrupts, which @drop_interrupts does. The caller calls apic_find() then.
 */
void apic_reset(void (*drop_interrupts)(void));

#endif
