/* SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#include "lib/bios.h"

static struct range_list ram;

static void add(u64 start, u64 end, u32 type)
{
	assert_int_equal(range_add(&ram, start, end, type), 0);
}

/* A machine of @mib MiB below 4 GiB, with Keel at the top. */
static void machine(u64 mib)
{
	memset(&ram, 0, sizeof(ram));
	add(0, 0x9fc00, RANGE_USABLE);
	add(0x9fc00, KIB(640), RANGE_RESERVED);
	add(0xf0000, MIB(1), RANGE_RESERVED);
	add(MIB(1), MIB(mib), RANGE_USABLE);
	add(MIB(mib) - MIB(2), MIB(mib), RANGE_RESERVED);
	add(0xfffc0000, GIB(4), RANGE_RESERVED);
}

static void each_range_is_an_entry(void **state)
{
	static struct bios_e820 out[RANGE_MAX + 1];

	(void)state;
	machine(256);
	add(GIB(4), GIB(6), RANGE_USABLE);
	memset(out, 0xee, sizeof(out));
	bios_fill_e820(&ram, out);
	for (u32 i = 0; i < ram.count; i++) {
		assert_int_equal(out[i].start, ram.at[i].start);
		assert_int_equal(out[i].start + out[i].size, ram.at[i].end);
		assert_int_equal(out[i].type, ram.at[i].type);
		assert_int_equal(out[i].attributes, 1);
	}
	assert_int_equal(out[ram.count].type, 0xeeeeeeee);
	assert_int_equal(out[ram.count - 1].size, GIB(2));
	assert_int_equal(sizeof(out[0]), 24);
	assert_int_equal(offsetof(struct bios_e820, attributes), 20);
}

static void check_count(u16 low, u16 blocks, u16 extended)
{
	struct bios_sizes sizes = {1, 1, 1};

	bios_count(&ram, &sizes);
	assert_int_equal(sizes.kib_from_1m, low);
	assert_int_equal(sizes.blocks_from_16m, blocks);
	assert_int_equal(sizes.kib_extended, extended);
}

static void sizes_end_where_memory_does(void **state)
{
	(void)state;
	machine(256);
	check_count(0x3c00, (254 - 16) * 16, 0xffff);
	machine(48);
	check_count(0x3c00, (46 - 16) * 16, 45 * 1024);
	machine(16);
	check_count(13 * 1024, 0, 13 * 1024);
	machine(18);
	check_count(0x3c00, 0, 15 * 1024);
	machine(3);
	check_count(0, 0, 0);
	machine(4095);
	check_count(0x3c00, (4093 - 16) * 16, 0xffff);
}

static void sizes_of_odd_maps(void **state)
{
	(void)state;
	/* The hole of ISA times. */
	machine(256);
	assert_int_equal(range_set(&ram, MIB(15), MIB(16), RANGE_RESERVED), 0);
	check_count(14 * 1024, (254 - 16) * 16, 14 * 1024);
	/* Not a whole block, not a whole KiB. */
	machine(256);
	assert_int_equal(range_set(&ram, MIB(20) + 0xfa01, MIB(256), RANGE_RESERVED), 0);
	check_count(0x3c00, 4 * 16, 19 * 1024 + 62);
	/* RAM from 1 MiB to the end of what the numbers can say, and beyond. */
	memset(&ram, 0, sizeof(ram));
	add(0, GIB(64), RANGE_USABLE);
	check_count(0x3c00, 0xffff, 0xffff);
	memset(&ram, 0, sizeof(ram));
	check_count(0, 0, 0);
}

static void check_top(u16 kib, u64 size, u64 want)
{
	u64 place = 1;
	u64 top = kib && kib < 640 ? (u64)kib << 10 : KIB(640);

	assert_int_equal(bios_take_top(&ram, kib, size, &place), 0);
	assert_int_equal(place, want);
	assert_true(range_covered(&ram, 0, place, RANGE_USABLE));
	assert_true(range_covered(&ram, place, max_u64(place + size, top), RANGE_RESERVED));
}

static void the_top_is_taken(void **state)
{
	(void)state;
	machine(64);
	check_top(639, 0x800, 0x9f000);
	machine(64);
	check_top(639, 0xc00, 0x9f000);
	machine(64);
	check_top(639, 0xc01, 0x9e000);
	/* An extended BIOS data area that is not in the map. */
	machine(64);
	check_top(600, 0x800, 0x95000);
	/* What the data area says is nonsense. */
	machine(64);
	check_top(0, 0x800, 0x9f000);
	machine(64);
	check_top(0xffff, 0x800, 0x9f000);
}

static void there_may_be_no_room(void **state)
{
	u64 place;
	u32 count;

	(void)state;
	machine(64);
	assert_int_equal(range_set(&ram, KIB(64), KIB(640), RANGE_RESERVED), 0);
	count = ram.count;
	assert_int_equal(bios_take_top(&ram, 639, 0x800, &place), -ENOENT);
	assert_int_equal(ram.count, count);
	machine(64);
	assert_int_equal(bios_take_top(&ram, 60, 0x800, &place), -ENOENT);
}

static void other_types_above_stay(void **state)
{
	u64 place;

	(void)state;
	machine(64);
	assert_int_equal(range_set(&ram, 0x9e000, 0x9f000, RANGE_NVS), 0);
	assert_int_equal(range_set(&ram, 0x9f000, 0x9fc00, RANGE_RESERVED), 0);
	assert_int_equal(bios_take_top(&ram, 639, 0x800, &place), 0);
	assert_int_equal(place, 0x9d000);
	assert_true(range_covered(&ram, 0x9d000, 0x9e000, RANGE_RESERVED));
	assert_true(range_covered(&ram, 0x9e000, 0x9f000, RANGE_NVS));
}

static void check_drive(const char *word, int want)
{
	char *copy = exact_copy(word, strlen(word) + 1);
	u8 drive = 1;

	assert_int_equal(bios_drive(copy, &drive), want >= 0);
	assert_int_equal(drive, want >= 0 ? want : 1);
	free(copy);
}

static void drives_by_name(void **state)
{
	static const char *const bad[] = {
		"", "h", "hd", "hd ", "sd0", "hd-1", "hd0x", "hd128", "hd99999999999", "HD0", "hd0,1",
		"(hd0)", "0",
	};

	(void)state;
	check_drive("hd0", 0x80);
	check_drive("hd1", 0x81);
	check_drive("hd1 more", 0x81);
	check_drive("hd10\tmore", 0x8a);
	check_drive("hd127", 0xff);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		check_drive(bad[i], -1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_range_is_an_entry),
	cmocka_unit_test(sizes_end_where_memory_does),
	cmocka_unit_test(sizes_of_odd_maps),
	cmocka_unit_test(the_top_is_taken),
	cmocka_unit_test(there_may_be_no_room),
	cmocka_unit_test(other_types_above_stay),
	cmocka_unit_test(drives_by_name),
};

TEST_MAIN(tests)
