/* SPDX-License-Identifier: BSD-2-Clause */
/* The fixed ACPI description table, as far as Keel reads it (ACPI 6.4, 5.2.9 and 5.2.3.2). */
#ifndef KEEL_LIB_ACPI_FADT_H
#define KEEL_LIB_ACPI_FADT_H

#include "acpi.h"

/* Generic address structure, and its address spaces. */
struct gas {
	u8 space;
	u8 bit_width;
	u8 bit_offset;
	u8 access_size;
	u64 address;
} __attribute__((packed));

#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO	  1

struct fadt {
	struct acpi_header header;
	u32 firmware_ctrl;
	u32 dsdt;
	u8 skipped1[20];
	u32 pm1a_cnt;
	u32 pm1b_cnt;
	u8 skipped2[40];
	u32 flags;
	struct gas reset_reg;
	u8 reset_value;
	u8 skipped3[11];
	u64 x_dsdt;
	u8 skipped4[24];
	struct gas x_pm1a_cnt;
	struct gas x_pm1b_cnt;
} __attribute__((packed));

#define FADT_RESET_REG_SUP (1u << 10)

_Static_assert(offsetof(struct fadt, pm1a_cnt) == 64, "ACPI 5.2.9");
_Static_assert(offsetof(struct fadt, flags) == 112, "ACPI 5.2.9");
_Static_assert(offsetof(struct fadt, reset_reg) == 116, "ACPI 5.2.9");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "ACPI 5.2.9");
_Static_assert(offsetof(struct fadt, x_pm1a_cnt) == 172, "ACPI 5.2.9");

#endif
