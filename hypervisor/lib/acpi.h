/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads ACPI tables (ACPI 6.4 chapter 5). Every length and checksum is checked before it is used;
 * no pointer from here needs to be aligned.
 */
#ifndef KEEL_LIB_ACPI_H
#define KEEL_LIB_ACPI_H

#include <keel/types.h>

/*
 * How the parser reaches physical memory: returns a pointer to @len readable bytes at physical
 * address @pa, or NULL if they cannot be read. Pointers stay valid.
 */
typedef void *(*acpi_map_fn)(u64 pa, size_t len);

#define ACPI_TABLE_MAX_LEN (1u << 20)

/* ACPI 5.2.6: the header that all tables share. */
struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	u32 creator_id;
	u32 creator_revision;
} __attribute__((packed));

/* Does the sum of @len bytes give 0 modulo 256? */
bool acpi_checksum_ok(const void *p, size_t len);

/* Sets the table's checksum so that it is right again after an edit. */
void acpi_fix_checksum(struct acpi_header *table);

/* Looks for a valid RSDP on 16-byte borders in [start, start + len). 0 if there is none. */
u64 acpi_scan_rsdp(u64 start, size_t len, acpi_map_fn map);

/*
 * Finds the first table with @signature through the RSDP at @rsdp: by the XSDT if the revision is
 * 2 or more and the XSDT is valid, else by the RSDT. NULL if it is missing, too long
 * (ACPI_TABLE_MAX_LEN), truncated or its checksum is wrong. "DSDT" is found through the FADT
 * (X_DSDT, else DSDT).
 */
struct acpi_header *acpi_find(u64 rsdp, const char *signature, acpi_map_fn map);

/* As acpi_find(), for the table number @n, from 0, of those with @signature (SSDTs). */
struct acpi_header *acpi_find_nth(u64 rsdp, const char *signature, u32 n, acpi_map_fn map);

/* The I/O ports that can turn the machine off, put it to sleep or reset it. 0 = not there. */
struct acpi_power_ports {
	u16 pm1a_cnt; /* PM1a_CNT_BLK (or X_PM1a_CNT_BLK if it is in system I/O space) */
	u16 pm1b_cnt;
	u16 reset; /* RESET_REG if it is in system I/O space and RESET_REG_SUP is set */
};

/* From the FADT; all 0 if there is none. */
struct acpi_power_ports acpi_power_ports(u64 rsdp, acpi_map_fn map);

/* MADT, ACPI 5.2.12: the processors that are enabled or online-capable. */
#define ACPI_CPUS_MAX 1024
/*
 * Calls @fn for each usable processor entry (types 0 and 9, Enabled or Online Capable, not the ID
 * that means broadcast), in the table's order, with its APIC ID and its flags (bit 0 Enabled, bit 1
 * Online Capable), which @fn may change (then fix the checksum). Returns the number of calls, at
 * most ACPI_CPUS_MAX. Stops at a malformed entry (shorter than its type needs, or past the end).
 */
u32 acpi_for_each_cpu(struct acpi_header *madt, void (*fn)(u32 apic_id, u32 *flags, void *arg),
		      void *arg);

/*
 * Do @madt's entries end where the table does, each as long as its type needs, and are they no more
 * than acpi_for_each_cpu() looks at?
 */
bool acpi_madt_is_whole(const struct acpi_header *madt);

/*
 * Renames the sleep states _S1_, _S2_ and _S3_ in @table (the DSDT or an SSDT) to names no OS looks
 * for, so that no one suspends to RAM past Keel; fixes the checksum. Returns how many were
 * renamed and sets in *@types the bit of each one's SLP_TYPa value (0 to 7), where it is a
 * constant.
 */
u32 acpi_hide_sleep(struct acpi_header *table, u8 *types);

#endif
