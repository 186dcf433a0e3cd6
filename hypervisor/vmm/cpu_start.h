/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the guest's CPUs are started and stopped by INIT and SIPI (SDM volume 3, 9.4). By policy:
 * the hardware waits for the SIPI in the guest and nothing is trapped, or both are emulated by
 * cpu->startup (lib/startup.h) and the kick.
 */
#ifndef KEEL_VMM_CPU_START_H
#define KEEL_VMM_CPU_START_H

#include "vmm/backend.h"

/*
 * Chooses the policy: @asked is the word after "apic=" on the command line or NULL, @below whether a
 * hypervisor lies below, @all_parked whether every other CPU of the machine is under Keel or parked
 * by it. Refuses a word that does not exist or cannot be done. After the CPUs have been started.
 */
void cpu_start_init(const char *asked, bool below, bool all_parked);

/* KEEL_START_*, and the sentence for the boot line. */
u32 cpu_start_policy(void);
const char *cpu_start_text(void);

/* Must INIT and SIPI be caught in the interrupt command register? */
bool cpu_start_trapped(void);

/* The first state of a CPU that is not the boot CPU: halted, as the firmware left it. */
void cpu_start_halted(struct percpu *cpu);

/* The guest sends INIT or SIPI to @to, under a policy that emulates them. */
void cpu_send_init(struct percpu *to);
void cpu_send_sipi(struct percpu *to, u8 vector);

/* Does what INIT and SIPI have left in cpu->startup. */
void cpu_startup_serve(struct percpu *cpu);

#endif
