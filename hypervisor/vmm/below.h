/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor below Keel, if there is one. */
#ifndef KEEL_VMM_BELOW_H
#define KEEL_VMM_BELOW_H

#include <keel/percpu.h>

/*
 * Looks for KVM below by its CPUID signature; another hypervisor's hypercalls are not forwarded. Gives
 * the 12 letters of the signature, or NULL if CPUID says that nothing lies below.
 */
const char *below_init(void);

/*
 * Does the guest's hypercall in cpu->regs on its behalf and stores the result; false if there is
 * nobody below who would answer. The guest must be at CPL 0: below, the call comes from Keel.
 */
bool below_hypercall(struct percpu *cpu);

#endif
