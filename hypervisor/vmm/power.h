/* SPDX-License-Identifier: BSD-2-Clause */
/* Power-off, sleep and reset: what Keel sees of them, and its own reset. */
#ifndef KEEL_VMM_POWER_H
#define KEEL_VMM_POWER_H

#include <keel/types.h>

/*
 * Finds the power-control ports through the RSDP at @rsdp (HPA, 0 = none), traps PM1 control, points
 * the FADT's reset register at Keel (nothing else sees a reset: port 0xCF9 shares its I/O-bitmap
 * dword with PCI configuration), and hides the sleep states that would wake up below Keel.
 */
void power_init(u64 rsdp);

/* The guest writes @value to a trapped port: prints the exit counts if the machine goes down. */
void power_watch(u16 port, u32 value);

/* Is @gpa the reset register that the guest's FADT names? */
bool power_is_reset_register(gpa_t gpa);

/* Prints @why and the exit counts and resets the machine. */
_Noreturn void power_reset(const char *why);

#endif
