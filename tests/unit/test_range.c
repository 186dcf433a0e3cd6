/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/range.c against a model that holds the type of each unit of a small address space. */
#include "test.h"

#include "lib/range.h"

#define UNITS 600u
#define UNIT  0x1000ull
/* Around 4 GiB, where 32-bit arithmetic would show. */
#define BASE  (GIB(4) - UNITS / 2 * UNIT)

static u8 model[UNITS]; /* 0: in no range */
static struct range_list list;

static u64 at(u32 unit)
{
	return BASE + unit * UNIT;
}

static void start_empty(void)
{
	memset(model, 0, sizeof(model));
	memset(&list, 0, sizeof(list));
}

/* How many ranges the model needs. */
static u32 model_count(const u8 *m)
{
	u32 n = 0;

	for (u32 i = 0; i < UNITS; i++)
		n += m[i] && (i == 0 || m[i] != m[i - 1]);
	return n;
}

static void check_invariants(void)
{
	assert_true(list.count <= RANGE_MAX);
	for (u32 i = 0; i < list.count; i++) {
		const struct range *r = &list.at[i];

		assert_true(r->start < r->end);
		if (!i)
			continue;
		assert_true(r[-1].end <= r->start);
		assert_false(r[-1].end == r->start && r[-1].type == r->type);
	}
}

static void check_contents(void)
{
	u32 k = 0;

	for (u32 i = 0; i < UNITS; i++) {
		u32 type = 0;

		while (k < list.count && list.at[k].end <= at(i))
			k++;
		if (k < list.count && list.at[k].start <= at(i))
			type = list.at[k].type;
		assert_int_equal(type, model[i]);
	}
	assert_int_equal(list.count, model_count(model));
}

enum op { ADD, SET, REMOVE };

static u8 model_result(enum op op, u8 old, u8 type)
{
	if (op == REMOVE)
		return 0;
	if (op == SET || !old || old == RANGE_USABLE)
		return type;
	return type != RANGE_USABLE && type > old ? type : old;
}

/* Does @op in both worlds; returns whether it fitted. */
static bool step(enum op op, u32 from, u32 to, u8 type)
{
	struct range_list before = list;
	u8 next[UNITS];
	int error;

	memcpy(next, model, sizeof(next));
	for (u32 i = from; i < to; i++)
		next[i] = model_result(op, model[i], type);
	if (op == ADD)
		error = range_add(&list, at(from), at(to), type);
	else if (op == SET)
		error = range_set(&list, at(from), at(to), type);
	else
		error = range_remove(&list, at(from), at(to));
	if (model_count(next) > RANGE_MAX) {
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(list.count, before.count);
		assert_memory_equal(list.at, before.at, before.count * sizeof(before.at[0]));
		return false;
	}
	assert_int_equal(error, 0);
	memcpy(model, next, sizeof(next));
	check_invariants();
	return true;
}

static void random_changes_match_the_model(void **state)
{
	(void)state;
	for (u32 run = 0; run < 60; run++) {
		start_empty();
		for (u32 i = 0; i < 100; i++) {
			u32 from = random_below(UNITS + 1);
			u32 to = from + random_below(UNITS + 1 - from);

			step(random_below(3), from, to, (u8)(1 + random_below(5)));
			check_contents();
		}
	}
}

/* Many short ranges: the list gets full, and what does not fit changes nothing. */
static void a_full_list_matches_the_model(void **state)
{
	u32 full = 0;

	(void)state;
	for (u32 run = 0; run < 20; run++) {
		start_empty();
		for (u32 i = 0; i < 1500; i++) {
			u32 from = random_below(UNITS - 4);
			u32 length = random_below(50) ? 1 + random_below(3) : random_below(90);
			u32 to = from + length < UNITS ? from + length : UNITS;
			u32 choice = random_below(10);

			full += !step(choice < 5   ? ADD
				      : choice < 9 ? SET
						   : REMOVE,
				      from, to, (u8)(1 + random_below(5)));
			if (i % 10 == 0)
				check_contents();
		}
	}
	/* Otherwise this has not tested what it is for. */
	assert_true(full > 1000);
}

