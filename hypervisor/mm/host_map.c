/* SPDX-License-Identifier: BSD-2-Clause */
#include "mm/host_map.h"

#include <generated/autoconf.h>
#include <keel/errno.h>
#include <keel/percpu.h>

#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "lib/pagetable.h"
#include "mm/frame.h"
#include "mm/frame_table.h"
#include "mode/image.h"
#include "mode/mode.h"
#include "mode/paging.h"
#include "mode/pte.h"

static struct pt pt;

/* Each CPU's window on what the identity map has not; cpu->window_pa is what it shows. */
#define WINDOW_SIZE HOST_WINDOW_SIZE
#define WINDOWS_END (HOST_WINDOWS + CONFIG_NR_CPUS * WINDOW_SIZE)
#define DATA_ATTRS  (PTE_P | PTE_RW | PTE_A | PTE_D | HOST_PTE_NX)

int host_map_init(void)
{
	u64 text = (uintptr_t)image_start;
	u64 rodata = (uintptr_t)image_text_end;
	u64 data = (uintptr_t)image_rodata_end;
	int err;

	pt = frame_table(&host_pt_format);
	if (!pt.root)
		return -ENOMEM;
	err = pt_map(&pt, 0, 0, HOST_MAP_END, DATA_ATTRS);
	if (!err)
		err = pt_map(&pt, text, text, rodata - text, PTE_P | PTE_A);
	if (!err)
		err = pt_map(&pt, rodata, rodata, data - rodata, PTE_P | PTE_A | HOST_PTE_NX);
	/* Now, so that moving a window later needs no page. */
	for (u64 i = 0; i < CONFIG_NR_CPUS && !err; i++)
		err = pt_map(&pt, HOST_WINDOWS + i * WINDOW_SIZE, 0, WINDOW_SIZE, DATA_ATTRS);
	if (!err)
		paging_load((unsigned long)pt.root);
	return err;
}

/* Other CPUs change their own entries of the same table at the same time: no page is needed. */
static void *map_window(u64 pa, size_t len)
{
	struct percpu *cpu = this_cpu();
	u64 window = HOST_WINDOWS + cpu->index * WINDOW_SIZE;
	u64 offset = pa & (WINDOW_SIZE - 1);

	if (pa >= BIT64(cpu_phys_bits()) || len > WINDOW_SIZE - offset)
		return NULL;
	if (pa - offset != cpu->window_pa) {
		if (pt_map(&pt, window, pa - offset, WINDOW_SIZE, DATA_ATTRS))
			return NULL;
		cpu->window_pa = pa - offset;
		invlpg(window);
	}
	return (void *)(unsigned long)(window + offset);
}

/* Is it where the windows are in the way, if they lie within the identity map? */
static bool in_windows(u64 pa, size_t len)
{
	return HOST_WINDOWS < HOST_MAP_END && pa < WINDOWS_END && HOST_WINDOWS < pa + len;
}

void *host_map_any(u64 pa, size_t len)
{
	if (pa < HOST_MAP_END && !in_windows(pa, len))
		return host_map_foreign(pa, len);
	return map_window(pa, len);
}

void *host_map_foreign(u64 pa, size_t len)
{
	if (pa >= HOST_MAP_END || len > HOST_MAP_END - pa || in_windows(pa, len))
		return NULL;
	if (pa < keel_region.end && keel_region.start < pa + len)
		return NULL;
	return (void *)(unsigned long)pa;
}

int host_map_executable(u64 pa, bool executable)
{
	return pt_map(&pt, pa, pa, PAGE_SIZE,
		      executable ? PTE_P | PTE_RW | PTE_A | PTE_D : DATA_ATTRS);
}
