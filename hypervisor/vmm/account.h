/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts what exits, on each CPU by itself and without a lock, in the table that the guest can read
 * (keel/abi.h).
 */
#ifndef KEEL_VMM_ACCOUNT_H
#define KEEL_VMM_ACCOUNT_H

#include <keel/account.h>

#include "vmm/exit.h"

/* Takes memory for the counters of all CPUs, whose number is known. 0 or -ENOMEM. */
int account_init(void);

/*
 * Fills in what does not change, and has the guest find the table through its RSDP at @rsdp, or not:
 * then a line says why. @below: signature of a hypervisor, or NULL.
 */
void account_publish(u64 rsdp, const char *below);

/* Where the guest sees the table, and how many bytes from there on; 0, 0 if it does not. */
gpa_t account_shown(u32 *bytes);

/* Counts one more of @key on @cpu, which runs this. */
void account_key(struct percpu *cpu, enum keel_tally_kind kind, u64 key);

/* Counts an exit of @cpu's. */
void account_exit(struct percpu *cpu, const struct exit_info *info);

#endif
