/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/acpi_reset.h"

#include <keel/bits.h>

#define FADT_RESET_REG_SUP BIT(10)
#define REGISTER_BITS	   8
#define ACCESS_BYTE	   1

/* ACPI 6.4, 5.2.3.2. */
struct generic_address {
	u8 space;
	u8 bit_width;
	u8 bit_offset;
	u8 access_size;
	u64 address;
} __attribute__((packed));

/* The FADT up to what is needed here (ACPI 6.4, table 5.9). */
struct fadt_reset {
	struct acpi_header header;
	u8 other[112 - sizeof(struct acpi_header)];
	u32 flags;
	struct generic_address reset_reg;
	u8 reset_value;
} __attribute__((packed));

_Static_assert(offsetof(struct fadt_reset, reset_reg) == 116, "ACPI 6.4, table 5.9");
_Static_assert(sizeof(struct fadt_reset) == 129, "ACPI 6.4, table 5.9");

bool acpi_swap_reset_reg(u64 rsdp, acpi_map_fn map, const struct acpi_reset_reg *ours,
			 struct acpi_reset_reg *old)
{
	struct fadt_reset *fadt = (struct fadt_reset *)acpi_find(rsdp, "FACP", map);

	if (!fadt || fadt->header.length < sizeof(*fadt) || !(fadt->flags & FADT_RESET_REG_SUP))
		return false;
	old->space = fadt->reset_reg.space;
	old->address = fadt->reset_reg.address;
	old->value = fadt->reset_value;
	fadt->reset_reg = (struct generic_address){
		.space = ours->space,
		.bit_width = REGISTER_BITS,
		.access_size = ACCESS_BYTE,
		.address = ours->address,
	};
	fadt->reset_value = ours->value;
	acpi_fix_checksum(&fadt->header);
	/* In write-protected memory nothing has changed. */
	return ((volatile struct fadt_reset *)fadt)->reset_reg.address == ours->address;
}
