/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/pagetable.c in every format that Keel may need. The model is the list of all changes: what a
 * page maps to is what the last change that covers it says. A second look is taken by a walk
 * written from the manuals, which knows nothing of struct pt_format.
 */
#include "test.h"

#include <sys/mman.h>

#include "lib/pagetable.h"

#define P	1ull
#define RW	2ull
#define US	4ull
#define PCD	0x10ull
#define PS	0x80ull
#define NX	(1ull << 63)
#define ADDR	0x000ffffffffff000ull
#define FORMATS 6

enum kind { AMD64, AMD64_NO_1G, FIVE_LEVELS, PAE, NON_PAE, EPT };

#define LEVELS4(table)                                                                   \
	{                                                                                \
		{12, 9, true, 0, 0}, {21, 9, true, PS, table}, {30, 9, true, PS, table}, \
		{                                                                        \
			39, 9, false, 0, table                                           \
		}                                                                        \
	}

/* SDM volume 3, 4.3 to 4.5 and 29.3.2. */
static const struct pt_format formats[FORMATS] = {
	[AMD64] = {4, 8, P, PS, ADDR, LEVELS4(P | RW | US)},
	[AMD64_NO_1G] = {4,
			 8,
			 P,
			 PS,
			 ADDR,
			 {{12, 9, true, 0, 0},
			  {21, 9, true, PS, P | RW | US},
			  {30, 9, false, 0, P | RW | US},
			  {39, 9, false, 0, P | RW | US}}},
	[FIVE_LEVELS] = {5,
			 8,
			 P,
			 PS,
			 ADDR,
			 {{12, 9, true, 0, 0},
			  {21, 9, true, PS, P | RW | US},
			  {30, 9, true, PS, P | RW | US},
			  {39, 9, false, 0, P | RW | US},
			  {48, 9, false, 0, P | RW | US}}},
	/* A PDPTE has four entries, whose RW and US bits are reserved. */
	[PAE] = {3,
		 8,
		 P,
		 PS,
		 ADDR,
		 {{12, 9, true, 0, 0}, {21, 9, true, PS, P | RW | US}, {30, 2, false, 0, P}}},
	[NON_PAE] =
		{2, 4, P, PS, 0xfffff000, {{12, 10, true, 0, 0}, {22, 10, true, PS, P | RW | US}}},
	[EPT] = {4, 8, 7, PS, ADDR, LEVELS4(7)},
};

static const struct pt_format *format;
static enum kind kind;

/* --- the pool --- */

#define POOL_PAGES 4096u

/* Below 4 GiB, where an entry of 32 bits can point to it. */
static u8 *pool_memory;
static u8 taken[POOL_PAGES];
static u32 in_use, limit;

static int make_pool(void **state)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	(void)state;
	if (sizeof(void *) == 8)
		flags |= MAP_32BIT;
	pool_memory = mmap(NULL, POOL_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
	return pool_memory == MAP_FAILED ? -1 : 0;
}

static void *pool_alloc(void *pool)
{
	static u32 next;

	assert_ptr_equal(pool, taken);
	if (in_use >= limit)
		return NULL;
	while (taken[next])
		next = (next + 1) % POOL_PAGES;
	taken[next] = 1;
	in_use++;
	return memset(pool_memory + next * PAGE_SIZE, 0, PAGE_SIZE);
}

/* A page given back is poisoned: an entry that still leads there shows. */
static void pool_free(void *pool, void *page)
{
	u32 number = (u32)(((u8 *)page - pool_memory) / PAGE_SIZE);

	assert_ptr_equal(pool, taken);
	assert_true(number < POOL_PAGES && taken[number]);
	taken[number] = 0;
	in_use--;
	memset(page, 0xdb, PAGE_SIZE);
}

static struct pt pt;

static void start(enum kind k)
{
	kind = k;
	format = &formats[k];
	memset(taken, 0, sizeof(taken));
	in_use = 0;
	limit = POOL_PAGES;
	pt = (struct pt){format, NULL, pool_alloc, pool_free, taken};
	pt.root = pool_alloc(taken);
}

static u64 space(void)
{
	const struct pt_level *root = &format->level[format->levels - 1];

	return 1ull << (root->shift + root->index_bits);
}

/* --- the model --- */

struct change {
	u64 va, len, pa;
	u64 attrs; /* 0: unmapped */
};

static struct change changes[256];
static u32 change_count;

struct want {
	bool mapped;
	u64 pa, attrs;
};

