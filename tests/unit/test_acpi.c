/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/acpi.c, lib/acpi_add.c and lib/acpi_reset.c on tables as firmware makes them, and as it should not. */
#include "test.h"

#include "lib/acpi.h"
#include "lib/acpi_add.h"
#include "lib/acpi_reset.h"

#define BASE 0xe0000ull
#define SIZE 0x20000u

#define RSDP 0xf5ad0ull
#define RSDT 0xe0013ull /* at odd addresses: nothing may rely on alignment */
#define XSDT 0xe1000ull
#define FADT 0xe2001ull
#define DSDT 0xe3003ull
#define MADT 0xe4002ull
#define SSDT 0xe5000ull

/* Memory; what is mapped can be changed through the pointers, as in the hypervisor. */
static u8 memory[SIZE];
/* Copies that end where the mapping ends, for the sanitizer; the parser may only read them. */
static bool exact;
static void *copies[4096];
static u32 copy_count;
static u32 map_calls;

static void *map(u64 pa, size_t len)
{
	map_calls++;
	if (pa < BASE || pa - BASE > SIZE || len > SIZE - (pa - BASE))
		return NULL;
	if (!exact)
		return memory + (pa - BASE);
	assert_true(copy_count < ARRAY_SIZE(copies));
	return copies[copy_count++] = exact_copy(memory + (pa - BASE), len);
}

static void drop_copies(void)
{
	while (copy_count)
		free(copies[--copy_count]);
}

static void put(u64 pa, u64 v, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		memory[pa - BASE + i] = (u8)(v >> (i * 8));
}

static u64 get(u64 pa, u32 bytes)
{
	u64 v = 0;

	for (u32 i = 0; i < bytes; i++)
		v |= (u64)memory[pa - BASE + i] << (i * 8);
	return v;
}

static void put_text(u64 pa, const char *text)
{
	memcpy(memory + (pa - BASE), text, strlen(text));
}

/* Makes the sum of @len bytes right by the byte at offset @at. */
static void fix(u64 pa, u32 len, u32 at)
{
	u8 sum = 0;

	put(pa + at, 0, 1);
	for (u32 i = 0; i < len; i++)
		sum = (u8)(sum + memory[pa - BASE + i]);
	put(pa + at, 0u - sum, 1);
}

static void fix_table(u64 pa)
{
	fix(pa, (u32)get(pa + 4, 4), 9);
}

static void table(u64 pa, const char *signature, u32 len, u8 revision)
{
	put_text(pa, signature);
	put(pa + 4, len, 4);
	put(pa + 8, revision, 1);
	put_text(pa + 10, "KEEL  ");
	fix_table(pa);
}

static void gas(u64 pa, u8 space, u64 address)
{
	put(pa, space, 1);
	put(pa + 1, 16, 1);
	put(pa + 4, address, 8);
}

/* MADT: two usable CPUs of the old kind, one off, one online-capable, one x2APIC, others. */
static void put_madt(void)
{
	static const u8 entries[] = {
		0, 8,  0,    0, 1,    0, 0,    0,		 /* APIC ID 0, enabled */
		0, 8,  1,    4, 1,    0, 0,    0,		 /* APIC ID 4, enabled */
		4, 6,  0xff, 0, 0,    1,			 /* an NMI: what follows is odd */
		0, 8,  2,    6, 0,    0, 0,    0,		 /* unusable */
		0, 8,  3,    8, 2,    0, 0,    0,		 /* online-capable */
		1, 12, 0,    0, 0,    0, 0xc0, 0xfe, 0, 0, 0, 0, /* an I/O APIC */
		8, 16, 0,    0, 1,    1, 1,    1,    1, 1, 1, 1, 1, 1, 1, 1, /* no processor */
		9, 16, 0,    0, 0x2c, 1, 0,    0,    1, 0, 0, 0, 9, 0, 0, 0, /* x2APIC ID 300 */
	};

	memcpy(memory + (MADT + 44 - BASE), entries, sizeof(entries));
	table(MADT, "APIC", 44 + sizeof(entries), 4);
}

#define MADT_LENGTH (44 + 8 + 8 + 6 + 8 + 8 + 12 + 16 + 16)

