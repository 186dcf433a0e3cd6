/* SPDX-License-Identifier: BSD-2-Clause */
#include "mm/frame.h"

#include <keel/bits.h>

#include "lib/string.h"

struct keel_region keel_region;

/* Never used frames lie in [next, end); given-back ones hang on a list through their first word. */
static hpa_t next, end;
static void *free_list;
static u32 free_count;

void frame_init(hpa_t start, hpa_t limit)
{
	next = start;
	end = limit;
	free_list = NULL;
	free_count = 0;
}

void *frame_alloc(void)
{
	void *page = free_list;

	if (!page)
		return frame_alloc_many(1, PAGE_SIZE);
	free_list = *(void **)page;
	free_count--;
	return memset(page, 0, PAGE_SIZE);
}

void *frame_alloc_many(u32 count, u32 align)
{
	hpa_t at = align_up(next, align);
	u64 bytes = (u64)count * PAGE_SIZE;

	if (at > end || end - at < bytes)
		return NULL;
	/* What alignment skips is not lost. */
	for (; next < at; next += PAGE_SIZE)
		frame_free((void *)(unsigned long)next);
	next = at + bytes;
	return memset((void *)(unsigned long)at, 0, bytes);
}

void frame_free(void *page)
{
	*(void **)page = free_list;
	free_list = page;
	free_count++;
}

u32 frame_left(void)
{
	return free_count + (u32)((end - next) / PAGE_SIZE);
}