static struct want model(u64 va)
{
	for (u32 i = change_count; i--;) {
		const struct change *c = &changes[i];

		if (va < c->va || va - c->va >= c->len)
			continue;
		return (struct want){c->attrs != 0, c->pa + (va - c->va), c->attrs};
	}
	return (struct want){0};
}

/* --- the walk from the manuals --- */

static u64 raw_entry(u64 table, u32 index, u32 bytes)
{
	u64 v = 0;

	assert_true(table % PAGE_SIZE == 0);
	assert_true(taken[((u8 *)(uintptr_t)table - pool_memory) / PAGE_SIZE]);
	memcpy(&v, (u8 *)(uintptr_t)table + index * bytes, bytes);
	return v;
}

/* SDM volume 3, 4.3: 10 bits, 10 bits; a page directory entry with PS maps 4 MiB. */
static struct want walk_non_pae(u64 va)
{
	u64 e = raw_entry((uintptr_t)pt.root, (u32)(va >> 22), 4);

	if (!(e & P))
		return (struct want){0};
	if (e & PS) {
		assert_int_equal(e & 0x3ff000, 0); /* no PSE-36, PAT or reserved bits */
		return (struct want){true, (e & 0xffc00000) | (va & 0x3fffff), e & 0xfff & ~PS};
	}
	assert_int_equal(e & 0xfff, P | RW | US);
	e = raw_entry(e & 0xfffff000, va >> 12 & 0x3ff, 4);
	if (!(e & P))
		return (struct want){0};
	return (struct want){true, (e & 0xfffff000) | (va & 0xfff), e & 0xfff};
}

/* 9 bits a level, from @shift down; @present are the bits one of which makes an entry present. */
static struct want walk_9_bits(u64 table, u32 shift, u64 va, u64 present, u64 table_bits)
{
	for (;; shift -= 9) {
		u64 e = raw_entry(table, va >> shift & 0x1ff, 8);
		u64 offset = (1ull << shift) - 1;

		if (!(e & present))
			return (struct want){0};
		if (shift == 12 || e & PS) {
			assert_true(shift <= 30 && (shift < 30 || kind != AMD64_NO_1G));
			assert_int_equal(e & ADDR & offset, 0);
			if (shift > 12)
				e &= ~PS;
			return (struct want){true, (e & ADDR) | (va & offset), e & ~ADDR};
		}
		assert_int_equal(e & ~ADDR, table_bits);
		table = e & ADDR;
	}
}

static struct want walk(u64 va)
{
	u64 root = (uintptr_t)pt.root;

	switch (kind) {
	case NON_PAE:
		return walk_non_pae(va);
	case PAE: {
		u64 e = raw_entry(root, (u32)(va >> 30), 8);

		/* SDM volume 3, table 4-8: bits 1, 2 and 5 to 8 are reserved. */
		assert_true(!(e & P) || (e & ~ADDR) == P);
		return e & P ? walk_9_bits(e & ADDR, 21, va, P, P | RW | US) : (struct want){0};
	}
	case EPT:
		return walk_9_bits(root, 39, va, 7, 7);
	case FIVE_LEVELS:
		return walk_9_bits(root, 48, va, P, P | RW | US);
	default:
		return walk_9_bits(root, 39, va, P, P | RW | US);
	}
}

/* --- checks --- */

/* The bits that the format adds to a leaf of @size. */
static u64 leaf_bits(u64 size)
{
	for (u32 i = 0; i < format->levels; i++) {
		if (1ull << format->level[i].shift == size)
			return format->level[i].leaf_attrs;
	}
	fail();
	return 0;
}

static void check_page(u64 va)
{
	struct want want = model(va), seen = walk(va);
	struct pt_leaf leaf;
	bool mapped = pt_lookup(&pt, va, &leaf);
	u64 first = align_down(va, leaf.size);

	assert_int_equal(mapped, want.mapped);
	assert_int_equal(seen.mapped, want.mapped);
	if (mapped) {
		assert_int_equal(leaf.pa, want.pa);
		assert_int_equal(leaf.attrs, want.attrs | leaf_bits(leaf.size));
		assert_int_equal(seen.pa, want.pa);
		assert_int_equal(seen.attrs, want.attrs);
	}
	/* All of what the leaf or the gap covers is alike. */
	for (u32 i = 0; i < 4; i++) {
		u64 other = first + (random_u64() & (leaf.size - 1) & ~0xfffull);
		struct want w = model(i ? other : first + leaf.size - PAGE_SIZE);

		assert_int_equal(w.mapped, mapped);
		if (mapped) {
			u64 at = i ? other : first + leaf.size - PAGE_SIZE;

			assert_int_equal(w.pa - at, want.pa - va);
			assert_int_equal(w.attrs, want.attrs);
		}
	}
}

