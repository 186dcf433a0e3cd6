/* SPDX-License-Identifier: BSD-2-Clause */
/* What a BIOS tells real-mode software of memory and disks (ACPI 6.4, 15.1; Ralf Brown's list). */
#ifndef KEEL_LIB_BIOS_H
#define KEEL_LIB_BIOS_H

#include <keel/types.h>
#include "range.h"

#define BIOS_FIRST_DISK 0x80u

/* An entry of INT 15h, AX=E820h. Callers with a small buffer get the first 20 bytes. */
struct bios_e820 {
	u64 start;
	u64 size;
	u32 type;
	u32 attributes; /* bit 0: the entry counts */
} __attribute__((packed));

/* The most that the older calls may say. */
struct bios_sizes {
	u16 kib_from_1m;     /* E801h, AX and CX: KiB from 1 MiB, up to 16 MiB */
	u16 blocks_from_16m; /* E801h, BX and DX: 64 KiB from 16 MiB */
	u16 kib_extended;    /* AH=88h: KiB from 1 MiB */
};

/* Writes one entry for each range of @ram. */
void bios_fill_e820(const struct range_list *ram, struct bios_e820 *out);

/* Each size is that of the usable range that holds its start. */
void bios_count(const struct range_list *ram, struct bios_sizes *out);

/*
 * Takes @size bytes from the top of conventional memory, of which INT 12h says there are
 * @conventional_kib: everything from the page-aligned address that is put in *@place to the old top
 * becomes reserved in @ram. -ENOENT if nothing is free, or as range_add().
 */
int bios_take_top(struct range_list *ram, u16 conventional_kib, u64 size, u64 *place);

/* GRUB's number of a disk by the BIOS' one. */
static inline u32 bios_disk(u8 drive)
{
	return drive - BIOS_FIRST_DISK;
}

/* The BIOS number of a disk by GRUB's name: 0x80 + n for "hdn". False if @word is no such name. */
bool bios_drive(const char *word, u8 *drive);

#endif
