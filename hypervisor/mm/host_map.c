/* SPDX-License-Identifier: BSD-2-Clause */
#include "mm/host_map.h"

#include <keel/errno.h>

#include "cpu/regs.h"
#include "lib/pagetable.h"
#include "mm/frame.h"
#include "mode/image.h"
#include "mode/mode.h"
#include "mode/pte.h"

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

int host_map_init(void)
{
	struct pt pt = { &host_pt_format, frame_alloc(), alloc, release, NULL };
	u64 text = (u64)image_start;
	u64 rodata = (u64)image_text_end;
	u64 data = (u64)image_rodata_end;
	int err;

	if (!pt.root)
		return -ENOMEM;
	err = pt_map(&pt, 0, 0, HOST_MAP_END, PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX);
	if (!err)
		err = pt_map(&pt, text, text, rodata - text, PTE_P | PTE_A);
	if (!err)
		err = pt_map(&pt, rodata, rodata, data - rodata, PTE_P | PTE_A | PTE_NX);
	if (!err)
		write_cr3((unsigned long)pt.root);
	return err;
}

void *host_map_foreign(u64 pa, size_t len)
{
	if (pa >= HOST_MAP_END || len > HOST_MAP_END - pa)
		return NULL;
	if (pa < keel_region.end && keel_region.start < pa + len)
		return NULL;
	return (void *)(unsigned long)pa;
}
