/* SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#include "lib/cmdline.h"

static const char *get(const char *line, const char *key)
{
	static char value[16];
	char *copy = exact_copy(line, strlen(line) + 1);
	bool found;

	memset(value, '#', sizeof(value));
	found = cmdline_get(copy, key, value, sizeof(value));
	free(copy);
	return found ? value : NULL;
}

static void values_are_found(void **state)
{
	(void)state;
	assert_string_equal(get("a=1 b=two c", "a"), "1");
	assert_string_equal(get("a=1 b=two c", "b"), "two");
	assert_string_equal(get("a=1 b=two c", "c"), "");
	assert_string_equal(get("  a=1\tb=x=y\r\n c=9", "b"), "x=y");
	assert_string_equal(get("a=1\nb", "b"), "");
	assert_string_equal(get("a=", "a"), "");
}

static void what_is_not_there_is_not_found(void **state)
{
	(void)state;
	assert_null(get("", "a"));
	assert_null(get("   ", "a"));
	assert_null(get("abc=1 xa=2 b=a", "a"));
	assert_null(get("ab", "abc"));
	assert_null(get("A=1", "a"));
	assert_null(get("=1", "a"));
}

static void the_last_one_counts(void **state)
{
	(void)state;
	assert_string_equal(get("log=1 log=2", "log"), "2");
	assert_string_equal(get("log=1 log", "log"), "");
	assert_string_equal(get("log=1 logs=2", "log"), "1");
}

static void a_value_must_fit(void **state)
{
	char value[4] = "###";

	(void)state;
	assert_string_equal(get("k=123456789012345", "k"), "123456789012345");
	assert_null(get("k=1234567890123456", "k"));
	assert_true(cmdline_get("k", "k", value, 1));
	assert_int_equal(value[0], '\0');
	assert_false(cmdline_get("k", "k", value, 0));
	assert_int_equal(value[1], '#');
}

static void numbers_are_read(void **state)
{
	static const struct {
		const char *text;
		u64 value;
	} good[] = {
		{"n=0", 0},
		{"n=42", 42},
		{"n=0042", 42},
		{"n=0x2a", 42},
		{"n=0X2A", 42},
		{"n=0xfFaA09", 0xffaa09},
		{"n=18446744073709551615", UINT64_MAX},
		{"n=0xffffffffffffffff", UINT64_MAX},
		{"n=0x0000000000000000000000001", 1},
		{"n=18446744073709551609", UINT64_MAX - 6},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(good); i++) {
		u64 value = 77;

		assert_true(cmdline_get_u64(good[i].text, "n", &value));
		assert_int_equal(value, good[i].value);
	}
}

static void bad_numbers_are_refused(void **state)
{
	static const char *const bad[] = {
		"n",
		"n=",
		"n=x",
		"n=0x",
		"n=-1",
		"n=+1",
		"n=1a",
		"n=0xg",
		"m=1",
		"n=0x1x",
		"n=18446744073709551616",
		"n=0x10000000000000000",
		"n=18446744073709551620",
		"n=99999999999999999999999",
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		u64 value = 77;

		assert_false(cmdline_get_u64(bad[i], "n", &value));
		assert_int_equal(value, 77);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(values_are_found),    cmocka_unit_test(what_is_not_there_is_not_found),
	cmocka_unit_test(the_last_one_counts), cmocka_unit_test(a_value_must_fit),
	cmocka_unit_test(numbers_are_read),    cmocka_unit_test(bad_numbers_are_refused),
};

TEST_MAIN(tests)
