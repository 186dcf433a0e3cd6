/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/mtrr.c against the manual's rules applied to one address at a time. */
#include "test.h"

#include "lib/mtrr.h"

#define V  MTRR_PHYSMASK_V
#define ON (MTRR_DEF_TYPE_E | MTRR_DEF_TYPE_FE)

/* SDM volume 3, table 12-9, as text: where each byte of each fixed MSR's range starts. */
static u32 fixed_start(u32 msr, u32 byte)
{
	static const u32 first[MTRR_FIXED_MSRS] = {0x00000, 0x80000, 0xa0000, 0xc0000,
						   0xc8000, 0xd0000, 0xd8000, 0xe0000,
						   0xe8000, 0xf0000, 0xf8000};
	static const u32 size[MTRR_FIXED_MSRS] = {0x10000, 0x4000, 0x4000, 0x1000, 0x1000, 0x1000,
						  0x1000,  0x1000, 0x1000, 0x1000, 0x1000};

	return first[msr] + byte * size[msr];
}

static u8 valid_type(u64 type)
{
	return type == MEM_WC || type == MEM_WT || type == MEM_WP || type == MEM_WB ? (u8)type : 0;
}

static u8 model_fixed(const struct mtrr_state *m, u64 pa)
{
	u8 type = 0;

	for (u32 msr = 0; msr < MTRR_FIXED_MSRS; msr++) {
		for (u32 byte = 0; byte < 8; byte++) {
			if (fixed_start(msr, byte) <= pa)
				type = (u8)(m->fixed[msr] >> (byte * 8));
		}
	}
	return valid_type(type);
}

static u8 model_type(const struct mtrr_state *m, u64 pa)
{
	u64 bits = ((1ull << m->phys_bits) - 1) & ~0xfffull;
	u32 seen = 0, hits[8] = {0};

	if (!(m->def_type & MTRR_DEF_TYPE_E))
		return MEM_UC;
	if (pa < MIB(1) && (m->cap & MTRRCAP_FIX) && (m->def_type & MTRR_DEF_TYPE_FE))
		return model_fixed(m, pa);
	for (u32 i = 0; i < (m->cap & 0xff) && i < MTRR_VARIABLE_MAX; i++) {
		u64 mask = m->variable[i].mask & bits;

		if (!(m->variable[i].mask & V) || (pa & mask) != (m->variable[i].base & mask))
			continue;
		seen++;
		hits[valid_type(m->variable[i].base & 0xff)]++;
	}
	if (!seen)
		return valid_type(m->def_type & 0xff);
	for (u32 type = 0; type < 8; type++) {
		if (hits[type] == seen)
			return (u8)type;
	}
	return hits[MEM_WT] && hits[MEM_WT] + hits[MEM_WB] == seen ? MEM_WT : MEM_UC;
}

static struct mtrr_state empty(u64 def_type, u8 phys_bits)
{
	return (struct mtrr_state){
		.cap = MTRRCAP_FIX | 10, .def_type = def_type, .phys_bits = phys_bits};
}

static void set(struct mtrr_state *m, u32 i, u64 base, u64 size, u8 type)
{
	m->variable[i].base = base | type;
	m->variable[i].mask = (((1ull << m->phys_bits) - 1) & ~(size - 1)) | V;
}

/* At @pa the type is right, and right up to the end that is told. */
static u64 check_at(const struct mtrr_state *m, u64 pa)
{
	u8 type = model_type(m, pa);
	u64 end = 0;

	assert_int_equal(mtrr_type(m, pa, &end), type);
	assert_int_equal(mtrr_type(m, pa, NULL), type);
	assert_true(end > pa && end % PAGE_SIZE == 0 && end <= 1ull << m->phys_bits);
	assert_int_equal(model_type(m, end - 1), type);
	for (u32 i = 0; i < 20; i++)
		assert_int_equal(model_type(m, pa + random_u64() % (end - pa)), type);
	return end;
}

/* Walks all of the address space; returns the number of steps. */
static u32 walk(const struct mtrr_state *m)
{
	u32 steps = 0;

	for (u64 pa = 0; pa < 1ull << m->phys_bits; steps++)
		pa = check_at(m, pa);
	return steps;
}