static void good_tables(void)
{
	static const char aml[] = "\x08_S0_\x12\x06\x04\x08_S3_\x12\x06\x04zz\x08\\_S1_\x12\x06"
				  "\x08_S4_\x12\x08_S5_\x12\x08_S2_\x11\x08XS3_\x12\x08_S3";

	exact = false;
	memset(memory, 0, SIZE);
	put_text(RSDP, "RSD PTR KEEL  ");
	put_text(RSDP, "RSD PTR ");
	put_text(RSDP + 9, "KEEL  ");
	put(RSDP + 15, 2, 1);
	put(RSDP + 16, RSDT, 4);
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, XSDT, 8);
	fix(RSDP, 20, 8);
	fix(RSDP, 36, 32);

	put(RSDT + 36, FADT, 4);
	put(RSDT + 40, MADT, 4);
	table(RSDT, "RSDT", 44, 1);
	put(XSDT + 36, FADT, 8);
	put(XSDT + 44, MADT, 8);
	put(XSDT + 52, SSDT, 8);
	table(XSDT, "XSDT", 60, 1);

	put(FADT + 40, DSDT, 4);
	put(FADT + 64, 0x604, 4);
	put(FADT + 68, 0, 4);
	put(FADT + 112, 1 << 10, 4);
	gas(FADT + 116, 1, 0xcf9);
	put(FADT + 128, 6, 1);
	put(FADT + 140, DSDT, 8);
	gas(FADT + 172, 1, 0x604);
	table(FADT, "FACP", 244, 5);

	memcpy(memory + (DSDT + 36 - BASE), aml, sizeof(aml) - 1);
	table(DSDT, "DSDT", 36 + sizeof(aml) - 1, 1);
	table(SSDT, "SSDT", 36, 1);
	put_madt();
}

static u64 address(const struct acpi_header *header)
{
	return header ? BASE + (u64)((const u8 *)header - memory) : 0;
}

static u64 find(const char *signature)
{
	return address(acpi_find(RSDP, signature, map));
}

static void the_tables_are_found(void **state)
{
	(void)state;
	good_tables();
	assert_int_equal(find("FACP"), FADT);
	assert_int_equal(find("APIC"), MADT);
	assert_int_equal(find("SSDT"), SSDT);
	assert_int_equal(find("DSDT"), DSDT);
	assert_int_equal(find("HPET"), 0);
	assert_int_equal(address(acpi_find(0, "FACP", map)), 0);
	assert_int_equal(address(acpi_find(RSDP + 16, "FACP", map)), 0);
	assert_int_equal(address(acpi_find(1ull << 40, "FACP", map)), 0);
}

/* The SSDT is in the XSDT only: it tells which of the two was used. */
static void the_xsdt_is_used_where_it_is_right(void **state)
{
	(void)state;
	good_tables();
	put(XSDT + 9, get(XSDT + 9, 1) + 1, 1);
	assert_int_equal(find("SSDT"), 0);
	assert_int_equal(find("APIC"), MADT);
	good_tables();
	put(RSDP + 24, 0, 8);
	fix(RSDP, 36, 32);
	assert_int_equal(find("SSDT"), 0);
	assert_int_equal(find("APIC"), MADT);
	/* An extended checksum that is wrong: only the first 20 bytes can be believed. */
	good_tables();
	put(RSDP + 32, get(RSDP + 32, 1) + 1, 1);
	assert_int_equal(find("SSDT"), 0);
	assert_int_equal(find("APIC"), MADT);
	good_tables();
	put(RSDP + 15, 0, 1);
	fix(RSDP, 20, 8);
	assert_int_equal(find("SSDT"), 0);
	assert_int_equal(find("APIC"), MADT);
	/* Lengths that are none. */
	for (u32 i = 0; i < ARRAY_SIZE(nasty); i++) {
		good_tables();
		put(RSDP + 20, nasty[i], 4);
		fix(RSDP, 36, 32);
		assert_int_equal(find("APIC"), MADT);
	}
	good_tables();
	put(RSDP + 15, 0, 1);
	fix(RSDP, 20, 8);
	/* Neither. */
	put(RSDT + 9, get(RSDT + 9, 1) + 1, 1);
	assert_int_equal(find("APIC"), 0);
	/* The first checksum. */
	good_tables();
	put(RSDP + 8, get(RSDP + 8, 1) + 1, 1);
	assert_int_equal(find("APIC"), 0);
}

