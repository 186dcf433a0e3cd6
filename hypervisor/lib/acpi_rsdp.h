/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of all ACPI tables (ACPI 6.4, 5.2.5.3), as lib/ reads and changes it. */
#ifndef KEEL_LIB_ACPI_RSDP_H
#define KEEL_LIB_ACPI_RSDP_H

#include "acpi.h"

struct acpi_rsdp {
	char signature[8];
	u8 checksum; /* of the first 20 bytes */
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	/* From revision 2 on: */
	u32 length;
	u64 xsdt;
	u8 extended_checksum; /* of @length bytes */
	u8 reserved[3];
} __attribute__((packed));

#define ACPI_RSDP_V1_SIZE 20u

/* How much of memory one that acpi_read_rsdp() gave stands for. */
static inline size_t acpi_rsdp_bytes(const struct acpi_rsdp *rsdp)
{
	return rsdp->length ? sizeof(*rsdp) : ACPI_RSDP_V1_SIZE;
}

_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 5.2.5.3");

/*
 * Copies the RSDP at @pa; its part from revision 2 on is 0 if that is absent or broken. False if
 * there is none.
 */
bool acpi_read_rsdp(u64 pa, acpi_map_fn map, struct acpi_rsdp *out);

/* The table at @pa if it is valid and has this @signature, else NULL. */
struct acpi_header *acpi_map_signed(u64 pa, const char *signature, acpi_map_fn map);

/* The sum of @len bytes, modulo 256. */
u8 acpi_sum(const void *p, size_t len);

#endif