static void switched_off_is_uncached(void **state)
{
	struct mtrr_state m = empty(MEM_WB | MTRR_DEF_TYPE_FE, 36);
	u64 end;

	(void)state;
	set(&m, 0, 0, GIB(4), MEM_WB);
	memset(m.fixed, MEM_WB, sizeof(m.fixed));
	assert_int_equal(mtrr_type(&m, 0, &end), MEM_UC);
	assert_int_equal(end, 1ull << 36);
	/* No MTRRs at all. */
	m = (struct mtrr_state){.phys_bits = 40};
	assert_int_equal(mtrr_type(&m, GIB(3), &end), MEM_UC);
	assert_int_equal(end, 1ull << 40);
}

static void the_default_type_fills_the_gaps(void **state)
{
	(void)state;
	for (u32 type = 0; type < 256; type++) {
		struct mtrr_state m = empty(type | MTRR_DEF_TYPE_E, 40);
		u64 end;

		assert_int_equal(mtrr_type(&m, 0, &end), valid_type(type));
		assert_int_equal(end, 1ull << 40);
	}
}

static void fixed_ranges_follow_the_table(void **state)
{
	static const u8 types[] = {MEM_UC, MEM_WC, MEM_WT, MEM_WP, MEM_WB, 2, 3, 7, 0xff};
	struct mtrr_state m = empty(MEM_WB | ON, 36);

	(void)state;
	for (u32 run = 0; run < 50; run++) {
		for (u32 i = 0; i < sizeof(m.fixed); i++)
			((u8 *)m.fixed)[i] = types[random_below(sizeof(types))];
		for (u64 pa = 0; pa < MIB(1) + 0x10000; pa += PAGE_SIZE)
			check_at(&m, pa + random_below(PAGE_SIZE));
	}
	assert_true(walk(&m) <= 88 + 1);
	/* Each range by itself. */
	memset(m.fixed, 0, sizeof(m.fixed));
	for (u32 i = 0; i < 88; i++) {
		u64 end, start = fixed_start(i / 8, i % 8);

		m.fixed[i / 8] = (u64)MEM_WT << (i % 8 * 8);
		assert_int_equal(mtrr_type(&m, start, &end), MEM_WT);
		assert_int_equal(end, i < 87 ? fixed_start((i + 1) / 8, (i + 1) % 8) : MIB(1));
		assert_int_equal(mtrr_type(&m, end, NULL), i < 87 ? MEM_UC : MEM_WB);
		if (start)
			assert_int_equal(mtrr_type(&m, start - 1, NULL), MEM_UC);
		m.fixed[i / 8] = 0;
	}
}

static void fixed_ranges_need_both_switches(void **state)
{
	struct mtrr_state m = empty(MEM_WC | ON, 36);

	(void)state;
	memset(m.fixed, MEM_WP, sizeof(m.fixed));
	assert_int_equal(mtrr_type(&m, 0x1000, NULL), MEM_WP);
	m.def_type &= ~(u64)MTRR_DEF_TYPE_FE;
	assert_int_equal(mtrr_type(&m, 0x1000, NULL), MEM_WC);
	m.def_type |= MTRR_DEF_TYPE_FE;
	m.cap &= ~(u64)MTRRCAP_FIX;
	assert_int_equal(mtrr_type(&m, 0x1000, NULL), MEM_WC);
}

/* SDM volume 3, 12.11.4.1, every pair of types. */
static void overlaps_combine_as_the_manual_says(void **state)
{
	static const u8 types[] = {MEM_UC, MEM_WC, MEM_WT, MEM_WP, MEM_WB};

	(void)state;
	for (u32 a = 0; a < 5; a++) {
		for (u32 b = 0; b < 5; b++) {
			struct mtrr_state m = empty(MEM_WP | MTRR_DEF_TYPE_E, 36);
			u8 both = MEM_UC;
			u64 end;

			if (a == b)
				both = types[a];
			else if (types[a] + types[b] == MEM_WT + MEM_WB && types[a] && types[b])
				both = MEM_WT;
			set(&m, 3, 0, GIB(2), types[a]);
			set(&m, 7, GIB(1), GIB(1), types[b]);
			assert_int_equal(mtrr_type(&m, 0, &end), types[a]);
			assert_int_equal(end, GIB(1));
			assert_int_equal(mtrr_type(&m, GIB(1), &end), both);
			assert_int_equal(end, GIB(2));
			assert_int_equal(mtrr_type(&m, GIB(2), &end), MEM_WP);
			assert_int_equal(end, 1ull << 36);
		}
	}
}

