/* SPDX-License-Identifier: BSD-2-Clause */
#include <keel/bits.h>
#include <keel/errno.h>

#include "bios.h"
#include "string.h"

#define CONVENTIONAL_END KIB(640)
/* Boot loaders rely on the memory below. */
#define CONVENTIONAL_MIN KIB(64)

#define E820_ENABLED	 BIT(0)

#define DRIVES_MAX	 128u

void bios_fill_e820(const struct range_list *ram, struct bios_e820 *out)
{
	for (u32 i = 0; i < ram->count; i++) {
		const struct range *r = &ram->at[i];

		out[i] = (struct bios_e820){r->start, r->end - r->start, r->type, E820_ENABLED};
	}
}

/* Where the usable range that holds @start ends; @start if there is none. */
static u64 usable_end(const struct range_list *ram, u64 start)
{
	for (u32 i = 0; i < ram->count; i++) {
		const struct range *r = &ram->at[i];

		if (r->type == RANGE_USABLE && r->start <= start && start < r->end)
			return r->end;
	}
	return start;
}

void bios_count(const struct range_list *ram, struct bios_sizes *out)
{
	u64 low = usable_end(ram, MIB(1)) - MIB(1);
	u64 high = usable_end(ram, MIB(16)) - MIB(16);

	out->kib_from_1m = (u16)(min_u64(low, MIB(15)) >> 10);
	out->blocks_from_16m = (u16)min_u64(high >> 16, UINT16_MAX);
	out->kib_extended = (u16)min_u64(low >> 10, UINT16_MAX);
}

int bios_take_top(struct range_list *ram, u16 conventional_kib, u64 size, u64 *place)
{
	u64 top = (u64)conventional_kib << 10;
	int err;

	if (!top || top > CONVENTIONAL_END)
		top = CONVENTIONAL_END;
	err = range_find_high(ram, RANGE_USABLE, size, PAGE_SIZE, CONVENTIONAL_MIN, top, NULL, 0,
			      place);
	return err ? -ENOENT : range_add(ram, *place, top, RANGE_RESERVED);
}

bool bios_drive(const char *word, u8 *drive)
{
	u32 n = 0;

	if (strncmp(word, "hd", 2) || word[2] < '0' || word[2] > '9')
		return false;
	for (word += 2; *word && *word != ' ' && *word != '\t'; word++) {
		if (*word < '0' || *word > '9')
			return false;
		n = n * 10 + (u32)(*word - '0');
		if (n >= DRIVES_MAX)
			return false;
	}
	*drive = (u8)(BIOS_FIRST_DISK + n);
	return true;
}
