/* SPDX-License-Identifier: BSD-2-Clause */
#include <keel/panic.h>

#include "boot/boot.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mode/image.h"
#include "mode/mode.h"

/* Below 1 MiB lies what firmware and guests use in real mode. */
#define LOWEST MIB(1)

static u64 find_place(const struct boot_info *info, u64 size)
{
	struct range avoid[BOOT_MODULES_MAX + 1];
	u32 n = 0;
	u64 place;

	avoid[n++] = (struct range){(uintptr_t)image_start, (uintptr_t)image_end, 0};
	for (u32 i = 0; i < info->module_count; i++)
		avoid[n++] = (struct range){info->module[i].start, info->module[i].end, 0};
	/* Below the windows (mm/host_map.c), which are at 4 GiB or little below. */
	if (range_find_high(&info->memory, RANGE_USABLE, size, KEEL_REGION_ALIGN, LOWEST,
			    HOST_WINDOWS, avoid, n, &place))
		refuse("too little memory: no free %llu MiB below 4 GiB for Keel; give the machine "
		       "more RAM",
		       (unsigned long long)(size >> 20));
	return place;
}

/*
 * Room for the nested table of 4 KiB pages, if there are no larger ones: for all that is mapped from the
 * start, and for one mapping on demand (vmm/nested.c).
 */
static u64 nested_table_size(const struct boot_info *info)
{
	u64 end = GIB(4);

	if (NESTED_2M)
		return 0;
	for (u32 i = 0; i < info->memory.count; i++) {
		if (info->memory.at[i].type == RANGE_USABLE)
			end = max_u64(end, info->memory.at[i].end);
	}
	/* A table of 4 KiB has entries for 2 MiB at least. */
	return (end + GIB(1)) / MIB(2) * PAGE_SIZE;
}

_Noreturn void boot_relocate(const struct boot_info *info, u32 cpus, void (*next)(void))
{
	u64 size = align_up(KEEL_REGION_MACHINE + cpus * KEEL_REGION_PER_CPU + nested_table_size(info),
			    KEEL_REGION_ALIGN);
	u64 place = find_place(info, size);
	unsigned long shift = (unsigned long)place - (unsigned long)image_start;
	extern u8 boot_area[];
	void (*apply)(void);
	unsigned long stack = (unsigned long)&((struct cpu_area *)boot_area)->cpu;

	/* Set before the copy is made: it carries over. */
	keel_region = (struct keel_region){place, place + size};
	memcpy((void *)(unsigned long)place, image_start, (size_t)(image_end - image_start));
	apply = (void (*)(void))((unsigned long)image_apply_relocations + shift);
	apply();
	boot_jump((unsigned long)next + shift, stack + shift);
}
