/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ACPI_H
#define ACPI_H

#include "guest.h"

#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO 1

struct acpi_reset {
	u8 space, value;
	u64 address;
};

/* The table with this signature, or NULL. */
const u8 *acpi_find(const char *signature);
/* The port of PM1a control, or 0. */
u16 acpi_pm1a_control(void);
/* What starts sleep by the DSDT's package of this name (_S5_) in PM1 control, or 0. */
u16 acpi_sleep_bits(const char *name);
/* False if the FADT names no reset register. */
bool acpi_reset_register(struct acpi_reset *out);
/* The APIC IDs of the usable CPUs in the MADT; returns how many it stored. */
u32 acpi_cpus(u32 *ids, u32 max);
/* Soft-off through PM1a control, as an operating system does it. */
void acpi_off(void);

#endif
