/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded list of typed address ranges. */
#include <keel/bits.h>
#include <keel/errno.h>

#include "range.h"
#include "string.h"

/* A change of the list: entries [first, last) give way to the @count pieces. */
struct edit {
	u32 first, last;
	u32 count;
	struct range piece[3];
};

static void edit_push(struct edit *edit, u64 start, u64 end, u32 type)
{
	edit->piece[edit->count++] = (struct range){start, end, type};
}

/* By how many entries the list grows. */
static int edit_growth(const struct edit *edit)
{
	return (int)edit->count - (int)(edit->last - edit->first);
}

static int edit_apply(struct range_list *list, const struct edit *edit)
{
	u32 tail = list->count - edit->last;
	u32 count = edit->first + edit->count + tail;

	if (count > RANGE_MAX)
		return -ENOMEM;
	memmove(&list->at[edit->first + edit->count], &list->at[edit->last],
		tail * sizeof(list->at[0]));
	memcpy(&list->at[edit->first], edit->piece, edit->count * sizeof(edit->piece[0]));
	list->count = count;
	return 0;
}

/* Plans to give [start, end) @type. Ranges that only touch take part: they may merge. */
static void plan_set(const struct range_list *list, u64 start, u64 end, u32 type, struct edit *edit)
{
	struct range set = {start, end, type};
	const struct range *r = list->at;
	bool right = false;

	*edit = (struct edit){0};
	while (edit->first < list->count && r[edit->first].end < start)
		edit->first++;
	edit->last = edit->first;
	while (edit->last < list->count && r[edit->last].start <= end)
		edit->last++;

	if (edit->first < edit->last) {
		const struct range *low = &r[edit->first];
		const struct range *high = &r[edit->last - 1];

		if (low->start < start && low->type == type)
			set.start = low->start;
		else if (low->start < start)
			edit_push(edit, low->start, start, low->type);
		if (high->end > end && high->type == type)
			set.end = high->end;
		else if (high->end > end)
			right = true;
	}
	edit_push(edit, set.start, set.end, type);
	if (right) {
		const struct range *high = &r[edit->last - 1];

		edit_push(edit, max_u64(high->start, end), high->end, high->type);
	}
}

int range_set(struct range_list *list, u64 start, u64 end, u32 type)
{
	struct edit edit;

	if (end < start)
		return -EINVAL;
	if (start == end)
		return 0;
	plan_set(list, start, end, type, &edit);
	return edit_apply(list, &edit);
}

/* Does memory of type @old keep its type where @type is added? */
static bool resists(u32 old, u32 type)
{
	if (old == type || old == RANGE_USABLE)
		return false;
	return type == RANGE_USABLE || old > type;
}

/* The next part of [*start, end) that takes @type: into [*start, *stop). False if there is none. */
static bool next_part(const struct range_list *list, u64 end, u32 type, u64 *start, u64 *stop)
{
	*stop = end;
	for (u32 i = 0; i < list->count; i++) {
		const struct range *r = &list->at[i];

		if (r->end <= *start || !resists(r->type, type))
			continue;
		if (r->start > *start) {
			*stop = min_u64(r->start, end);
			break;
		}
		*start = r->end;
	}
	return *start < end;
}

int range_add(struct range_list *list, u64 start, u64 end, u32 type)
{
	struct edit edit;
	u64 from, to;
	int growth = 0;

	if (end < start)
		return -EINVAL;
	/* The parts lie between ranges that stay, so what one costs does not depend on others. */
	for (from = start; next_part(list, end, type, &from, &to); from = to) {
		plan_set(list, from, to, type, &edit);
		growth += edit_growth(&edit);
	}
	if ((int)list->count + growth > RANGE_MAX)
		return -ENOMEM;
	/* Those that do not grow the list go first: then it never holds more than at the end. */
	for (int grow = 0; grow <= 1; grow++) {
		for (from = start; next_part(list, end, type, &from, &to); from = to) {
			plan_set(list, from, to, type, &edit);
			if ((edit_growth(&edit) > 0) == grow)
				edit_apply(list, &edit);
		}
	}
	return 0;
}

int range_remove(struct range_list *list, u64 start, u64 end)
{
	struct edit edit = {0};
	const struct range *r = list->at;

	if (end < start)
		return -EINVAL;
	if (start == end)
		return 0;
	while (edit.first < list->count && r[edit.first].end <= start)
		edit.first++;
	edit.last = edit.first;
	while (edit.last < list->count && r[edit.last].start < end)
		edit.last++;
	if (edit.first == edit.last)
		return 0;
	if (r[edit.first].start < start)
		edit_push(&edit, r[edit.first].start, start, r[edit.first].type);
	if (r[edit.last - 1].end > end)
		edit_push(&edit, end, r[edit.last - 1].end, r[edit.last - 1].type);
	return edit_apply(list, &edit);
}

bool range_covered(const struct range_list *list, u64 start, u64 end, u32 type)
{
	/* Neighbours of one type are merged, so a covered range lies in one entry. */
	for (u32 i = 0; i < list->count; i++) {
		const struct range *r = &list->at[i];

		if (r->start <= start && end <= r->end)
			return start < end && r->type == type;
	}
	return false;
}

u64 range_total(const struct range_list *list, u32 type, u64 limit)
{
	u64 sum = 0;

	for (u32 i = 0; i < list->count && list->at[i].start < limit; i++) {
		if (list->at[i].type == type)
			sum += min_u64(list->at[i].end, limit) - list->at[i].start;
	}
	return sum;
}

/* A range of @avoid that overlaps [start, start + size), NULL if there is none. */
static const struct range *obstacle(u64 start, u64 size, const struct range *avoid, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		const struct range *a = &avoid[i];

		if (a->start < a->end && a->start < start + size && start < a->end)
			return a;
	}
	return NULL;
}

static bool bad_request(u64 size, u64 align)
{
	return !size || !align || (align & (align - 1));
}

int range_find_high(const struct range_list *list, u32 type, u64 size, u64 align, u64 min, u64 max,
		    const struct range *avoid, u32 n, u64 *found)
{
	if (bad_request(size, align))
		return -EINVAL;
	for (u32 i = list->count; i--;) {
		const struct range *r = &list->at[i];
		u64 low = max_u64(r->start, min);
		u64 high = min_u64(r->end, max);

		if (r->type != type)
			continue;
		while (low < high && high - low >= size) {
			u64 start = align_down(high - size, align);
			const struct range *block;

			if (start < low)
				break;
			block = obstacle(start, size, avoid, n);
			if (!block) {
				*found = start;
				return 0;
			}
			high = block->start;
		}
	}
	return -ENOENT;
}

int range_find_low(const struct range_list *list, u32 type, u64 size, u64 align, u64 min, u64 max,
		   const struct range *avoid, u32 n, u64 *found)
{
	if (bad_request(size, align))
		return -EINVAL;
	for (u32 i = 0; i < list->count; i++) {
		const struct range *r = &list->at[i];
		u64 low = max_u64(r->start, min);
		u64 high = min_u64(r->end, max);

		if (r->type != type)
			continue;
		while (low < high && high - low >= size) {
			u64 start = align_up(low, align);
			const struct range *block;

			/* The first test: it wrapped at the top of the address space. */
			if (start < low || start >= high || high - start < size)
				break;
			block = obstacle(start, size, avoid, n);
			if (!block) {
				*found = start;
				return 0;
			}
			low = block->end;
		}
	}
	return -ENOENT;
}
