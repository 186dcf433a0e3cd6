/* SPDX-License-Identifier: BSD-2-Clause */
#include "acpi_add.h"

#include <keel/bits.h>
#include <keel/errno.h>

#include "string.h"

#define ROOT_ALIGN 16

void acpi_make_header(struct acpi_header *table, const char *signature, u32 length, u8 revision)
{
	*table = (struct acpi_header){
		.length = length,
		.revision = revision,
		.oem_id = "KEEL  ",
		.oem_table_id = "KEEL    ",
		.oem_revision = 1,
		.creator_id = 0x4c45454b, /* "KEEL" */
		.creator_revision = 1,
	};
	memcpy(table->signature, signature, sizeof(table->signature));
	acpi_fix_checksum(table);
}

/* Copies @root with one more entry of @width bytes to the front of @room. Where it is then, or 0. */
static u64 grow_root(const struct acpi_header *root, u64 table, size_t width,
		     struct acpi_room *room)
{
	/* Bytes behind the last whole entry are not one (lib/acpi.c). */
	size_t end = root->length - (root->length - sizeof(*root)) % width;
	size_t grown = end + width;
	size_t taken = align_up(grown, ROOT_ALIGN);
	struct acpi_header *copy = (struct acpi_header *)room->bytes;
	u64 at = room->pa;

	if (taken > room->size || (width == sizeof(u32) && (table > UINT32_MAX || at > UINT32_MAX)))
		return 0;
	memcpy(copy, root, end);
	memcpy(room->bytes + end, &table, width); /* little-endian: the low half */
	copy->length = (u32)grown;
	acpi_fix_checksum(copy);
	*room = (struct acpi_room){room->bytes + taken, room->pa + taken, room->size - taken};
	return at;
}

static void fix_rsdp(struct acpi_rsdp *rsdp)
{
	rsdp->checksum = 0;
	rsdp->checksum = (u8)-acpi_sum(rsdp, ACPI_RSDP_V1_SIZE);
	rsdp->extended_checksum = 0;
	rsdp->extended_checksum = (u8)-acpi_sum(rsdp, sizeof(*rsdp));
}

int acpi_add_table(u64 rsdp, u64 table, struct acpi_room room, acpi_map_fn map,
		   struct acpi_rsdp *changed)
{
	const struct acpi_header *rsdt, *xsdt;

	if (!rsdp || !acpi_read_rsdp(rsdp, map, changed))
		return -ENOENT;
	rsdt = acpi_map_signed(changed->rsdt, "RSDT", map);
	xsdt = acpi_map_signed(changed->xsdt, "XSDT", map);
	if (!rsdt && !xsdt)
		return -ENOENT;
	if (rsdt) {
		changed->rsdt = (u32)grow_root(rsdt, table, sizeof(u32), &room);
		if (!changed->rsdt)
			return -ENOMEM;
	}
	if (xsdt) {
		changed->xsdt = grow_root(xsdt, table, sizeof(u64), &room);
		if (!changed->xsdt)
			return -ENOMEM;
	}
	/* Without a valid part from revision 2 on it stays without one. */
	changed->length = (u32)(changed->length ? sizeof(*changed) : 0);
	fix_rsdp(changed);
	return 0;
}
