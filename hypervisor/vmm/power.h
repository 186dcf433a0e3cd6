/* SPDX-License-Identifier: BSD-2-Clause */
/* Power-off, sleep and reset: what Keel sees of them, and its own reset. */
#ifndef KEEL_VMM_POWER_H
#define KEEL_VMM_POWER_H

#include <keel/types.h>

/*
 * Finds the power-control ports through the RSDP at @rsdp (HPA, 0 = none), traps PM1 control,
 * points the FADT's reset register at Keel (nothing else sees a reset: port 0xCF9 shares its
 * I/O-bitmap dword with PCI configuration), and hides the sleep states that would wake up below
 * Keel.
 */
void power_init(u64 rsdp);

/*
 * The guest writes the @bytes low bytes of @value to @port, which is trapped. False if the write
 * must not be done: it would put the machine to a sleep that ends outside Keel. Prints the exit
 * counts if the machine goes down.
 */
bool power_write_allowed(u16 port, u8 bytes, u32 value);

/*
 * The reset register that the guest's FADT names: a GPA at the start of Keel's last page; 0 if
 * none.
 */
gpa_t power_reset_register(void);

/* Prints @why and the exit counts and resets the machine. */
_Noreturn void power_reset(const char *why);

#endif
