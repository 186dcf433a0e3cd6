/* SPDX-License-Identifier: BSD-2-Clause */
/* MTRR arithmetic on a snapshot of the MSRs (SDM volume 3, 12.11; APM volume 2, 7.7). */
#include <keel/bits.h>

#include "mtrr.h"

#define FIXED_END      MIB(1)

/* What CPUs can have (SDM volume 3, 4.1.4), so that no shift here can be too long. */
#define PHYS_BITS_MIN  32
#define PHYS_BITS_MAX  52

/* mtrr_same_map() gives up after so many steps. Real maps take a few hundred. */
#define SAME_MAP_STEPS 65536u

static u64 phys_end(const struct mtrr_state *mtrr)
{
	u64 bits = min_u64(max_u64(mtrr->phys_bits, PHYS_BITS_MIN), PHYS_BITS_MAX);

	return 1ull << bits;
}

/* SDM volume 3, 12.11.2.1: encodings 2, 3 and 7 to 255 are reserved. */
static enum mem_type decode(u64 type)
{
	switch (type) {
	case MEM_WC:
	case MEM_WT:
	case MEM_WP:
	case MEM_WB:
		return (enum mem_type)type;
	default:
		return MEM_UC;
	}
}

/* SDM volume 3, 12.11.2.2 and table 12-9: one byte for each 64K, then 16K, then 4K. */
static enum mem_type fixed_type(const struct mtrr_state *mtrr, u64 pa, u64 *end)
{
	u32 at = (u32)pa;
	u32 shift, slot;

	if (at < 0x80000) {
		shift = 16;
		slot = at >> shift;
	} else if (at < 0xc0000) {
		shift = 14;
		slot = 8 + ((at - 0x80000) >> shift);
	} else {
		shift = 12;
		slot = 24 + ((at - 0xc0000) >> shift);
	}
	*end = align_down(pa, 1u << shift) + (1u << shift);
	return decode(mtrr->fixed[slot / 8] >> slot % 8 * 8 & 0xff);
}

static u64 highest_bit(u64 v)
{
	for (u32 shift = 1; shift < 64; shift *= 2)
		v |= v >> shift;
	return v ^ v >> 1;
}

/*
 * The next page above @pa that is in the range of @base and @mask if @pa is not in it, or is not
 * in it if @pa is; @limit if there is none. A mask may have holes: then the range is many pieces.
 */
static u64 next_change(u64 pa, u64 base, u64 mask, u64 limit)
{
	u64 differ = (pa ^ base) & mask;
	u64 low = mask & -mask;
	u64 bit, free;

	if (!mask)
		return limit;
	/* Inside: the next value of the lowest bit compared is outside. */
	if (!differ)
		return min_u64(align_down(pa, low) + low, limit);
	/*
	 * Rising to the highest bit that differs, all below it can be as low as the range allows.
	 */
	bit = highest_bit(differ);
	if (base & bit)
		return (pa & ~(bit * 2 - 1)) | (base & mask & (bit * 2 - 1));
	/* It must fall: only a carry into a bit above it, one that is not compared, does that. */
	free = ~mask & ~pa & (limit - 1) & ~(bit * 2 - 1);
	if (!free)
		return limit;
	bit = free & -free;
	return (pa & ~(bit * 2 - 1)) | bit | (base & mask & (bit - 1));
}

/* SDM volume 3, 12.11.4.1: what overlapping ranges make of the @types seen (a bit each). */
static enum mem_type combine(u32 types, enum mem_type none)
{
	switch (types) {
	case 0:
		return none;
	case BIT(MEM_WC):
		return MEM_WC;
	case BIT(MEM_WT):
	case BIT(MEM_WT) | BIT(MEM_WB):
		return MEM_WT;
	case BIT(MEM_WP):
		return MEM_WP;
	case BIT(MEM_WB):
		return MEM_WB;
	default:
		return MEM_UC;
	}
}

/* Lowers *@end to where the set of variable ranges that hold @pa changes. */
static enum mem_type variable_type(const struct mtrr_state *mtrr, u64 pa, u64 *end)
{
	u64 limit = phys_end(mtrr);
	u64 pages = align_down(limit - 1, PAGE_SIZE);
	u32 count = (u32)min_u64(mtrr->cap & MTRRCAP_VCNT, MTRR_VARIABLE_MAX);
	u32 types = 0;

	for (u32 i = 0; i < count; i++) {
		u64 base = mtrr->variable[i].base & pages;
		u64 mask = mtrr->variable[i].mask & pages;

		if (!(mtrr->variable[i].mask & MTRR_PHYSMASK_V))
			continue;
		/* A base outside its own mask is legal: only the bits of the mask are compared. */
		if (!((pa ^ base) & mask))
			types |= BIT(decode(mtrr->variable[i].base & 0xff));
		*end = min_u64(*end, next_change(align_down(pa, PAGE_SIZE), base, mask, limit));
	}
	return combine(types, decode(mtrr->def_type & MTRR_DEF_TYPE_TYPE));
}

enum mem_type mtrr_type(const struct mtrr_state *mtrr, u64 pa, u64 *end)
{
	u64 limit = phys_end(mtrr);
	u64 unused;

	if (!end)
		end = &unused;
	if (pa >= limit) {
		*end = align_down(pa, PAGE_SIZE) + PAGE_SIZE;
		if (*end < pa)
			*end = UINT64_MAX;
		return MEM_UC;
	}
	*end = limit;
	if (!(mtrr->def_type & MTRR_DEF_TYPE_E))
		return MEM_UC;
	if (pa < FIXED_END && (mtrr->cap & MTRRCAP_FIX) && (mtrr->def_type & MTRR_DEF_TYPE_FE))
		return fixed_type(mtrr, pa, end);
	return variable_type(mtrr, pa, end);
}

bool mtrr_same_map(const struct mtrr_state *a, const struct mtrr_state *b)
{
	u64 limit = phys_end(a);
	u64 pa = 0;

	if (limit != phys_end(b))
		return false;
	for (u32 step = 0; step < SAME_MAP_STEPS; step++) {
		u64 end_a, end_b;

		if (mtrr_type(a, pa, &end_a) != mtrr_type(b, pa, &end_b))
			return false;
		pa = min_u64(end_a, end_b);
		if (pa >= limit)
			return true;
	}
	return false;
}
