/* SPDX-License-Identifier: BSD-2-Clause */
/* The page frames inside Keel's own memory. */
#ifndef KEEL_MM_FRAME_H
#define KEEL_MM_FRAME_H

#include <keel/types.h>

/* Takes over [start, end), page-aligned HPA. Once, on the boot CPU. */
void frame_init(hpa_t start, hpa_t end);

/* One zeroed page, or NULL if Keel's memory is used up. */
void *frame_alloc(void);

/*
 * @count zeroed pages in a row, aligned to @align bytes (a power of two), or NULL. Before the guest
 * runs.
 */
void *frame_alloc_many(u32 count, u32 align);

/* Gives one page of frame_alloc()'s back. */
void frame_free(void *page);

/* Pages still free. */
u32 frame_left(void);

/* Keel's own memory, hidden from the guest: [start, end) HPA. Set by boot before anything else. */
struct keel_region {
	hpa_t start, end;
};
extern struct keel_region keel_region;

#endif
