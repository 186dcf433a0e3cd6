/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One builder for every page table of Keel: its own, EPT and NPT. What differs between them is
 * data in a struct pt_format.
 */
#ifndef KEEL_LIB_PAGETABLE_H
#define KEEL_LIB_PAGETABLE_H

#include <keel/types.h>

#define PT_LEVELS_MAX 5

struct pt_level {
	u8 shift;      /* log2 of the bytes one entry covers */
	u8 index_bits; /* log2 of the entries in one table */
	/* May an entry here map memory? Always true for level 0, and below a level where it is. */
	bool leaf;
	u64 leaf_attrs;	 /* bits that a leaf must have here (PS above level 0) */
	u64 table_attrs; /* bits of an entry that points to the next table */
};

struct pt_format {
	u8 levels;	/* level[0] has the smallest pages, level[levels - 1] is the root */
	u8 entry_bytes; /* 4 or 8 */
	u64 present;	/* an entry is present if any of these bits is set */
	u64 large;	/* a present entry above level 0 with this bit is a leaf */
	u64 addr_mask;	/* physical address bits of an entry */
	struct pt_level level[PT_LEVELS_MAX];
};

/* Tables are reached by their physical address: Keel and its unit tests are identity-mapped. */
struct pt {
	const struct pt_format *format;
	void *root; /* one zeroed page */
	/* One zeroed page, or NULL if the pool is empty. */
	void *(*alloc)(void *pool);
	/* Takes back a page of alloc()'s. */
	void (*free)(void *pool, void *page);
	void *pool;
};

/*
 * Maps [va, va + len) to [pa, pa + len) with leaf bits @attrs, by the largest leaves that alignment
 * and format allow, over whatever was mapped there; a larger leaf that is only partly covered is
 * split and keeps the rest; tables that a new larger leaf replaces go back to the pool. All three
 * are multiples of the smallest page. -EINVAL if not, if the range leaves the format's address
 * space, or if @attrs would not be a present leaf; -ENOMEM if the pool is empty (what was done so
 * far stays mapped). The caller flushes.
 */
int pt_map(struct pt *pt, u64 va, u64 pa, u64 len, u64 attrs);

/*
 * Removes all mappings in [va, va + len), splitting larger leaves; tables that become empty go back
 * to the pool. Errors as pt_map().
 */
int pt_unmap(struct pt *pt, u64 va, u64 len);

struct pt_leaf {
	u64 pa;	   /* where @va itself goes */
	u64 attrs; /* the leaf entry without its address bits */
	u64 size;  /* bytes the leaf covers */
};

/*
 * Looks @va up. False if it is not mapped; *@leaf then has size = the bytes (aligned at that level)
 * known to be unmapped.
 */
bool pt_lookup(const struct pt *pt, u64 va, struct pt_leaf *leaf);

#endif
