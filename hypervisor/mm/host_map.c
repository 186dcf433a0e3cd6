/* SPDX-License-Identifier: BSD-2-Clause */
#include "mm/host_map.h"

#include <keel/errno.h>

#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "lib/pagetable.h"
#include "mm/frame.h"
#include "mm/frame_table.h"
#include "mode/image.h"
#include "mode/mode.h"
#include "mode/pte.h"

/* Keel's tables, and where the window shows what lies above the identity map. */
static struct pt pt;
static u64 window_pa;

#define WINDOW	    HOST_MAP_END
#define WINDOW_SIZE MIB(2)
#define DATA_ATTRS  (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)

int host_map_init(void)
{
	u64 text = (u64)image_start;
	u64 rodata = (u64)image_text_end;
	u64 data = (u64)image_rodata_end;
	int err;

	pt = frame_table(&host_pt_format);
	if (!pt.root)
		return -ENOMEM;
	err = pt_map(&pt, 0, 0, HOST_MAP_END, DATA_ATTRS);
	if (!err)
		err = pt_map(&pt, text, text, rodata - text, PTE_P | PTE_A);
	if (!err)
		err = pt_map(&pt, rodata, rodata, data - rodata, PTE_P | PTE_A | PTE_NX);
	/* Now, so that moving the window later needs no page. */
	if (!err)
		err = pt_map(&pt, WINDOW, window_pa, WINDOW_SIZE, DATA_ATTRS);
	if (!err)
		write_cr3((unsigned long)pt.root);
	return err;
}

static void *map_window(u64 pa, size_t len)
{
	u64 offset = pa & (WINDOW_SIZE - 1);

	if (pa >= BIT64(cpu_phys_bits()) || len > WINDOW_SIZE - offset)
		return NULL;
	if (pa - offset != window_pa) {
		window_pa = pa - offset;
		if (pt_map(&pt, WINDOW, window_pa, WINDOW_SIZE, DATA_ATTRS))
			return NULL;
		invlpg(WINDOW);
	}
	return (void *)(unsigned long)(WINDOW + offset);
}

void *host_map_any(u64 pa, size_t len)
{
	return pa < HOST_MAP_END ? host_map_foreign(pa, len) : map_window(pa, len);
}

void *host_map_foreign(u64 pa, size_t len)
{
	if (pa >= HOST_MAP_END || len > HOST_MAP_END - pa)
		return NULL;
	if (pa < keel_region.end && keel_region.start < pa + len)
		return NULL;
	return (void *)(unsigned long)pa;
}
