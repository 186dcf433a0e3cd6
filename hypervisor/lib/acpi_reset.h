/* SPDX-License-Identifier: BSD-2-Clause */
/* The FADT's reset register (ACPI 6.4, 4.8.3.6 and 5.2.9). */
#ifndef KEEL_LIB_ACPI_RESET_H
#define KEEL_LIB_ACPI_RESET_H

#include "acpi_fadt.h"

struct acpi_reset_reg {
	u8 space;    /* ACPI_SPACE_* */
	u64 address; /* one byte wide */
	u8 value;    /* to write there for a reset */
};

/*
 * Replaces the reset register that the FADT names by @ours and gives the firmware's in *@old.
 * False, and nothing changed, if the FADT is missing, too short for one, says it has none, or lies
 * in memory that cannot be written.
 */
bool acpi_swap_reset_reg(u64 rsdp, acpi_map_fn map, const struct acpi_reset_reg *ours,
			 struct acpi_reset_reg *old);

#endif