static void a_table_with_a_wrong_checksum_is_not_found(void **state)
{
	(void)state;
	good_tables();
	put(MADT + 60, 0x77, 1);
	assert_int_equal(find("APIC"), 0);
	fix_table(MADT);
	assert_int_equal(find("APIC"), MADT);
}

static void lengths_are_bounded(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(nasty); i++) {
		good_tables();
		put(SSDT + 4, nasty[i], 4);
		if (nasty[i] >= 36 && nasty[i] <= BASE + SIZE - SSDT) {
			fix_table(SSDT);
			assert_int_equal(find("SSDT"), SSDT);
		} else {
			assert_int_equal(find("SSDT"), 0);
		}
	}
	/* Right up to what can be read, and not a byte further. */
	good_tables();
	put(SSDT + 4, BASE + SIZE - SSDT, 4);
	fix_table(SSDT);
	assert_int_equal(find("SSDT"), SSDT);
	put(SSDT + 4, BASE + SIZE - SSDT + 1, 4);
	assert_int_equal(find("SSDT"), 0);
}

/* A table that is all readable, and longer than any real one. */
static u8 huge[ACPI_TABLE_MAX_LEN + 16];

static void *map_huge(u64 pa, size_t len)
{
	if (pa >= BASE)
		return map(pa, len);
	return pa <= sizeof(huge) && len <= sizeof(huge) - pa ? huge + pa : NULL;
}

static void a_huge_table_is_refused(void **state)
{
	struct acpi_header *header = (void *)(huge + 8);

	(void)state;
	good_tables();
	put(XSDT + 52, 8, 8);
	fix_table(XSDT);
	memcpy(header->signature, "SSDT", 4);
	header->length = ACPI_TABLE_MAX_LEN;
	acpi_fix_checksum(header);
	assert_ptr_equal(acpi_find(RSDP, "SSDT", map_huge), header);
	header->length++;
	acpi_fix_checksum(header);
	assert_null(acpi_find(RSDP, "SSDT", map_huge));
}

static void the_rsdp_is_scanned_for(void **state)
{
	(void)state;
	good_tables();
	assert_int_equal(acpi_scan_rsdp(BASE, SIZE, map), RSDP);
	assert_int_equal(acpi_scan_rsdp(RSDP, 20, map), RSDP);
	assert_int_equal(acpi_scan_rsdp(RSDP, 19, map), 0);
	assert_int_equal(acpi_scan_rsdp(RSDP - 15, 35, map), RSDP);
	assert_int_equal(acpi_scan_rsdp(RSDP + 1, 0x1000, map), 0);
	assert_int_equal(acpi_scan_rsdp(BASE, 0, map), 0);
	assert_int_equal(acpi_scan_rsdp(0, 0x100000, map), RSDP);
	/* One with a wrong checksum before it. */
	put_text(RSDP - 64, "RSD PTR ");
	assert_int_equal(acpi_scan_rsdp(BASE, SIZE, map), RSDP);
	/* Not on a border of 16 bytes. */
	memmove(memory + (RSDP - BASE) + 8, memory + (RSDP - BASE), 36);
	memset(memory + (RSDP - BASE), 0, 8);
	assert_int_equal(acpi_scan_rsdp(BASE, SIZE, map), 0);
}

static void the_dsdt_comes_from_the_fadt(void **state)
{
	(void)state;
	good_tables();
	put(FADT + 40, 0, 4);
	fix_table(FADT);
	assert_int_equal(find("DSDT"), DSDT);
	good_tables();
	put(FADT + 140, 0, 8);
	fix_table(FADT);
	assert_int_equal(find("DSDT"), DSDT);
	/* A FADT of ACPI 1.0 has no X_DSDT; what lies behind it is none. */
	good_tables();
	put(FADT + 4, 116, 4);
	put(FADT + 140, SSDT, 8);
	fix_table(FADT);
	assert_int_equal(find("DSDT"), DSDT);
	/* Something that is no DSDT. */
	good_tables();
	put(FADT + 40, SSDT, 4);
	put(FADT + 140, SSDT, 8);
	fix_table(FADT);
	assert_int_equal(find("DSDT"), 0);
}

