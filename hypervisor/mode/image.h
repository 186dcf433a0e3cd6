/* SPDX-License-Identifier: BSD-2-Clause */
/* Keel's image in memory (keel.lds). */
#ifndef KEEL_MODE_IMAGE_H
#define KEEL_MODE_IMAGE_H

#include <keel/types.h>

/* Borders, page-aligned: [start, text_end) code, [text_end, rodata_end) constants, then data. */
extern u8 image_start[], image_text_end[], image_rodata_end[], image_end[];

/*
 * Makes the image that this function is part of right for where it lies. May be called again on a
 * copy that was made after it ran.
 */
void image_apply_relocations(void);

/* Goes to @target on a new @stack (an address aligned to 16 bytes) for good. */
_Noreturn void boot_jump(unsigned long target, unsigned long stack);

/* The address that the linker gave what lies at @address now: what addr2line wants. */
static inline unsigned long image_link_address(unsigned long address)
{
	return address - (unsigned long)image_start + KEEL_LINK_BASE;
}

#endif