/* One addition that merges some ranges and splits others fits if its result does. */
static void an_addition_that_fits_in_the_end_fits(void **state)
{
	(void)state;
	start_empty();
	/* 62 pairs with a gap, a wide range with holes of a stronger type: 128 entries. */
	for (u32 i = 0; i < 62; i++)
		assert_true(step(SET, 200 + i * 2, 201 + i * 2, RANGE_USABLE));
	assert_true(step(SET, 0, 150, RANGE_USABLE));
	for (u32 i = 0; i < 32; i++)
		assert_true(step(SET, 2 + i * 4, 3 + i * 4, RANGE_UNUSABLE));
	assert_true(step(REMOVE, 149, 199, 0));
	while (list.count < RANGE_MAX)
		assert_true(step(SET, UNITS - 2 * (RANGE_MAX - list.count),
				 UNITS + 1 - 2 * (RANGE_MAX - list.count), RANGE_NVS));
	assert_true(step(ADD, 140, 330, RANGE_RESERVED));
	check_contents();
}

static void bad_arguments_change_nothing(void **state)
{
	(void)state;
	start_empty();
	step(SET, 10, 20, RANGE_USABLE);
	assert_int_equal(range_set(&list, 5, 4, 1), -EINVAL);
	assert_int_equal(range_add(&list, 5, 4, 1), -EINVAL);
	assert_int_equal(range_remove(&list, 5, 4), -EINVAL);
	assert_int_equal(range_set(&list, at(15), at(15), 2), 0);
	assert_int_equal(range_add(&list, at(15), at(15), 2), 0);
	assert_int_equal(range_remove(&list, at(15), at(15)), 0);
	check_contents();
}

static void the_whole_address_space_is_allowed(void **state)
{
	struct range_list whole = {0};
	u64 found;

	(void)state;
	assert_int_equal(range_add(&whole, 0, UINT64_MAX, RANGE_USABLE), 0);
	assert_int_equal(range_add(&whole, UINT64_MAX - 4096, UINT64_MAX, RANGE_RESERVED), 0);
	assert_int_equal(whole.count, 2);
	assert_int_equal(range_total(&whole, RANGE_USABLE, UINT64_MAX), UINT64_MAX - 4096);
	/* Alignment must not wrap to 0. */
	assert_int_equal(range_find_low(&whole, RANGE_USABLE, 1, 1ull << 63, (1ull << 63) + 1,
					UINT64_MAX, NULL, 0, &found),
			 -ENOENT);
	assert_int_equal(
		range_find_high(&whole, RANGE_USABLE, 4096, 4096, 0, UINT64_MAX, NULL, 0, &found),
		0);
	assert_int_equal(found, UINT64_MAX - 4095 - 2 * 4096);
	assert_int_equal(range_remove(&whole, 0, UINT64_MAX), 0);
	assert_int_equal(whole.count, 0);
}

static void random_list(void)
{
	start_empty();
	for (u32 i = 0; i < 12; i++) {
		u32 from = random_below(UNITS);

		step(SET, from, from + random_below(UNITS - from), (u8)(1 + random_below(3)));
	}
}

static void covered_and_total_match_the_model(void **state)
{
	(void)state;
	for (u32 run = 0; run < 100; run++) {
		random_list();
		for (u32 i = 0; i < 50; i++) {
			u32 from = random_below(UNITS);
			u32 to = from + random_below(i % 2 ? 20 : UNITS - from);
			u32 type = 1 + random_below(3);
			bool all = from < to;
			u64 sum = 0;

			to = to < UNITS ? to : UNITS;
			all = from < to;
			for (u32 k = from; k < to; k++)
				all = all && model[k] == type;
			assert_int_equal(range_covered(&list, at(from), at(to), type), all);
			for (u32 k = 0; k < to; k++)
				sum += model[k] == type ? UNIT : 0;
			assert_int_equal(range_total(&list, type, at(to)), sum);
		}
	}
	start_empty();
	step(SET, 10, 11, RANGE_USABLE);
	assert_int_equal(range_total(&list, RANGE_USABLE, at(10) + 5), 5);
	assert_false(range_covered(&list, at(10), at(10), RANGE_USABLE));
	assert_false(range_covered(&list, at(10), at(11) + 1, RANGE_USABLE));
	assert_false(range_covered(&list, at(10) - 1, at(11), RANGE_USABLE));
}