static struct acpi_power_ports ports(void)
{
	fix_table(FADT);
	return acpi_power_ports(RSDP, map);
}

static void power_ports_are_read(void **state)
{
	(void)state;
	good_tables();
	assert_int_equal(ports().pm1a_cnt, 0x604);
	assert_int_equal(ports().pm1b_cnt, 0);
	assert_int_equal(ports().reset, 0xcf9);
	/* The extended register is the one that counts. */
	gas(FADT + 172, 1, 0x1804);
	gas(FADT + 184, 1, 0x1904);
	assert_int_equal(ports().pm1a_cnt, 0x1804);
	assert_int_equal(ports().pm1b_cnt, 0x1904);
	/* In memory space, empty or out of range it is not. */
	gas(FADT + 172, 0, 0xfed00000);
	assert_int_equal(ports().pm1a_cnt, 0x604);
	gas(FADT + 172, 1, 0);
	assert_int_equal(ports().pm1a_cnt, 0x604);
	gas(FADT + 172, 1, 0x10000);
	assert_int_equal(ports().pm1a_cnt, 0x604);
	put(FADT + 64, 0x10604, 4);
	assert_int_equal(ports().pm1a_cnt, 0);
}

static void the_reset_port_needs_its_flag(void **state)
{
	(void)state;
	good_tables();
	put(FADT + 112, ~(1u << 10), 4);
	assert_int_equal(ports().reset, 0);
	good_tables();
	gas(FADT + 116, 0, 0xfed00000);
	assert_int_equal(ports().reset, 0);
	gas(FADT + 116, 1, 0x10cf9);
	assert_int_equal(ports().reset, 0);
	put(XSDT + 36, SSDT, 8);
	fix_table(XSDT);
	assert_int_equal(ports().pm1a_cnt, 0);
}

static void a_short_fadt_has_no_newer_fields(void **state)
{
	(void)state;
	for (u32 len = 36; len < 244; len++) {
		struct acpi_power_ports p;

		good_tables();
		put(FADT + 64, 0x404, 4);
		put(FADT + 4, len, 4);
		fix_table(FADT);
		exact = true;
		p = acpi_power_ports(RSDP, map);
		drop_copies();
		/* Fields that end behind the table may be read in part, never beyond it. */
		if (len >= 184)
			assert_int_equal(p.pm1a_cnt, 0x604);
		if (len <= 172)
			assert_int_equal(p.pm1a_cnt, len >= 66 ? 0x404 : len == 65 ? 4 : 0);
		if (len <= 112)
			assert_int_equal(p.reset, 0);
		if (len >= 128)
			assert_int_equal(p.reset, 0xcf9);
	}
}

/* --- MADT --- */

static struct {
	u32 calls;
	u32 id[8];
	u32 flags[8];
} cpus;

static void note_cpu(u32 apic_id, u32 *flags, void *arg)
{
	assert_ptr_equal(arg, &cpus);
	assert_true(cpus.calls < 8);
	cpus.id[cpus.calls] = apic_id;
	cpus.flags[cpus.calls++] = *flags;
}

static u32 list_cpus(void)
{
	memset(&cpus, 0, sizeof(cpus));
	return acpi_for_each_cpu((void *)(memory + (MADT - BASE)), note_cpu, &cpus);
}

static void usable_cpus_are_listed(void **state)
{
	static const u32 ids[] = {0, 4, 8, 300};
	static const u32 flags[] = {1, 1, 2, 1};

	(void)state;
	good_tables();
	assert_int_equal(list_cpus(), 4);
	assert_int_equal(cpus.calls, 4);
	assert_memory_equal(cpus.id, ids, sizeof(ids));
	assert_memory_equal(cpus.flags, flags, sizeof(flags));
}

