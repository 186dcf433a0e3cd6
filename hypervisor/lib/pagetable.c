/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-table builder. It walks from the root for every entry it changes, which keeps it free
 * of recursion: the depth of the stack is known.
 */
#include <keel/bits.h>
#include <keel/errno.h>

#include "pagetable.h"

typedef u32 half_t __attribute__((may_alias));
typedef u64 whole_t __attribute__((may_alias));

/* Where a change is being made: the tables on the way down to @level. */
struct walk {
	void *table[PT_LEVELS_MAX];
	u32 index[PT_LEVELS_MAX];
	u32 level;
};

static u64 entry_read(const struct pt_format *format, const void *table, u32 index)
{
	if (format->entry_bytes == sizeof(u32))
		return ((const volatile half_t *)table)[index];
	return ((const volatile whole_t *)table)[index];
}

/* The CPU may walk the table at any time: it must never see half of a present entry. */
static void entry_write(const struct pt_format *format, void *table, u32 index, u64 entry)
{
	volatile half_t *half = table;

	if (format->entry_bytes == sizeof(u32)) {
		half[index] = (u32)entry;
	} else if (sizeof(uintptr_t) == sizeof(u64)) {
		((volatile whole_t *)table)[index] = entry;
	} else {
		half[index * 2] = 0;
		half[index * 2 + 1] = (u32)(entry >> 32);
		half[index * 2] = (u32)entry;
	}
}

static u64 level_size(const struct pt_format *format, u32 level)
{
	return 1ull << format->level[level].shift;
}

static u32 level_index(const struct pt_format *format, u32 level, u64 va)
{
	return (u32)(va >> format->level[level].shift) &
	       ((1u << format->level[level].index_bits) - 1);
}

static bool is_present(const struct pt_format *format, u64 entry)
{
	return (entry & format->present) != 0;
}

static bool is_leaf(const struct pt_format *format, u32 level, u64 entry)
{
	return level == 0 || (entry & format->large);
}

static void *entry_table(const struct pt_format *format, u64 entry)
{
	return (void *)(uintptr_t)(entry & format->addr_mask);
}

/*
 * Gives back the table that @entry of @level points to, and all tables below it. The entry itself
 * is gone from the tree already, but a CPU may still have it cached until the caller's flush.
 */
static void free_tables(struct pt *pt, u32 level, u64 entry)
{
	const struct pt_format *format = pt->format;
	void *table[PT_LEVELS_MAX];
	u32 index[PT_LEVELS_MAX];
	u32 top = level;

	if (!is_present(format, entry) || is_leaf(format, level, entry))
		return;
	level--;
	table[level] = entry_table(format, entry);
	index[level] = 0;
	while (level < top) {
		if (level == 0 || index[level] >> format->level[level].index_bits) {
			pt->free(pt->pool, table[level++]);
			continue;
		}
		entry = entry_read(format, table[level], index[level]++);
		if (is_present(format, entry) && !is_leaf(format, level, entry)) {
			level--;
			table[level] = entry_table(format, entry);
			index[level] = 0;
		}
	}
}

static bool table_is_empty(const struct pt_format *format, u32 level, const void *table)
{
	for (u32 i = 0; i >> format->level[level].index_bits == 0; i++) {
		if (is_present(format, entry_read(format, table, i)))
			return false;
	}
	return true;
}

/* Gives back the tables of @walk that hold nothing any more, from the lowest one up. */
static void prune(struct pt *pt, struct walk *walk)
{
	const struct pt_format *format = pt->format;

	for (u32 level = walk->level; level + 1 < format->levels; level++) {
		if (!table_is_empty(format, level, walk->table[level]))
			return;
		entry_write(format, walk->table[level + 1], walk->index[level + 1], 0);
		pt->free(pt->pool, walk->table[level]);
	}
}

/* Puts a table in the place of @entry at walk->level, which maps what @entry mapped. */
static int push_table(struct pt *pt, const struct walk *walk, u64 entry)
{
	const struct pt_format *format = pt->format;
	const struct pt_level *here = &format->level[walk->level];
	const struct pt_level *below = &format->level[walk->level - 1];
	void *table = pt->alloc(pt->pool);

	if (!table)
		return -ENOMEM;
	if (is_present(format, entry)) {
		u64 leaf = (entry & ~here->leaf_attrs) | below->leaf_attrs;

		for (u32 i = 0; i >> below->index_bits == 0; i++)
			entry_write(format, table, i, leaf + ((u64)i << below->shift));
	}
	entry_write(format, walk->table[walk->level], walk->index[walk->level],
		    (u64)(uintptr_t)table | here->table_attrs);
	return 0;
}

