/* SPDX-License-Identifier: BSD-2-Clause */
/* What all unit tests share. Include it first. */
#ifndef KEEL_TEST_H
#define KEEL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <keel/bits.h>
#include <keel/errno.h>
#include <keel/types.h>

/* The same numbers in every run: a failure can be repeated. */
static inline u64 random_u64(void)
{
	static u64 state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A number below @limit. */
static inline u32 random_below(u32 limit)
{
	return (u32)(random_u64() >> 32) % limit;
}

/* A copy that ends where the sanitizer sees any access behind it. */
static inline void *exact_copy(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

/* Values that break arithmetic on lengths. */
static const u32 nasty[] = {
	0,
	1,
	2,
	7,
	8,
	9,
	15,
	16,
	17,
	23,
	24,
	31,
	32,
	63,
	64,
	65,
	127,
	128,
	255,
	256,
	4095,
	4096,
	65535,
	65536,
	0x7ffffff0,
	0x7fffffff,
	0x80000000,
	1u << 20,
	(1u << 20) + 1,
	0xfffff000,
	0xfffffff0,
	0xfffffff7,
	0xfffffff8,
	0xfffffff9,
	0xfffffffe,
	0xffffffff,
};

/* A reason for the user: one sentence on one line. */
static inline void check_why(const char *why)
{
	assert_non_null(why);
	assert_true(strlen(why) > 10 && strlen(why) < 120);
	assert_null(strchr(why, '\n'));
	assert_int_equal(why[strlen(why) - 1], '.');
}

/*
 * Without arguments runs all of @tests, with --list names them, else runs those named. The runner
 * needs the names to select, and to notice tests that a crash has swallowed.
 */
static inline int test_main(int argc, char **argv, const struct CMUnitTest *tests, size_t count)
{
	struct CMUnitTest *chosen = calloc(count, sizeof(*tests));
	size_t n = 0;
	int status;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < count; i++)
			puts(tests[i].name);
		free(chosen);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		bool wanted = argc < 2;

		for (int k = 1; k < argc; k++)
			wanted |= !strcmp(argv[k], tests[i].name);
		if (wanted)
			chosen[n++] = tests[i];
	}
	status = _cmocka_run_group_tests("unit", chosen, n, NULL, NULL);
	free(chosen);
	return status;
}

#define TEST_MAIN(tests)                                                \
	int main(int argc, char **argv)                                 \
	{                                                               \
		return test_main(argc, argv, tests, ARRAY_SIZE(tests)); \
	}

#endif