static void only_counted_and_valid_ranges_matter(void **state)
{
	struct mtrr_state m = empty(MEM_WB | MTRR_DEF_TYPE_E, 36);

	(void)state;
	m.cap = 2;
	set(&m, 1, GIB(3), GIB(1), MEM_UC);
	set(&m, 2, 0, GIB(1), MEM_UC);
	assert_int_equal(mtrr_type(&m, GIB(3), NULL), MEM_UC);
	assert_int_equal(mtrr_type(&m, 0, NULL), MEM_WB);
	m.variable[1].mask &= ~(u64)V;
	assert_int_equal(mtrr_type(&m, GIB(3), NULL), MEM_WB);
	/* More ranges than the snapshot can hold. */
	m.cap = 255;
	assert_int_equal(mtrr_type(&m, 0, NULL), MEM_UC);
	walk(&m);
}

static void bits_above_the_address_width_are_ignored(void **state)
{
	struct mtrr_state m = empty(MEM_WB | MTRR_DEF_TYPE_E, 36);
	u64 end;

	(void)state;
	m.variable[0].base = GIB(3) | MEM_UC | 0xff00000000000000ull | 1ull << 40;
	m.variable[0].mask = ~(GIB(1) - 1) | V;
	assert_int_equal(mtrr_type(&m, GIB(3), &end), MEM_UC);
	assert_int_equal(end, GIB(4));
	assert_int_equal(mtrr_type(&m, GIB(2), &end), MEM_WB);
	assert_int_equal(end, GIB(3));
	/* Addresses that do not exist. */
	assert_int_equal(mtrr_type(&m, 1ull << 36, &end), MEM_UC);
	assert_int_equal(end, (1ull << 36) + PAGE_SIZE);
	assert_int_equal(mtrr_type(&m, UINT64_MAX, &end), MEM_UC);
	assert_int_equal(end, UINT64_MAX);
}

static void random_ordinary_maps_match_the_model(void **state)
{
	static const u8 types[] = {MEM_UC, MEM_WC, MEM_WT, MEM_WP, MEM_WB, 3};

	(void)state;
	for (u32 run = 0; run < 300; run++) {
		struct mtrr_state m = empty(types[random_below(6)] | MTRR_DEF_TYPE_E, 36);
		u32 n = random_below(9);

		m.phys_bits = (u8)(32 + random_below(21));
		if (random_below(2))
			m.def_type |= MTRR_DEF_TYPE_FE;
		for (u32 i = 0; i < sizeof(m.fixed); i++)
			((u8 *)m.fixed)[i] = types[random_below(6)];
		for (u32 i = 0; i < n; i++) {
			u64 size = 1ull << (12 + random_below(m.phys_bits - 12u));
			u64 base = random_u64() & ((1ull << m.phys_bits) - 1) & ~(size - 1);

			set(&m, i, base, size, types[random_below(6)]);
		}
		/* Every border is a step, and there are few others. */
		assert_true(walk(&m) <= 88 + 2 * n + 1);
	}
}

/* Masks with holes and bases outside their masks, over 4096 blocks of 1 MiB. */
static void ragged_masks_match_the_model(void **state)
{
	(void)state;
	for (u32 run = 0; run < 200; run++) {
		struct mtrr_state m = empty(MEM_WB | MTRR_DEF_TYPE_E, 32);
		u32 n = 1 + random_below(4);
		u8 types[4096];
		u64 pa;

		for (u32 i = 0; i < n; i++) {
			m.variable[i].base = (random_u64() & 0xfff00000u) | random_below(8);
			m.variable[i].mask = (random_u64() & random_u64() & 0xfff00000u) | V;
		}
		for (u32 i = 0; i < 4096; i++)
			types[i] = model_type(&m, i * MIB(1));
		for (pa = 0; pa < GIB(4);) {
			u64 end;
			u8 type = (u8)mtrr_type(&m, pa, &end);

			assert_true(end > pa && end % MIB(1) == 0 && end <= GIB(4));
			for (; pa < end; pa += MIB(1))
				assert_int_equal(types[pa >> 20], type);
		}
	}
}

