/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded list of typed physical address ranges: the e820 map and what is cut from it. */
#ifndef KEEL_LIB_RANGE_H
#define KEEL_LIB_RANGE_H

#include <keel/types.h>

/* ACPI 6.4 section 15, address range types. */
enum range_type {
	RANGE_USABLE = 1,
	RANGE_RESERVED = 2,
	RANGE_ACPI = 3,
	RANGE_NVS = 4,
	RANGE_UNUSABLE = 5,
};

#define RANGE_MAX 128

struct range {
	u64 start; /* first byte */
	u64 end;   /* one past the last byte; start < end always */
	u32 type;
};

/* Sorted by start; ranges never overlap; neighbours of one type are merged. */
struct range_list {
	u32 count;
	struct range at[RANGE_MAX];
};

/*
 * Sets [start, end) to @type, over whatever was there where the new type is the more restrictive
 * one (any type but RANGE_USABLE wins over RANGE_USABLE; else the larger number wins).
 * An empty range is ignored. -EINVAL if end < start; -ENOMEM if the list is full (list unchanged).
 */
int range_add(struct range_list *list, u64 start, u64 end, u32 type);

/* Sets [start, end) to @type unconditionally. Errors as range_add(). */
int range_set(struct range_list *list, u64 start, u64 end, u32 type);

/* Removes [start, end) from the list. -EINVAL if end < start, -ENOMEM if a split does not fit. */
int range_remove(struct range_list *list, u64 start, u64 end);

/* Is all of [start, end) of @type? False for an empty range. */
bool range_covered(const struct range_list *list, u64 start, u64 end, u32 type);

/* Bytes of @type below @limit. */
u64 range_total(const struct range_list *list, u32 type, u64 limit);

/*
 * Finds @size bytes aligned to @align (power of two) inside ranges of @type within [min, max),
 * which do not overlap any of the @n ranges in @avoid (unsorted; their types are ignored, empty
 * ones too). Highest address wins for range_find_high(), lowest for range_find_low(). The address
 * is put in *@found; -ENOENT if there is no such place, -EINVAL for size 0 or a bad alignment.
 */
int range_find_high(const struct range_list *list, u32 type, u64 size, u64 align, u64 min, u64 max,
		    const struct range *avoid, u32 n, u64 *found);
int range_find_low(const struct range_list *list, u32 type, u64 size, u64 align, u64 min, u64 max,
		   const struct range *avoid, u32 n, u64 *found);

#endif
