/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/acpi_reset.h"

#include "acpi_fadt.h"

#define REGISTER_BITS  8
#define ACCESS_BYTE    1

/* A table that is shorter has no reset register. */
#define FADT_RESET_END (offsetof(struct fadt, reset_value) + 1)

bool acpi_swap_reset_reg(u64 rsdp, acpi_map_fn map, const struct acpi_reset_reg *ours,
			 struct acpi_reset_reg *old)
{
	struct fadt *fadt = (struct fadt *)acpi_find(rsdp, "FACP", map);

	if (!fadt || fadt->header.length < FADT_RESET_END || !(fadt->flags & FADT_RESET_REG_SUP))
		return false;
	old->space = fadt->reset_reg.space;
	old->address = fadt->reset_reg.address;
	old->value = fadt->reset_value;
	fadt->reset_reg = (struct gas){
		.space = ours->space,
		.bit_width = REGISTER_BITS,
		.access_size = ACCESS_BYTE,
		.address = ours->address,
	};
	fadt->reset_value = ours->value;
	acpi_fix_checksum(&fadt->header);
	/* In write-protected memory nothing has changed. */
	return ((volatile struct fadt *)fadt)->reset_reg.address == ours->address;
}