/* With one range the end told is exact, holes or not: the caller gets large pieces. */
static void ragged_ends_are_exact(void **state)
{
	(void)state;
	for (u32 run = 0; run < 300; run++) {
		struct mtrr_state m = empty(MEM_WB | MTRR_DEF_TYPE_E, 32);

		m.variable[0].base = (random_u64() & 0xfff00000u) | MEM_UC;
		m.variable[0].mask = (random_u64() & 0xfff00000u) | V;
		for (u64 pa = 0; pa < GIB(4);) {
			u64 end;
			u8 type = (u8)mtrr_type(&m, pa, &end);

			if (end < GIB(4))
				assert_int_not_equal(model_type(&m, end), type);
			pa = end;
		}
	}
}

/* Values of the kind that SeaBIOS leaves: all of memory WB, the PCI hole UC below 4 GiB. */
static void seabios_like_values(void **state)
{
	struct mtrr_state m = {
		.cap = MTRRCAP_FIX | 8,
		.def_type = MEM_WB | ON,
		.fixed = {0x0606060606060606, 0x0606060606060606, 0, 0x0505050505050505,
			  0x0505050505050505, 0x0505050505050505, 0x0505050505050505,
			  0x0505050505050505, 0x0505050505050505, 0x0505050505050505,
			  0x0505050505050505},
		.variable = {{0xc0000000, 0xffc0000800}},
		.phys_bits = 40,
	};
	u64 end;

	(void)state;
	assert_int_equal(mtrr_type(&m, 0x9fc00, &end), MEM_WB);
	assert_int_equal(end, 0xa0000);
	assert_int_equal(mtrr_type(&m, 0xb8000, NULL), MEM_UC);
	assert_int_equal(mtrr_type(&m, 0xf0000, NULL), MEM_WP);
	assert_int_equal(mtrr_type(&m, MIB(1), &end), MEM_WB);
	assert_int_equal(end, GIB(3));
	assert_int_equal(mtrr_type(&m, 0xfee00000, &end), MEM_UC);
	assert_int_equal(end, GIB(4));
	assert_int_equal(mtrr_type(&m, GIB(4), &end), MEM_WB);
	assert_int_equal(end, 1ull << 40);
	walk(&m);
}

/* A PC with 16 GiB: default UC, WB in powers of two, UC over the stolen end of low memory. */
static void real_pc_values(void **state)
{
	struct mtrr_state m = {
		.cap = 0xd0a,
		.def_type = MEM_UC | ON,
		.fixed = {0x0606060606060606, 0x0606060606060606, 0, 0x0505050505050505,
			  0x0505050505050505, 0x0505050505050505, 0x0505050505050505,
			  0x0505050505050505, 0x0505050505050505, 0x0505050505050505,
			  0x0505050505050505},
		.variable = {{0x000000006, 0xe00000800},  /* 0 to 8 GiB WB */
			     {0x200000006, 0xe00000800},  /* 8 to 16 GiB WB */
			     {0x400000006, 0xfe0000800},  /* 512 MiB from 16 GiB WB */
			     {0x0e0000000, 0xfe0000800},  /* 3.5 to 4 GiB UC */
			     {0x0dc000000, 0xffc000800},  /* 64 MiB below UC */
			     {0x0dbc00000, 0xfffc00800},  /* 4 MiB below UC */
			     {0x41f000000, 0xfff000800}}, /* the last 16 MiB UC */
		.phys_bits = 36,
	};
	static const struct {
		u64 pa;
		u8 type;
		u64 end;
	} want[] = {
		{0x00100000, MEM_WB, 0xdbc00000},    {0xdbc00000, MEM_UC, 0xdc000000},
		{0xdc000000, MEM_UC, 0xe0000000},    {0xfed00000, MEM_UC, 0x100000000},
		{0x100000000, MEM_WB, 0x200000000},  {0x3ffffffff, MEM_WB, 0x400000000},
		{0x400000000, MEM_WB, 0x41f000000},  {0x41f000000, MEM_UC, 0x420000000},
		{0x420000000, MEM_UC, 0x1000000000},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
		u64 end;

		assert_int_equal(mtrr_type(&m, want[i].pa, &end), want[i].type);
		assert_int_equal(end, want[i].end);
	}
	walk(&m);
}

