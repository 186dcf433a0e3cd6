/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/tally.c: every key is counted once, where a reader finds it. */
#include "test.h"

#include "lib/tally.h"

#define SLOTS 32

static struct keel_tally slots[SLOTS];
static struct keel_live lost;

static void clear(void)
{
	for (u32 i = 0; i < SLOTS; i++) {
		live_set(&slots[i].key, 0);
		live_set(&slots[i].count, 0);
	}
	live_set(&lost, 0);
}

static void count(u64 key)
{
	tally_count(slots, SLOTS, key, &lost);
}

static u64 counted(u64 key)
{
	u64 n = 0;

	for (u32 i = 0; i < SLOTS; i++) {
		assert_int_equal(slots[i].key.value, ~slots[i].key.inverse);
		assert_int_equal(slots[i].count.value, ~slots[i].count.inverse);
		if (slots[i].count.value && slots[i].key.value == key)
			n = n ? UINT64_MAX : slots[i].count.value; /* a key has one slot */
	}
	return n;
}

static void keys_are_counted(void **state)
{
	static const u64 keys[] = {0, 1, 0x830, 0xc0000080, 0xfee00000, 0x380000000ull, UINT64_MAX};

	(void)state;
	clear();
	for (u32 round = 1; round <= 300; round++) {
		for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
			count(keys[i]);
		for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
			assert_int_equal(counted(keys[i]), round);
	}
	assert_int_equal(lost.value, 0);
}

static void a_full_table_loses_new_keys_only(void **state)
{
	(void)state;
	clear();
	for (u64 key = 0; key < 2 * SLOTS; key++)
		count(key / 2 << 12);
	assert_int_equal(lost.value, 0);
	for (u64 key = 0; key < 2 * SLOTS; key++)
		count(key << 12);
	for (u64 key = 0; key < SLOTS; key++)
		assert_int_equal(counted(key << 12), 3);
	assert_int_equal(lost.value, SLOTS);
	assert_int_equal(lost.value, ~lost.inverse);
}

/* Linux looks at 256 CPUID leaves for a hypervisor, once each. */
static void a_scan_leaves_room(void **state)
{
	u64 sum = 0;

	(void)state;
	clear();
	for (u64 key = 0; key < 256; key++)
		count(0x40000000 + 0x100 * key);
	for (u32 round = 0; round < 10; round++) {
		count(7);
		count(0xd);
	}
	for (u32 i = 0; i < SLOTS; i++)
		sum += slots[i].count.value;
	assert_true(counted(7) >= 8);
	assert_true(counted(0xd) >= 8);
	assert_int_equal(sum + lost.value, 256 + 20);
}

/* As vmx/fast.c has it for a key that assembly counts. */
static void a_slot_is_kept_for_its_key(void **state)
{
	struct keel_tally *kept = &slots[(u32)(7 * TALLY_FACTOR) >> (32 - __builtin_ctz(SLOTS))];

	(void)state;
	clear();
	live_set(&kept->key, 7);
	for (u64 key = 0; key < 2 * SLOTS; key++) {
		count(0x100 + key);
		count(0x100 + key);
	}
	assert_int_equal(kept->key.value, 7);
	assert_int_equal(kept->count.value, 0);
	count(7);
	assert_int_equal(kept->count.value, 1);
	assert_int_equal(counted(7), 1);
}

/* What an ACPI checksum adds up never changes. */
static void the_sum_of_all_bytes_stays(void **state)
{
	const u8 *bytes = (const u8 *)slots;
	u8 first = 0;

	(void)state;
	clear();
	for (u32 round = 0; round < 2000; round++) {
		u8 sum = 0;

		for (size_t i = 0; i < sizeof(slots); i++)
			sum = (u8)(sum + bytes[i]);
		if (!round)
			first = sum;
		assert_int_equal(sum, first);
		count(random_u64() >> random_below(64));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(keys_are_counted),
	cmocka_unit_test(a_full_table_loses_new_keys_only),
	cmocka_unit_test(a_scan_leaves_room),
	cmocka_unit_test(a_slot_is_kept_for_its_key),
	cmocka_unit_test(the_sum_of_all_bytes_stays),
};

TEST_MAIN(tests)