/* All ones is broadcast in either mode; but 255 is an ID of x2APIC mode as another is. */
static void broadcast_is_no_cpu(void **state)
{
	(void)state;
	good_tables();
	put(MADT + 44 + 3, 0xff, 1);
	assert_int_equal(list_cpus(), 3);
	assert_int_equal(cpus.id[0], 4);
	put(MADT + MADT_LENGTH - 12, 0xff, 4);
	assert_int_equal(list_cpus(), 3);
	assert_int_equal(cpus.id[2], 0xff);
	put(MADT + MADT_LENGTH - 12, 0xffffffff, 4);
	assert_int_equal(list_cpus(), 2);
}

static void switch_off(u32 apic_id, u32 *flags, void *arg)
{
	(void)arg;
	if (apic_id)
		*flags &= ~3u;
}

static void cpus_can_be_switched_off(void **state)
{
	struct acpi_header *madt = (void *)(memory + (MADT - BASE));
	u8 before[MADT_LENGTH];

	(void)state;
	good_tables();
	memcpy(before, madt, sizeof(before));
	assert_int_equal(acpi_for_each_cpu(madt, switch_off, NULL), 4);
	acpi_fix_checksum(madt);
	assert_int_equal(find("APIC"), MADT);
	assert_int_equal(list_cpus(), 1);
	assert_int_equal(cpus.id[0], 0);
	/* Nothing but the three flags and the checksum. */
	before[9] = (u8)get(MADT + 9, 1);
	before[44 + 8 + 4] = 0;
	before[44 + 8 + 8 + 6 + 8 + 4] = 0;
	before[MADT_LENGTH - 8] = 0;
	assert_memory_equal(madt, before, sizeof(before));
}

static void count_cpu(u32 apic_id, u32 *flags, void *arg)
{
	(void)apic_id;
	(void)flags;
	++*(u32 *)arg;
}

/* Every byte of the MADT takes every value, cut where its length says. */
static void hostile_madts_do_no_harm(void **state)
{
	(void)state;
	for (u32 at = 4; at < MADT_LENGTH; at++) {
		for (u32 v = 0; v < 256; v++) {
			u32 calls = 0, counted, len;
			struct acpi_header *copy;

			if (at >= 5 && at < 8)
				continue; /* a length beyond the memory is acpi_find()'s concern */
			good_tables();
			put(MADT + at, v, 1);
			len = (u32)get(MADT + 4, 4);
			copy = exact_copy(memory + (MADT - BASE), len < 36 ? 36 : len);
			counted = acpi_for_each_cpu(copy, count_cpu, &calls);
			assert_int_equal(counted, calls);
			assert_true(calls <= 5);
			free(copy);
		}
	}
}

static bool madt_is_whole(void)
{
	return acpi_madt_is_whole((void *)(memory + (MADT - BASE)));
}

static void a_malformed_entry_ends_the_list(void **state)
{
	(void)state;
	good_tables();
	assert_true(madt_is_whole());
	/* Long enough for an entry, but not for its type. */
	put(MADT + 44 + 1, 7, 1);
	assert_false(madt_is_whole());
	good_tables();
	put(MADT + 44 + 8 + 1, 0, 1);
	assert_int_equal(list_cpus(), 1);
	assert_false(madt_is_whole());
	good_tables();
	put(MADT + 44 + 8 + 1, 1, 1);
	assert_int_equal(list_cpus(), 1);
	assert_false(madt_is_whole());
	good_tables();
	put(MADT + 44 + 8 + 1, 255, 1);
	assert_int_equal(list_cpus(), 1);
	assert_false(madt_is_whole());
	/* The last one is cut short. */
	for (u32 cut = 1; cut <= 16; cut++) {
		good_tables();
		put(MADT + 4, MADT_LENGTH - cut, 4);
		assert_int_equal(list_cpus(), 3);
		assert_int_equal(madt_is_whole(), cut == 16);
	}
}