/* Takes one step down in @walk, building or splitting as needed. */
static int descend(struct pt *pt, struct walk *walk, u64 va)
{
	const struct pt_format *format = pt->format;
	void *table = walk->table[walk->level];
	u32 index = walk->index[walk->level];
	u64 entry = entry_read(format, table, index);

	if (!is_present(format, entry) || is_leaf(format, walk->level, entry)) {
		int error = push_table(pt, walk, entry);

		if (error)
			return error;
		entry = entry_read(format, table, index);
	}
	walk->level--;
	walk->table[walk->level] = entry_table(format, entry);
	walk->index[walk->level] = level_index(format, walk->level, va);
	return 0;
}

static void walk_start(const struct pt *pt, struct walk *walk, u64 va)
{
	walk->level = pt->format->levels - 1u;
	walk->table[walk->level] = pt->root;
	walk->index[walk->level] = level_index(pt->format, walk->level, va);
}

static void replace(struct pt *pt, const struct walk *walk, u64 entry)
{
	void *table = walk->table[walk->level];
	u32 index = walk->index[walk->level];
	u64 old = entry_read(pt->format, table, index);

	entry_write(pt->format, table, index, entry);
	free_tables(pt, walk->level, old);
}

static bool in_space(const struct pt_format *format, u64 va, u64 len)
{
	const struct pt_level *root = &format->level[format->levels - 1];
	u64 end = 1ull << (root->shift + root->index_bits);

	return va <= end && len <= end - va;
}

/* Maps the largest page that fits at the start of the range; its size goes to *@done. */
static int map_one(struct pt *pt, u64 va, u64 pa, u64 len, u64 attrs, u64 *done)
{
	const struct pt_format *format = pt->format;
	struct walk walk;

	walk_start(pt, &walk, va);
	for (;;) {
		const struct pt_level *level = &format->level[walk.level];
		u64 size = level_size(format, walk.level);
		int error;

		if (level->leaf && len >= size && !((va | pa) & (size - 1))) {
			replace(pt, &walk, pa | attrs | level->leaf_attrs);
			*done = size;
			return 0;
		}
		error = descend(pt, &walk, va);
		if (error) {
			prune(pt, &walk);
			return error;
		}
	}
}

int pt_map(struct pt *pt, u64 va, u64 pa, u64 len, u64 attrs)
{
	const struct pt_format *format = pt->format;
	u64 small = level_size(format, 0);
	u64 done;

	if (((va | pa | len) & (small - 1)) || !in_space(format, va, len))
		return -EINVAL;
	if (!is_present(format, attrs) || (attrs & format->addr_mask))
		return -EINVAL;
	if (len && (pa + len < pa || ((pa + len - small) & ~format->addr_mask)))
		return -EINVAL;
	for (; len; va += done, pa += done, len -= done) {
		int error = map_one(pt, va, pa, len, attrs, &done);

		if (error)
			return error;
	}
	return 0;
}

/* Clears one entry, or passes over what is not mapped; how far that reaches goes to *@done. */
static int unmap_one(struct pt *pt, u64 va, u64 len, u64 *done)
{
	const struct pt_format *format = pt->format;
	struct walk walk;

	walk_start(pt, &walk, va);
	for (;;) {
		u64 size = level_size(format, walk.level);
		u64 entry = entry_read(format, walk.table[walk.level], walk.index[walk.level]);
		int error;

		*done = min_u64(size - (va & (size - 1)), len);
		if (!is_present(format, entry))
			return 0;
		if (*done == size) {
			replace(pt, &walk, 0);
			prune(pt, &walk);
			return 0;
		}
		error = descend(pt, &walk, va);
		if (error)
			return error;
	}
}

int pt_unmap(struct pt *pt, u64 va, u64 len)
{
	u64 done;

	if (((va | len) & (level_size(pt->format, 0) - 1)) || !in_space(pt->format, va, len))
		return -EINVAL;
	for (; len; va += done, len -= done) {
		int error = unmap_one(pt, va, len, &done);

		if (error)
			return error;
	}
	return 0;
}

bool pt_lookup(const struct pt *pt, u64 va, struct pt_leaf *leaf)
{
	const struct pt_format *format = pt->format;
	const void *table = pt->root;
	u32 level = format->levels - 1u;

	*leaf = (struct pt_leaf){.size = level_size(format, 0)};
	if (!in_space(format, va, 1))
		return false;
	for (;; level--) {
		u64 entry = entry_read(format, table, level_index(format, level, va));
		u64 size = level_size(format, level);

		leaf->size = size;
		if (!is_present(format, entry))
			return false;
		if (is_leaf(format, level, entry)) {
			leaf->pa = (entry & format->addr_mask & ~(size - 1)) | (va & (size - 1));
			leaf->attrs = entry & ~format->addr_mask;
			return true;
		}
		table = entry_table(format, entry);
	}
}