/* Tables that map nothing would be lost memory. */
static void no_table_is_empty(void)
{
	static const u8 zeroes[PAGE_SIZE];

	for (u32 i = 0; i < POOL_PAGES; i++) {
		const u8 *page = pool_memory + i * PAGE_SIZE;

		if (taken[i] && page != pt.root)
			assert_true(memcmp(page, zeroes, PAGE_SIZE));
	}
}

/* Everywhere where something may begin or end, and at random places. */
static void check_all(void)
{
	for (u32 i = 0; i < change_count; i++) {
		const struct change *c = &changes[i];

		check_page(c->va);
		check_page(c->va + c->len - PAGE_SIZE);
		check_page(align_down(c->va + random_u64() % c->len, PAGE_SIZE));
		if (c->va)
			check_page(c->va - PAGE_SIZE);
		if (c->va + c->len < space())
			check_page(c->va + c->len);
	}
	for (u32 i = 0; i < 20; i++)
		check_page(random_u64() & (space() - 1) & ~0xfffull);
	no_table_is_empty();
}

static void all_is_given_back(void)
{
	assert_int_equal(pt_unmap(&pt, 0, space()), 0);
	assert_int_equal(in_use, 1);
	for (u32 i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(((u8 *)pt.root)[i], 0);
}

static u64 random_attrs(void)
{
	if (kind == EPT)
		return (1 + random_below(7)) | random_below(2) * 6 << 3;
	if (kind == NON_PAE)
		return P | random_below(4) << 1 | random_below(2) * PCD;
	return P | random_below(4) << 1 | random_below(2) * PCD | (random_below(2) ? NX : 0);
}

/* A length of up to @bits bits. */
static u64 random_length(u32 bits)
{
	return random_u64() & ((1ull << (13 + random_below(bits - 12))) - 1);
}

/* Ranges of all sizes, mostly in a few crowded places; the larger, the better aligned. */
static struct change random_change(void)
{
	static const u64 places[] = {0, MIB(4), GIB(1), GIB(3), GIB(4), GIB(512)};
	u64 top = min_u64(space(), 1ull << 48);
	struct change c = {.len = random_length(24), .attrs = random_below(3) ? random_attrs() : 0};

	c.va = places[random_below(ARRAY_SIZE(places))] + (random_u64() & (MIB(16) - 1));
	if (random_below(8) == 0)
		c.va = random_u64();
	c.va &= (top - 1) & ~0xfffull;
	c.pa = random_u64() & (kind == NON_PAE ? 0xfffff000 : (1ull << 40) - PAGE_SIZE);
	switch (random_below(4)) {
	case 0:
		c.va = align_down(c.va, MIB(4));
		c.pa = align_down(c.pa, MIB(4));
		c.len = random_length(28);
		break;
	case 1:
		c.pa = c.va & (kind == NON_PAE ? 0xffffffff : UINT64_MAX);
		c.len = random_length(28);
		break;
	case 2:
		c.va = align_down(c.va, GIB(1));
		c.pa = align_down(c.pa, GIB(1));
		c.len = random_length(36);
		break;
	}
	c.len = align_up(c.len + 1, PAGE_SIZE);
	c.len = min_u64(c.len, top - c.va);
	if (kind == NON_PAE)
		c.len = min_u64(c.len, GIB(4) - c.pa);
	return c;
}

static int apply(const struct change *c)
{
	if (c->attrs)
		return pt_map(&pt, c->va, c->pa, c->len, c->attrs);
	return pt_unmap(&pt, c->va, c->len);
}

static void random_changes_match_the_model(void **state)
{
	(void)state;
	for (u32 k = 0; k < FORMATS; k++) {
		for (u32 run = 0; run < 12; run++) {
			start(k);
			change_count = 0;
			while (change_count < 60) {
				struct change c = random_change();

				assert_int_equal(apply(&c), 0);
				changes[change_count++] = c;
				if (change_count % 6 == 0)
					check_all();
			}
			all_is_given_back();
		}
	}
}

/* Up to where does the last change hold? */
static u64 held(const struct change *c)
{
	struct pt_leaf leaf;
	u64 va = c->va;

	while (va < c->va + c->len) {
		struct want seen = walk(va), want = model(va);

		if (seen.mapped != want.mapped ||
		    (want.mapped && (seen.pa != want.pa || seen.attrs != want.attrs)))
			break;
		pt_lookup(&pt, va, &leaf);
		va = align_down(va, leaf.size) + leaf.size;
	}
	return min_u64(va - c->va, c->len);
}

/*
 * With too few pages a change may fail: then each page maps what it did before or, up to some
 * point, what it should. Nothing is lost: to unmap all gives back every page.
 */
static void an_empty_pool_leaves_things_whole(void **state)
{
	u32 failures = 0;

	(void)state;
	for (u32 run = 0; run < 300; run++) {
		start(run % FORMATS);
		change_count = 0;
		for (u32 i = 0; i < 12; i++) {
			struct change c = random_change();
			int error;

			limit = i < 6 ? POOL_PAGES : in_use + random_below(4);
			error = apply(&c);
			assert_true(!error || error == -ENOMEM);
			changes[change_count++] = c;
			if (error) {
				failures++;
				changes[change_count - 1].len = held(&c);
				change_count -= changes[change_count - 1].len == 0;
			}
			if (i % 3 == 2 || error)
				check_all();
		}
		limit = POOL_PAGES;
		all_is_given_back();
	}
	assert_true(failures > 200);
}

static u32 pages_for(enum kind k, u64 va, u64 pa, u64 len)
{
	start(k);
	assert_int_equal(pt_map(&pt, va, pa, len, P | RW), 0);
	return in_use - 1;
}

static void the_largest_leaves_are_used(void **state)
{
	struct pt_leaf leaf;

	(void)state;
	assert_int_equal(pages_for(AMD64, 0, 0, GIB(512)), 1);
	assert_int_equal(pages_for(AMD64_NO_1G, 0, 0, GIB(512)), 1 + 512);
	assert_int_equal(pages_for(AMD64, 0, GIB(4), GIB(3) + MIB(4)), 2);
	assert_true(pt_lookup(&pt, GIB(2) + 5, &leaf));
	assert_int_equal(leaf.size, GIB(1));
	assert_int_equal(leaf.pa, GIB(6) + 5);
	assert_true(pt_lookup(&pt, GIB(3), &leaf));
	assert_int_equal(leaf.size, MIB(2));
	assert_false(pt_lookup(&pt, GIB(3) + MIB(4), &leaf));
	assert_int_equal(leaf.size, MIB(2));
	assert_false(pt_lookup(&pt, GIB(4), &leaf));
	assert_int_equal(leaf.size, GIB(1));
	assert_false(pt_lookup(&pt, GIB(512), &leaf));
	assert_int_equal(leaf.size, GIB(512));
	/* Alignment of either side forbids them. */
	assert_int_equal(pages_for(AMD64, 0, MIB(2), GIB(1)), 2);
	assert_int_equal(pages_for(AMD64, PAGE_SIZE, 0, MIB(4)), 2 + 3);
	assert_int_equal(pages_for(PAE, 0, 0, GIB(4)), 4);
	assert_int_equal(pages_for(NON_PAE, 0, 0, GIB(4)), 0);
	assert_int_equal(pages_for(NON_PAE, PAGE_SIZE, PAGE_SIZE, MIB(8)), 2);
	assert_int_equal(pages_for(EPT, 0, 0, GIB(512)), 1);
}

static void a_split_keeps_the_rest(void **state)
{
	struct pt_leaf leaf;

	(void)state;
	start(AMD64);
	assert_int_equal(pt_map(&pt, 0, 0, GIB(4), P | RW | NX), 0);
	assert_int_equal(in_use, 2);
	assert_int_equal(pt_unmap(&pt, GIB(2) + MIB(6) + 0x3000, PAGE_SIZE), 0);
	assert_int_equal(in_use, 4);
	assert_false(pt_lookup(&pt, GIB(2) + MIB(6) + 0x3fff, &leaf));
	assert_int_equal(leaf.size, PAGE_SIZE);
	for (u64 va = GIB(2); va < GIB(3); va += MIB(2)) {
		assert_true(pt_lookup(&pt, va, &leaf));
		assert_int_equal(leaf.pa, va);
		assert_int_equal(leaf.size, va == GIB(2) + MIB(6) ? PAGE_SIZE : MIB(2));
		assert_int_equal(leaf.attrs, P | RW | NX | (leaf.size == PAGE_SIZE ? 0 : PS));
	}
	/* A large leaf over it all gives the tables back. */
	assert_int_equal(pt_map(&pt, GIB(2), GIB(7), GIB(1), P), 0);
	assert_int_equal(in_use, 2);
	assert_true(pt_lookup(&pt, GIB(2) + MIB(6) + 0x3123, &leaf));
	assert_int_equal(leaf.pa, GIB(7) + MIB(6) + 0x3123);
	all_is_given_back();
}

static void empty_tables_are_given_back_at_once(void **state)
{
	(void)state;
	start(EPT);
	for (u32 i = 0; i < 512; i++)
		assert_int_equal(pt_map(&pt, MIB(2) + i * 4096, 0, PAGE_SIZE, 7), 0);
	assert_int_equal(in_use, 4);
	for (u32 i = 0; i < 511; i++)
		assert_int_equal(pt_unmap(&pt, MIB(2) + i * 4096, PAGE_SIZE), 0);
	assert_int_equal(in_use, 4);
	assert_int_equal(pt_unmap(&pt, MIB(2) + 511 * 4096, PAGE_SIZE), 0);
	assert_int_equal(in_use, 1);
	/* A gap needs no tables. */
	assert_int_equal(pt_unmap(&pt, 0x1000, GIB(3)), 0);
	assert_int_equal(in_use, 1);
}

static void bad_arguments_are_refused(void **state)
{
	(void)state;
	for (u32 k = 0; k < FORMATS; k++) {
		u64 top;

		start(k);
		top = space();
		assert_int_equal(pt_map(&pt, 1, 0, 4096, P), -EINVAL);
		assert_int_equal(pt_map(&pt, 0, 2048, 4096, P), -EINVAL);
		assert_int_equal(pt_map(&pt, 0, 0, 4095, P), -EINVAL);
		assert_int_equal(pt_map(&pt, top, 0, 4096, P), -EINVAL);
		assert_int_equal(pt_map(&pt, top - 4096, 0, 8192, P), -EINVAL);
		assert_int_equal(pt_map(&pt, 4096, 0, ~0xfffull, P), -EINVAL);
		assert_int_equal(pt_map(&pt, ~0xfffull, 0, 4096, P), -EINVAL);
		assert_int_equal(pt_map(&pt, 0, 0, 4096, 0), -EINVAL);
		assert_int_equal(pt_map(&pt, 0, 0, 4096, P | 0x1000), -EINVAL);
		assert_int_equal(pt_map(&pt, 0, ~0xfffull, 4096, P), -EINVAL);
		assert_int_equal(pt_map(&pt, 0, ~0xfffull, 8192, P), -EINVAL);
		assert_int_equal(pt_map(&pt, 0, (format->addr_mask | 0xfff) + 1, 4096, P), -EINVAL);
		assert_int_equal(pt_map(&pt, 0, format->addr_mask & ~0xfffull, 8192, P), -EINVAL);
		assert_int_equal(pt_unmap(&pt, 0, top + 4096), -EINVAL);
		assert_int_equal(pt_unmap(&pt, 2, 4096), -EINVAL);
		assert_int_equal(pt_unmap(&pt, 0, 5), -EINVAL);
		assert_int_equal(in_use, 1);
		assert_int_equal(pt_map(&pt, 0, 0, 0, P), 0);
		assert_int_equal(pt_unmap(&pt, top, 0), 0);
		assert_int_equal(in_use, 1);
	}
}

static void the_ends_of_the_space_can_be_mapped(void **state)
{
	struct pt_leaf leaf;

	(void)state;
	for (u32 k = 0; k < FORMATS; k++) {
		u64 top;

		start(k);
		top = space();
		assert_int_equal(pt_map(&pt, 0, 0x5000, 4096, P), 0);
		assert_int_equal(pt_map(&pt, top - 4096, format->addr_mask & ADDR, 4096, P), 0);
		assert_true(pt_lookup(&pt, 0xfff, &leaf));
		assert_int_equal(leaf.pa, 0x5fff);
		assert_true(pt_lookup(&pt, top - 1, &leaf));
		assert_int_equal(leaf.pa, format->addr_mask | 0xfff);
		assert_false(pt_lookup(&pt, top, &leaf));
		assert_false(pt_lookup(&pt, UINT64_MAX, &leaf));
		assert_true(leaf.size > 0);
		all_is_given_back();
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(random_changes_match_the_model, make_pool),
	cmocka_unit_test_setup(an_empty_pool_leaves_things_whole, make_pool),
	cmocka_unit_test_setup(the_largest_leaves_are_used, make_pool),
	cmocka_unit_test_setup(a_split_keeps_the_rest, make_pool),
	cmocka_unit_test_setup(empty_tables_are_given_back_at_once, make_pool),
	cmocka_unit_test_setup(bad_arguments_are_refused, make_pool),
	cmocka_unit_test_setup(the_ends_of_the_space_can_be_mapped, make_pool),
};

TEST_MAIN(tests)
