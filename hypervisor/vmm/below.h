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
 * May the hypervisor below write there for the guest? Not to Keel's memory: it does so past the nested
 * table. GPA, bytes.
 */
bool below_may_write(u64 address, u64 size);

/* One line's worth on what becomes of KVM's features, in @line; NULL without KVM below. */
const char *below_describe(char *line, size_t size);

/* Takes what the guest cannot use out of what CPUID said. */
void below_cpuid(u32 leaf, struct cpuid *out);

/* On this CPU: INIT switches its paravirtual MSRs off, as KVM does at an INIT of its own. */
void below_reset_cpu(void);

/*
 * Does the guest's hypercall in cpu->regs on its behalf and stores the result (vmm/below_call.c); false
 * if there is nobody below who would answer. The guest must be at CPL 0: below, the call comes from
 * Keel.
 */
bool below_hypercall(struct percpu *cpu, const struct guest_state *state);

#endif