struct query {
	u32 type, size, align; /* in units */
	u32 min, max;
	struct range avoid[4];
	u32 n;
};

/* May the block start at @unit? */
static bool fits(const struct query *q, u32 unit)
{
	if (at(unit) % (q->align * UNIT) || unit < q->min || unit + q->size > q->max ||
	    unit + q->size > UNITS)
		return false;
	for (u32 k = unit; k < unit + q->size; k++) {
		if (model[k] != q->type)
			return false;
		for (u32 a = 0; a < q->n; a++) {
			if (q->avoid[a].start <= at(k) && at(k) < q->avoid[a].end)
				return false;
		}
	}
	return true;
}

static void random_query(struct query *q)
{
	q->type = 1 + random_below(2);
	q->size = 1 + random_below(30);
	q->align = 1u << random_below(6);
	q->min = random_below(4) ? 0 : random_below(UNITS);
	q->max = random_below(4) ? UNITS : random_below(UNITS);
	q->n = random_below(5);
	for (u32 i = 0; i < q->n; i++) {
		u32 from = random_below(UNITS);

		q->avoid[i].start = at(from);
		q->avoid[i].end = at(from + random_below(60));
		q->avoid[i].type = random_below(9);
	}
}

static void the_place_found_is_the_best_one(void **state)
{
	u32 hits = 0, misses = 0;

	(void)state;
	for (u32 run = 0; run < 3000; run++) {
		struct query q;
		u32 low = UNITS, high = UNITS;
		u64 found = 1;

		if (run % 10 == 0)
			random_list();
		random_query(&q);
		for (u32 k = 0; k < UNITS; k++) {
			if (!fits(&q, k))
				continue;
			low = low < UNITS ? low : k;
			high = k;
		}
		assert_int_equal(range_find_low(&list, q.type, q.size * UNIT, q.align * UNIT,
						at(q.min), at(q.max), q.avoid, q.n, &found),
				 low < UNITS ? 0 : -ENOENT);
		assert_int_equal(found, low < UNITS ? at(low) : 1);
		assert_int_equal(range_find_high(&list, q.type, q.size * UNIT, q.align * UNIT,
						 at(q.min), at(q.max), q.avoid, q.n, &found),
				 low < UNITS ? 0 : -ENOENT);
		assert_int_equal(found, low < UNITS ? at(high) : 1);
		hits += low < UNITS;
		misses += low == UNITS;
	}
	assert_true(hits > 300 && misses > 300);
}

static void bad_queries_are_refused(void **state)
{
	u64 found = 1;

	(void)state;
	start_empty();
	step(SET, 0, UNITS, RANGE_USABLE);
	assert_int_equal(range_find_low(&list, 1, 0, 1, 0, UINT64_MAX, NULL, 0, &found), -EINVAL);
	assert_int_equal(range_find_high(&list, 1, 0, 1, 0, UINT64_MAX, NULL, 0, &found), -EINVAL);
	assert_int_equal(range_find_low(&list, 1, 1, 0, 0, UINT64_MAX, NULL, 0, &found), -EINVAL);
	assert_int_equal(range_find_high(&list, 1, 1, 3, 0, UINT64_MAX, NULL, 0, &found), -EINVAL);
	assert_int_equal(range_find_low(&list, 1, 1, 1, at(9), at(9), NULL, 0, &found), -ENOENT);
	assert_int_equal(range_find_high(&list, 1, 1, 1, at(9), at(8), NULL, 0, &found), -ENOENT);
	assert_int_equal(range_find_high(&list, 1, UINT64_MAX, 1, 0, UINT64_MAX, NULL, 0, &found),
			 -ENOENT);
	assert_int_equal(found, 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(random_changes_match_the_model),
	cmocka_unit_test(a_full_list_matches_the_model),
	cmocka_unit_test(an_addition_that_fits_in_the_end_fits),
	cmocka_unit_test(bad_arguments_change_nothing),
	cmocka_unit_test(the_whole_address_space_is_allowed),
	cmocka_unit_test(covered_and_total_match_the_model),
	cmocka_unit_test(the_place_found_is_the_best_one),
	cmocka_unit_test(bad_queries_are_refused),
};

TEST_MAIN(tests)
