/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leads Linux to x2APIC mode, in which an interrupt's end does not exit under a trapped ICR. Linux
 * takes it only with interrupt remapping or where it sees a hypervisor that allows it (Linux
 * arch/x86/kernel/apic/apic.c, try_to_enable_x2apic()): the boot CPU's CPUID shows KVM's signature
 * without a feature. Where that makes CPUID exit (SVM), it ends when that CPU has switched or starts
 * others.
 */
#ifndef KEEL_VMM_X2APIC_HINT_H
#define KEEL_VMM_X2APIC_HINT_H

#include "vmm/backend.h"

/* Begins on the boot CPU if it is of use here. After cpu_start_init(). */
void x2apic_hint_begin(struct percpu *boot);

/* A CPU has switched, or starts others. */
void x2apic_hint_end(struct percpu *cpu);

/* Adds the signature to what CPUID says. */
void x2apic_hint_cpuid(const struct percpu *cpu, u32 leaf, struct cpuid *out);

#endif
