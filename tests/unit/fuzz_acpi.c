/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the ACPI parser: good tables that the input damages, with checksums put right or not. */
#include "fuzz.h"

#include "lib/acpi.h"
#include "lib/acpi_add.h"
#include "lib/acpi_reset.h"

/* The memory from this address on; what is mapped can be written, as in the hypervisor. */
#define BASE  0x1000u
#define SLOTS 6u
#define SLOT  256u
#define SIZE  (SLOTS * SLOT)

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
static void good_tables(void)
{
	static const char signatures[] = "    RSDTXSDTFACPAPICDSDT";
	static const u8 cpus[] = {0, 8, 0, 0, 1, 0, 0, 0, 9, 16, 0, 0, 1, 1, 0, 0, 1};
	u8 *fadt = memory + 3 * SLOT;

	for (u32 slot = 1; slot < SLOTS; slot++) {
		u8 *table = memory + slot * SLOT;

		memcpy(table, signatures + slot * 4, 4);
		memcpy(table + 4, &(u32){slot == 1 ? 48 : slot == 2 ? 60 : 244}, 4);
		for (u32 i = 0; slot < 3 && i < 3; i++)
			memcpy(table + 36 + i * slot * 4, &(u64){BASE + (3 + i) * SLOT}, slot * 4);
	}
	memcpy(memory, "RSD PTR ", 8);
	memory[15] = 2;
	memcpy(memory + 16, &(u32){BASE + SLOT}, 4);
	memcpy(memory + 20, &(u32){36}, 4);
	memcpy(memory + 24, &(u64){BASE + 2 * SLOT}, 8);
	memcpy(fadt + 140, &(u64){BASE + 5 * SLOT}, 8);
	fadt[113] = 4;
	fadt[116] = fadt[172] = 1;
	fadt[120] = fadt[176] = 0xf9;
	memcpy(memory + 4 * SLOT + 44, cpus, sizeof(cpus));
	memcpy(memory + 5 * SLOT + 50, "\x08_S3_\x12\x08\\_S1_\x12", 13);
}

static void fix_tables(u8 which)
{
	for (u32 slot = 1; slot < SLOTS; slot++) {
		u32 len;

		memcpy(&len, memory + slot * SLOT + 4, 4);
		if (which >> slot & 1 && len >= 36 && len <= SIZE - slot * SLOT)
			fix(slot * SLOT, len, slot * SLOT + 9);
	}
	fix(0, 20, 8);
	if (which & 1)
		fix(0, 36, 32);
}

static void use_cpu(u32 apic_id, u32 *flags, void *arg)
{
	*(u32 *)arg += 1;
	*flags ^= apic_id;
}

static void use_tables(u64 rsdp)
{
	struct acpi_reset_reg ours = {1, 0x64, 0xfe}, old;
	struct acpi_rsdp changed;
	u8 room[200];
	struct acpi_header *table;
	u32 calls = 0;
	u8 types = 0;

	table = acpi_find(rsdp, "APIC", map);
	if (table) {
		(void)acpi_madt_is_whole(table);
		check(acpi_for_each_cpu(table, use_cpu, &calls) == calls);
	}
	table = acpi_find(rsdp, "DSDT", map);
	if (table) {
		acpi_hide_sleep(table, &types);
		check(acpi_checksum_ok(table, table->length));
	}
	acpi_power_ports(rsdp, map);
	if (!acpi_add_table(rsdp, BASE, (struct acpi_room){room, BASE, sizeof(room)}, map, &changed))
		check(acpi_checksum_ok(&changed, ACPI_RSDP_V1_SIZE));
	acpi_swap_reset_reg(rsdp, map, &ours, &old);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = {data, size};
	u8 right = (u8)~take(&in, 1);

	memory = calloc(1, SIZE);
	check(memory != NULL);
	good_tables();
	damage(&in, memory, SIZE, 12);
	fix_tables(right);
	use_tables(BASE);
	use_tables(acpi_scan_rsdp(BASE, SIZE, map));
	free(memory);
	return 0;
}