static void the_number_of_cpus_is_bounded(void **state)
{
	struct acpi_header *madt = calloc(1, 44 + 8 * 2000);
	u8 *entry = (u8 *)madt + 44;
	u32 calls = 0;

	(void)state;
	assert_non_null(madt);
	madt->length = 44 + 8 * 2000;
	for (u32 i = 0; i < 2000; i++, entry += 8) {
		entry[1] = 8;
		entry[4] = 1;
	}
	assert_int_equal(acpi_for_each_cpu(madt, count_cpu, &calls), ACPI_CPUS_MAX);
	assert_int_equal(calls, ACPI_CPUS_MAX);
	assert_false(acpi_madt_is_whole(madt));
	free(madt);
}

/* --- sleep states --- */

static void sleep_states_are_hidden(void **state)
{
	static const char want[] = "\x08_S0_\x12\x06\x04\x08KS3_\x12\x06\x04zz\x08\\KS1_\x12\x06"
				   "\x08_S4_\x12\x08_S5_\x12\x08_S2_\x11\x08XS3_\x12\x08_S3";

	u8 types = 0;

	(void)state;
	good_tables();
	assert_int_equal(acpi_hide_sleep((void *)(memory + (DSDT - BASE)), &types), 2);
	assert_memory_equal(memory + (DSDT + 36 - BASE), want, sizeof(want) - 1);
	assert_int_equal(find("DSDT"), DSDT);
	assert_int_equal(acpi_hide_sleep((void *)(memory + (DSDT - BASE)), &types), 0);
}

