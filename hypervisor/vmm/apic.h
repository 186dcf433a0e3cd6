/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's local APICs, as far as Keel looks at them: the registers that start and stop CPUs,
 * and where each CPU's page lies. All else is the hardware's.
 */
#ifndef KEEL_VMM_APIC_H
#define KEEL_VMM_APIC_H

#include "vmm/backend.h"

/* Traps the ICR of every CPU, if cpu_start_trapped(). After cpu_start_init() and nested_init(). */
void apic_trap(void);

/* Ends that, on all CPUs. */
void apic_untrap(void);

/* Rules for the ICR's and the base's MSR. */
const struct msr_rule *apic_msr_rules(u32 *count);

/* Has the backend leave interrupts that start and stop no CPU to the hardware, where it can. */
void apic_pass_plain_icr(void);

/* This CPU's APIC changed its mode, its page or its ID: looks anew, and moves the trap. */
void apic_place_changed(struct percpu *cpu);

/*
 * The guest writes the ICR. True if Keel has done what it asks for; false if the hardware is to do
 * it.
 */
bool apic_icr_written(struct percpu *cpu, const struct icr *icr);

#endif
