/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/string.c, compiled under other names, against the host's C library. */
#include "test.h"

void *keel_memcpy(void *dst, const void *src, size_t n);
void *keel_memmove(void *dst, const void *src, size_t n);
void *keel_memset(void *dst, int c, size_t n);
int keel_memcmp(const void *a, const void *b, size_t n);
size_t keel_strlen(const char *s);
size_t keel_strnlen(const char *s, size_t max);
int keel_strncmp(const char *a, const char *b, size_t n);

#define SPACE 4096u

static unsigned char ours[SPACE], theirs[SPACE];

static void fill(void)
{
	for (u32 i = 0; i < SPACE; i++)
		ours[i] = theirs[i] = (unsigned char)random_u64();
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

/* Every alignment of both sides, every length around the word sizes; all else stays. */
static void memcpy_copies_and_keeps_the_rest(void **state)
{
	(void)state;
	for (u32 to = 0; to < 9; to++) {
		for (u32 from = 0; from < 9; from++) {
			for (u32 n = 0; n < 70; n++) {
				fill();
				assert_ptr_equal(keel_memcpy(ours + to, ours + 2000 + from, n),
						 ours + to);
				memcpy(theirs + to, theirs + 2000 + from, n);
				assert_memory_equal(ours, theirs, SPACE);
			}
		}
	}
}

static void check_move(u32 to, u32 from, u32 n)
{
	fill();
	assert_ptr_equal(keel_memmove(ours + to, ours + from, n), ours + to);
	memmove(theirs + to, theirs + from, n);
	assert_memory_equal(ours, theirs, SPACE);
}

static void memmove_takes_overlaps_both_ways(void **state)
{
	static const u32 lengths[] = {0, 1, 3, 7, 8, 9, 31, 255, 256, 257, 600, 1023, 1500};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (u32 distance = 0; distance < 700; distance += distance < 20 ? 1 : 23) {
			check_move(1500 + distance, 1500, lengths[i]);
			check_move(1500 - distance, 1500, lengths[i]);
		}
	}
	for (u32 i = 0; i < 5000; i++)
		check_move(random_below(2000), random_below(2000), random_below(2000));
}

/* Around the distance where the method changes. */
static void memmove_takes_every_distance_up(void **state)
{
	(void)state;
	for (u32 distance = 240; distance < 280; distance++) {
		for (u32 n = distance - 3; n < 4 * distance; n += 37)
			check_move(distance, 0, n);
		check_move(distance, 0, distance * 3);
	}
}

static void memset_sets_and_keeps_the_rest(void **state)
{
	(void)state;
	for (u32 to = 0; to < 9; to++) {
		for (u32 n = 0; n < 200; n++) {
			int c = (int)random_u64();

			fill();
			assert_ptr_equal(keel_memset(ours + to, c, n), ours + to);
			memset(theirs + to, c, n);
			assert_memory_equal(ours, theirs, SPACE);
		}
	}
}

static void memcmp_orders_like_unsigned_bytes(void **state)
{
	(void)state;
	for (u32 i = 0; i < 20000; i++) {
		u32 n = random_below(40);

		fill();
		memcpy(ours + 100, ours, 40);
		if (n && random_below(4))
			ours[100 + random_below(40)] ^= (unsigned char)(1u << random_below(8));
		assert_int_equal(sign(keel_memcmp(ours, ours + 100, n)),
				 sign(memcmp(ours, ours + 100, n)));
	}
	assert_int_equal(keel_memcmp("a", "b", 0), 0);
	assert_true(keel_memcmp("\x80", "\x7f", 1) > 0);
}

static void strings_are_measured(void **state)
{
	(void)state;
	for (u32 n = 0; n < 100; n++) {
		char *s = malloc(n + 1);

		assert_non_null(s);
		memset(s, 'x', n);
		s[n] = '\0';
		assert_int_equal(keel_strlen(s), n);
		for (u32 max = 0; max < 110; max++)
			assert_int_equal(keel_strnlen(s, max), n < max ? n : max);
		free(s);
	}
}

/* A string without an end in its buffer: the sanitizer sees one byte too many. */
static void strnlen_stops_at_the_limit(void **state)
{
	char *s = exact_copy("abcdefgh", 8);

	(void)state;
	assert_int_equal(keel_strnlen(s, 8), 8);
	free(s);
}

static void strncmp_is_like_the_c_library(void **state)
{
	static const char *const words[] = {"",	 "a",	 "ab",	 "abc",	   "abd", "abcd",
					    "b", "\x80", "\xff", "ab\x80", "aB",  "abc "};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		for (u32 k = 0; k < ARRAY_SIZE(words); k++) {
			for (u32 n = 0; n < 6; n++)
				assert_int_equal(sign(keel_strncmp(words[i], words[k], n)),
						 sign(strncmp(words[i], words[k], n)));
		}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(memcpy_copies_and_keeps_the_rest),
	cmocka_unit_test(memmove_takes_overlaps_both_ways),
	cmocka_unit_test(memmove_takes_every_distance_up),
	cmocka_unit_test(memset_sets_and_keeps_the_rest),
	cmocka_unit_test(memcmp_orders_like_unsigned_bytes),
	cmocka_unit_test(strings_are_measured),
	cmocka_unit_test(strnlen_stops_at_the_limit),
	cmocka_unit_test(strncmp_is_like_the_c_library),
};

TEST_MAIN(tests)
