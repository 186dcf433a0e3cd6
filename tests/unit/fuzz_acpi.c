/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the ACPI parser on a small memory made of the input, with checksums put right or not. */
#include <stdlib.h>
#include <string.h>

#include <keel/bits.h>

#include "lib/acpi.h"
#include "lib/acpi_reset.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The memory from this address on; what is mapped can be written, as in the hypervisor. */
#define BASE 0x1000u
#define SLOTS 6u
#define SLOT 256u
#define SIZE (SLOTS * SLOT)

static u8 *memory;

static void *map(u64 pa, size_t len)
{
	if (pa < BASE || pa - BASE > SIZE || len > SIZE - (pa - BASE))
		return NULL;
	return memory + (pa - BASE);
}

static void fix(u32 at, u32 len, u32 sum_at)
{
	u8 sum = 0;

	memory[sum_at] = 0;
	for (u32 i = 0; i < len; i++)
		sum = (u8)(sum + memory[at + i]);
	memory[sum_at] = (u8)-sum;
}

/* Slot 0 is the RSDP, 1 and 2 the roots, which list the rest: FADT, MADT, DSDT. */
static void make_tables(u8 how)
{
	static const char signatures[] = "RSD RSDTXSDTFACPAPICDSDT";

	for (u32 slot = 1; slot < SLOTS; slot++) {
		u8 *table = memory + slot * SLOT;
		u32 len;

		memcpy(table, signatures + slot * 4, 4);
		if (how & 2)
			memset(table + 5, 0, 3);
		if (slot < 3 && how & 4) {
			for (u32 i = 0; i < 3; i++) {
				u64 pa = BASE + (3 + i) * SLOT;

				memcpy(table + 36 + i * slot * 4, &pa, slot * 4);
			}
		}
		memcpy(&len, table + 4, 4);
		if (len >= 36 && len <= SIZE - slot * SLOT && how & 8)
			fix(slot * SLOT, len, slot * SLOT + 9);
	}
	memcpy(memory, "RSD PTR ", 8);
	memcpy(memory + 16, &(u32){ BASE + SLOT }, 4);
	memcpy(memory + 20, &(u32){ 36 }, 4);
	memcpy(memory + 24, &(u64){ BASE + 2 * SLOT }, 8);
	fix(0, 20, 8);
	fix(0, 36, 32);
}

static void use_cpu(u32 apic_id, u32 *flags, void *arg)
{
	*(u32 *)arg += 1;
	*flags ^= apic_id;
}

static void use_tables(u64 rsdp)
{
	struct acpi_reset_reg ours = { 1, 0x64, 0xfe }, old;
	struct acpi_header *table;
	u32 calls = 0;

	table = acpi_find(rsdp, "APIC", map);
	if (table && acpi_for_each_cpu(table, use_cpu, &calls) != calls)
		abort();
	table = acpi_find(rsdp, "DSDT", map);
	if (table) {
		acpi_hide_sleep(table);
		if (!acpi_checksum_ok(table, table->length))
			abort();
	}
	acpi_power_ports(rsdp, map);
	acpi_swap_reset_reg(rsdp, map, &ours, &old);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 how;

	if (!size)
		return 0;
	how = data[0];
	memory = calloc(1, SIZE);
	if (!memory)
		abort();
	memcpy(memory, data + 1, size - 1 < SIZE ? size - 1 : SIZE);
	if (how & 1)
		make_tables(how);
	use_tables(BASE);
	use_tables(acpi_scan_rsdp(BASE, SIZE, map));
	free(memory);
	return 0;
}
