/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEL_VMM_EXIT_MSR_H
#define KEEL_VMM_EXIT_MSR_H

#include "vmm/backend.h"

/* Traps every MSR that has a rule. After backend->init(), before the guest runs. */
void msr_rules_install(void);

#endif
