/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds a table to those that the RSDP leads to (ACPI 6.4, 5.2.5 to 5.2.8). */
#ifndef KEEL_LIB_ACPI_ADD_H
#define KEEL_LIB_ACPI_ADD_H

#include "acpi_rsdp.h"

/* Where the changed root tables go: @size bytes at @bytes, which readers find at physical @pa. */
struct acpi_room {
	u8 *bytes;
	u64 pa;
	size_t size;
};

/* A signature, an identity and the checksum for @table, of @length bytes. */
void acpi_make_header(struct acpi_header *table, const char *signature, u32 length, u8 revision);

/*
 * Copies the RSDT and XSDT that the RSDP at @rsdp names, with @table as their last entry, into @room,
 * and fills *@changed, an RSDP that names the copies. Nothing of the firmware's is changed. 0;
 * -ENOENT without a valid RSDP and root table; -ENOMEM if the room, or the RSDT's 32 bits, are too
 * small.
 */
int acpi_add_table(u64 rsdp, u64 table, struct acpi_room room, acpi_map_fn map,
		   struct acpi_rsdp *changed);

#endif