static void equal_maps_by_other_means_are_the_same(void **state)
{
	struct mtrr_state a = empty(MEM_UC | MTRR_DEF_TYPE_E, 36);
	struct mtrr_state b = empty(MEM_WB | MTRR_DEF_TYPE_E, 36);

	(void)state;
	set(&a, 0, 0, 1ull << 35, MEM_WB);
	set(&b, 0, 1ull << 35, 1ull << 35, MEM_UC);
	assert_true(mtrr_same_map(&a, &b));
	set(&b, 1, 0x1234000, 0x1000, MEM_UC);
	assert_false(mtrr_same_map(&a, &b));
	set(&a, 5, 0x1234000, 0x1000, MEM_UC);
	assert_true(mtrr_same_map(&a, &b));
	b.phys_bits = 39;
	assert_false(mtrr_same_map(&a, &b));
}

/* One byte of one fixed range, one page, the top page: each is a difference. */
static void small_differences_are_seen(void **state)
{
	struct mtrr_state a = empty(MEM_WB | ON, 36);

	(void)state;
	memset(a.fixed, MEM_WB, sizeof(a.fixed));
	for (u32 i = 0; i < 88; i++) {
		struct mtrr_state b = a;

		((u8 *)b.fixed)[i] = MEM_WP;
		assert_false(mtrr_same_map(&a, &b));
		a.def_type &= ~(u64)MTRR_DEF_TYPE_FE;
		b.def_type &= ~(u64)MTRR_DEF_TYPE_FE;
		assert_true(mtrr_same_map(&a, &b));
		a.def_type |= MTRR_DEF_TYPE_FE;
	}
	for (u32 i = 0; i < 100; i++) {
		struct mtrr_state b = a;
		u64 page = random_u64() & ((1ull << 36) - 1) & ~0xfffull;

		set(&b, 0, i ? page : (1ull << 36) - PAGE_SIZE, PAGE_SIZE, MEM_UC);
		assert_int_equal(mtrr_same_map(&a, &b), page < MIB(1) && i);
	}
}

static void random_comparisons_match_the_model(void **state)
{
	u32 same = 0;

	(void)state;
	for (u32 run = 0; run < 400; run++) {
		struct mtrr_state m[2];
		bool equal = true;

		for (u32 k = 0; k < 2; k++) {
			m[k] = empty(MEM_WB | MTRR_DEF_TYPE_E, 32);
			for (u32 i = 0; i < 2; i++) {
				m[k].variable[i].base = random_u64() & 0xc0000000u;
				m[k].variable[i].mask = (random_u64() & 0xc0000000u) | V;
			}
		}
		for (u64 pa = 0; pa < GIB(4); pa += GIB(1) / 2)
			equal = equal && model_type(&m[0], pa) == model_type(&m[1], pa);
		assert_int_equal(mtrr_same_map(&m[0], &m[1]), equal);
		same += equal;
	}
	assert_true(same > 20 && same < 380);
}

/* A guest may write any mask: the answer may be no, but it must come. */
static void the_worst_mask_does_not_hang(void **state)
{
	struct mtrr_state a = empty(MEM_WB | MTRR_DEF_TYPE_E, 52);

	(void)state;
	a.variable[0].mask = 0x1000 | V;
	assert_false(mtrr_same_map(&a, &a));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(switched_off_is_uncached),
	cmocka_unit_test(the_default_type_fills_the_gaps),
	cmocka_unit_test(fixed_ranges_follow_the_table),
	cmocka_unit_test(fixed_ranges_need_both_switches),
	cmocka_unit_test(overlaps_combine_as_the_manual_says),
	cmocka_unit_test(only_counted_and_valid_ranges_matter),
	cmocka_unit_test(bits_above_the_address_width_are_ignored),
	cmocka_unit_test(random_ordinary_maps_match_the_model),
	cmocka_unit_test(ragged_masks_match_the_model),
	cmocka_unit_test(ragged_ends_are_exact),
	cmocka_unit_test(seabios_like_values),
	cmocka_unit_test(real_pc_values),
	cmocka_unit_test(equal_maps_by_other_means_are_the_same),
	cmocka_unit_test(small_differences_are_seen),
	cmocka_unit_test(random_comparisons_match_the_model),
	cmocka_unit_test(the_worst_mask_does_not_hang),
};

TEST_MAIN(tests)
