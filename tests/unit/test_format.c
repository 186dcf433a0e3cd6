/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/format.c against the host's snprintf(). */
#include "test.h"

#include "lib/format.h"

/* The same text and the same length, also where the buffer is too short, and no byte behind it. */
#define same(...)                                                                                  \
	do {                                                                                       \
		char want[512], *got;                                                              \
		int len = snprintf(want, sizeof(want), __VA_ARGS__);                               \
		for (size_t size = 0; size < (size_t)len + 3; size++) {                            \
			got = exact_copy(want, size);                                              \
			memset(got, '#', size);                                                    \
			assert_int_equal(keel_snprintf(got, size, __VA_ARGS__), len);              \
			if (size) {                                                                \
				assert_memory_equal(got, want,                                     \
						    size <= (size_t)len ? size - 1 : (size_t)len); \
				assert_int_equal(                                                  \
					got[size <= (size_t)len ? size - 1 : (size_t)len], 0);     \
			}                                                                          \
			free(got);                                                                 \
		}                                                                                  \
	} while (0)

static void plain_text_and_percent(void **state)
{
	(void)state;
	same("%s", "");
	same("hello");
	same("100%% of %s", "it");
}

static void characters_and_strings(void **state)
{
	char *unterminated = exact_copy("abcdef", 6);

	(void)state;
	same("[%c][%3c][%-3c]", 'a', 'b', 'c');
	same("[%s][%10s][%-10s][%2s]", "text", "right", "left", "longer");
	same("[%.3s][%.0s][%10.2s][%-10.2s][%.9s]", "abcdef", "abc", "abc", "abc", "abc");
	same("[%.*s][%.*s][%.*s]", 2, "abc", 0, "abc", -1, "abc");
	same("[%.*s]", 6, unterminated);
	free(unterminated);
}

static const u64 numbers[] = {
	0,
	1,
	7,
	9,
	10,
	15,
	16,
	99,
	100,
	255,
	256,
	999,
	65535,
	65536,
	1000000,
	0x7fffffff,
	0x80000000,
	0x80000001,
	0xffffffff,
	1ull << 32,
	(1ull << 32) + 1,
	0x123456789abcdefull,
	9999999999999999999ull,
	10000000000000000000ull,
	INT64_MAX,
	1ull << 63,
	(1ull << 63) + 1,
	UINT64_MAX - 1,
	UINT64_MAX,
};

static void check_number(u64 v)
{
	same("%d %i %u %x", (int)v, (int)v, (u32)v, (u32)v);
	same("%ld %li %lu %lx", (long)v, (long)v, (unsigned long)v, (unsigned long)v);
	same("%lld %lli", (long long)v, (long long)v);
	same("%llu %llx", (unsigned long long)v, (unsigned long long)v);
	same("%zu %zx", (size_t)v, (size_t)v);
}

static void integers_of_every_length(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		check_number(numbers[i]);
		check_number(0 - numbers[i]);
	}
	for (u32 i = 0; i < 300; i++)
		check_number(random_u64() >> random_below(64));
}

static void widths_and_flags(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		long long v = (long long)numbers[i];
		long long negative = (long long)(0 - numbers[i]);

		same("[%1lld][%8lld][%-8lld][%08lld]", v, v, v, v);
		same("[%25lld][%-25lld][%025lld]", negative, negative, negative);
		same("[%1llx][%16llx][%-16llx][%016llx][%2llx]", v, v, v, v, v);
		same("[%.5lld][%12.5lld][%-12.5lld][%.0lld]", v, v, v, v);
		same("[%8d][%-8d][%08d]", (int)v, (int)v, (int)v);
	}
}

static void pointers(void **state)
{
	char text[32];

	(void)state;
	same("%p", (void *)16);
	same("[%20p][%-20p]", (void *)0x1234abcd, (void *)0x1234abcd);
	same("%p", (void *)UINTPTR_MAX);
	assert_int_equal(keel_snprintf(text, sizeof(text), "%p", (void *)0), 3);
	assert_string_equal(text, "0x0");
}

/* What the C library leaves undefined: Keel shows that something is wrong and goes on. */
static void unknown_conversions_stand(void **state)
{
	static const char *const formats[] = {"%q",  "a%kb", "%",   "x%",   "%5",  "%-",
					      "%ll", "%.",   "%.3", "%y%%", "%!%", "100 %"};
	static const char *const results[] = {"%q",  "a%kb", "%",   "x%",  "%5",  "%-",
					      "%ll", "%.",   "%.3", "%y%", "%!%", "100 %"};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(formats); i++) {
		const char *volatile hidden = formats[i]; /* from the compiler's checks */
		char *format = exact_copy(hidden, strlen(hidden) + 1);
		char text[32];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
		int len = keel_snprintf(text, sizeof(text), format);
#pragma GCC diagnostic pop
		assert_string_equal(text, results[i]);
		assert_int_equal(len, strlen(results[i]));
		free(format);
	}
}

static void a_null_string_is_named(void **state)
{
	const char *volatile nothing = NULL;
	char text[32];

	(void)state;
	assert_int_equal(keel_snprintf(text, sizeof(text), "<%s>", nothing), 8);
	assert_string_equal(text, "<(null)>");
}

static void an_absurd_width_does_no_harm(void **state)
{
	char text[8];

	(void)state;
	assert_true(keel_snprintf(text, sizeof(text), "%100000d", 1) >= 100000);
	assert_string_equal(text, "       ");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(plain_text_and_percent),
	cmocka_unit_test(characters_and_strings),
	cmocka_unit_test(integers_of_every_length),
	cmocka_unit_test(widths_and_flags),
	cmocka_unit_test(pointers),
	cmocka_unit_test(unknown_conversions_stand),
	cmocka_unit_test(a_null_string_is_named),
	cmocka_unit_test(an_absurd_width_does_no_harm),
};

TEST_MAIN(tests)
