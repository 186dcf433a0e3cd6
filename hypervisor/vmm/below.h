/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor below Keel, if there is one. */
#ifndef KEEL_VMM_BELOW_H
#define KEEL_VMM_BELOW_H

#include <keel/percpu.h>

#include "vmm/backend.h"

/* KVM's twelve letters at leaf 0x40000000 (Linux Documentation/virt/kvm/cpuid.rst). */
#define KVM_SIGNATURE "KVMKVMKVM\0\0"

/*
 * Looks for KVM below by its CPUID signature; another hypervisor's hypercalls are not forwarded.
 * Gives the 12 letters of the signature, or NULL if CPUID says that nothing lies below. Before
 * msr_rules_install().
 */
const char *below_init(void);

/* After below_init(). */
bool below_is_kvm(void);

/* Rules for the MSRs of the hypervisor below; *@count is 0 if it has none. After below_init(). */
const struct msr_rule *below_msr_rules(u32 *count);

/*
 * Does the guest's hypercall in cpu->regs on its behalf and stores the result; false if there is
 * nobody below who would answer. The guest must be at CPL 0: below, the call comes from Keel.
 */
bool below_hypercall(struct percpu *cpu);

#endif
