/* SPDX-License-Identifier: BSD-2-Clause */
#include "mm/frame_table.h"

#include "mm/frame.h"

static void *alloc(void *pool)
{
	(void)pool;
	return frame_alloc();
}

static void release(void *pool, void *page)
{
	(void)pool;
	frame_free(page);
}

struct pt frame_table(const struct pt_format *format)
{
	return (struct pt){format, frame_alloc(), alloc, release, NULL};
}