/* SLP_TYPa as firmware writes it: ByteConst, Zero, One, a two-byte PkgLength; a name says nothing. */
static void sleep_types_are_read(void **state)
{
	static const struct {
		char code[16];
		u8 types;
	} cases[] = {
		{ "\x08_S3_\x12\x06\x04\x0a\x05\x0a\x05", 1 << 5 },
		{ "\x08_S3_\x12\x06\x04\x00\x00\x00\x00", 1 << 0 },
		{ "\x08_S1_\x12\x06\x04\x01\x01\x00\x00", 1 << 1 },
		{ "\x08_S2_\x12\x46\x00\x04\x0b\x02\x00\x00", 1 << 2 },
		{ "\x08_S3_\x12\x06\x04_FOO", 0 },
		{ "\x08_S5_\x12\x06\x04\x0a\x07\x0a\x07", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 table[sizeof(struct acpi_header) + sizeof(cases[i].code)] = {0};
		struct acpi_header *header;
		u8 types = 0;

		memcpy(table + sizeof(*header), cases[i].code, sizeof(cases[i].code));
		header = exact_copy(table, sizeof(table));
		header->length = sizeof(table);
		acpi_hide_sleep(header, &types);
		assert_int_equal(types, cases[i].types);
		free(header);
	}
}

/* Cut at every length: what lies behind is neither read nor changed. */
static void sleep_states_are_sought_inside_only(void **state)
{
	(void)state;
	good_tables();
	for (u32 len = 36; len < get(DSDT + 4, 4); len++) {
		struct acpi_header *copy = exact_copy(memory + (DSDT - BASE), len);
		u8 types = 0;

		copy->length = len;
		assert_int_equal(acpi_hide_sleep(copy, &types), (len >= 36 + 14) + (len >= 36 + 25));
		free(copy);
	}
}

/* --- the reset register --- */

static void the_reset_register_is_swapped(void **state)
{
	struct acpi_reset_reg ours = {ACPI_SPACE_IO, 0x64, 0xfe}, old = {0};

	(void)state;
	good_tables();
	assert_true(acpi_swap_reset_reg(RSDP, map, &ours, &old));
	assert_int_equal(old.space, ACPI_SPACE_IO);
	assert_int_equal(old.address, 0xcf9);
	assert_int_equal(old.value, 6);
	assert_int_equal(ports().reset, 0x64);
	assert_int_equal(get(FADT + 128, 1), 0xfe);
	assert_int_equal(get(FADT + 117, 1), 8);
	/* The checksum is right again. */
	good_tables();
	assert_true(acpi_swap_reset_reg(RSDP, map, &ours, &old));
	assert_int_equal(find("FACP"), FADT);
}

static void no_reset_register_is_left_alone(void **state)
{
	struct acpi_reset_reg ours = {ACPI_SPACE_IO, 0x64, 0xfe}, old = {0};
	static u8 before[SIZE];

	(void)state;
	good_tables();
	put(FADT + 112, 0, 4);
	fix_table(FADT);
	memcpy(before, memory, SIZE);
	assert_false(acpi_swap_reset_reg(RSDP, map, &ours, &old));
	assert_memory_equal(before, memory, SIZE);
	for (u32 len = 36; len < 129; len++) {
		good_tables();
		put(FADT + 4, len, 4);
		fix_table(FADT);
		memcpy(before, memory, SIZE);
		assert_false(acpi_swap_reset_reg(RSDP, map, &ours, &old));
		assert_memory_equal(before, memory, SIZE);
	}
}

/* --- anything goes --- */

/* Random damage with checksums put right again: all of the parser runs, inside what it mapped. */
static void damaged_tables_do_no_harm(void **state)
{
	static const u64 tables[] = {RSDT, XSDT, FADT, DSDT, MADT, SSDT};
	u32 found = 0;

	(void)state;
	for (u32 run = 0; run < 4000; run++) {
		good_tables();
		for (u32 n = 1 + random_below(4); n; n--) {
			u64 pa = random_below(4) ? tables[random_below(6)] : RSDP;

			put(pa + random_below(80), nasty[random_below(ARRAY_SIZE(nasty))],
			    1u << random_below(3));
		}
		for (u32 i = 0; i < 6 && random_below(8); i++) {
			u32 len = (u32)get(tables[i] + 4, 4);

			if (len >= 36 && len <= BASE + SIZE - tables[i])
				fix_table(tables[i]);
		}
		fix(RSDP, 20, 8);
		fix(RSDP, 36, 32);
		exact = true;
		found += acpi_find(RSDP, "APIC", map) != NULL;
		found += acpi_find(RSDP, "DSDT", map) != NULL;
		found += acpi_find(RSDP, "HPET", map) != NULL;
		acpi_power_ports(RSDP, map);
		drop_copies();
	}
	assert_true(found > 2000);
}

/* A root table of a megabyte whose entries all point to itself: bounded work. */
static void a_root_of_itself_ends(void **state)
{
	(void)state;
	good_tables();
	put(XSDT + 4, BASE + SIZE - XSDT, 4);
	for (u64 at = XSDT + 36; at + 8 <= BASE + SIZE; at += 8)
		put(at, XSDT, 8);
	fix_table(XSDT);
	put_text(RSDP, "RSD PTR ");
	map_calls = 0;
	acpi_find(RSDP, "APIC", map);
	assert_true(map_calls < SIZE / 8 + 16);
}

#define ROOM 0xf8000ull
#define OURS 0xfa000ull

static int add(size_t room, struct acpi_rsdp *changed)
{
	struct acpi_room r = {memory + (ROOM - BASE), ROOM, room};

	return acpi_add_table(RSDP, OURS, r, map, changed);
}

/* As the hypervisor does it: the changed RSDP over the firmware's. */
static void add_for_good(void)
{
	struct acpi_rsdp changed;

	acpi_make_header((void *)(memory + (OURS - BASE)), "KEEL", 100, 1);
	assert_int_equal(add(4096, &changed), 0);
	memcpy(memory + (RSDP - BASE), &changed, acpi_rsdp_bytes(&changed));
}

static void a_table_is_added_to_both_roots(void **state)
{
	(void)state;
	good_tables();
	add_for_good();
	assert_int_equal(find("KEEL"), OURS);
	assert_int_equal(find("FACP"), FADT);
	assert_int_equal(find("SSDT"), SSDT);
	assert_int_equal(find("DSDT"), DSDT);
	put(RSDP + 32, get(RSDP + 32, 1) + 1, 1); /* without the XSDT */
	assert_int_equal(find("KEEL"), OURS);
	assert_int_equal(find("SSDT"), 0);
	assert_int_equal(find("APIC"), MADT);
}

/* Revision 0 has 20 bytes: what lies behind them is not the RSDP's. */
static void a_table_is_added_to_an_old_rsdp(void **state)
{
	u8 behind[16];

	(void)state;
	good_tables();
	put(RSDP + 15, 0, 1);
	fix(RSDP, 20, 8);
	memset(memory + (RSDP + 20 - BASE), 0xa5, sizeof(behind));
	memset(behind, 0xa5, sizeof(behind));
	add_for_good();
	assert_int_equal(find("KEEL"), OURS);
	assert_int_equal(find("APIC"), MADT);
	assert_memory_equal(memory + (RSDP + 20 - BASE), behind, sizeof(behind));
}

static void half_an_entry_is_not_copied(void **state)
{
	(void)state;
	good_tables();
	put(XSDT + 4, 63, 4);
	fix_table(XSDT);
	add_for_good();
	assert_int_equal(find("KEEL"), OURS);
	assert_int_equal(find("SSDT"), SSDT);
}

static void nothing_is_added_to_nothing(void **state)
{
	struct acpi_rsdp changed;

	(void)state;
	good_tables();
	assert_int_equal(acpi_add_table(0, OURS, (struct acpi_room){0}, map, &changed), -ENOENT);
	put(RSDT + 9, get(RSDT + 9, 1) + 1, 1);
	put(XSDT + 9, get(XSDT + 9, 1) + 1, 1);
	assert_int_equal(add(4096, &changed), -ENOENT);
	put(RSDP + 8, get(RSDP + 8, 1) + 1, 1);
	assert_int_equal(add(4096, &changed), -ENOENT);
}

/* RSDT and XSDT with one more take 48 and 68 bytes, each rounded up to 16. */
static void the_room_is_bounded(void **state)
{
	struct acpi_rsdp changed;

	(void)state;
	good_tables();
	for (u32 room = 0; room < 48 + 80; room++)
		assert_int_equal(add(room, &changed), -ENOMEM);
	assert_int_equal(get(ROOM + 48 + 80, 8), 0);
	assert_int_equal(add(48 + 80, &changed), 0);
}

static void the_rsdt_names_32_bits(void **state)
{
	struct acpi_room room = {memory + (ROOM - BASE), ROOM, 4096};
	struct acpi_rsdp changed;

	(void)state;
	good_tables();
	assert_int_equal(acpi_add_table(RSDP, 1ull << 32, room, map, &changed), -ENOMEM);
	room.pa = 1ull << 32;
	assert_int_equal(acpi_add_table(RSDP, OURS, room, map, &changed), -ENOMEM);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_table_is_added_to_both_roots),
	cmocka_unit_test(a_table_is_added_to_an_old_rsdp),
	cmocka_unit_test(half_an_entry_is_not_copied),
	cmocka_unit_test(nothing_is_added_to_nothing),
	cmocka_unit_test(the_room_is_bounded),
	cmocka_unit_test(the_rsdt_names_32_bits),
	cmocka_unit_test(the_tables_are_found),
	cmocka_unit_test(the_xsdt_is_used_where_it_is_right),
	cmocka_unit_test(a_table_with_a_wrong_checksum_is_not_found),
	cmocka_unit_test(lengths_are_bounded),
	cmocka_unit_test(a_huge_table_is_refused),
	cmocka_unit_test(the_rsdp_is_scanned_for),
	cmocka_unit_test(the_dsdt_comes_from_the_fadt),
	cmocka_unit_test(power_ports_are_read),
	cmocka_unit_test(the_reset_port_needs_its_flag),
	cmocka_unit_test(a_short_fadt_has_no_newer_fields),
	cmocka_unit_test(usable_cpus_are_listed),
	cmocka_unit_test(broadcast_is_no_cpu),
	cmocka_unit_test(cpus_can_be_switched_off),
	cmocka_unit_test(hostile_madts_do_no_harm),
	cmocka_unit_test(a_malformed_entry_ends_the_list),
	cmocka_unit_test(the_number_of_cpus_is_bounded),
	cmocka_unit_test(sleep_states_are_hidden),
	cmocka_unit_test(sleep_states_are_sought_inside_only),
	cmocka_unit_test(sleep_types_are_read),
	cmocka_unit_test(the_reset_register_is_swapped),
	cmocka_unit_test(no_reset_register_is_left_alone),
	cmocka_unit_test(damaged_tables_do_no_harm),
	cmocka_unit_test(a_root_of_itself_ends),
};

TEST_MAIN(tests)
