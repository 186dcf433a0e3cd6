/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses what GRUB hands over (Multiboot2 specification 2.0, section 3.6). */
#ifndef KEEL_LIB_MULTIBOOT2_H
#define KEEL_LIB_MULTIBOOT2_H

#include <keel/types.h>
#include "range.h"

#define MULTIBOOT2_MAGIC 0x36d76289u /* in EAX at entry */
#define BOOT_MODULES_MAX 8
#define BOOT_CMDLINE_MAX 2048

struct boot_module {
	u64 start, end; /* HPA */
	/* The module's string: first word the role ("vmlinuz", "initrd"), rest its arguments. */
	char string[BOOT_CMDLINE_MAX];
};

#define FRAMEBUFFER_EGA_TEXT 2
#define BOOT_NO_DEVICE	     0xffffffffu

struct boot_framebuffer {
	bool present;
	u64 addr; /* HPA */
	u32 pitch, width, height;
	u8 bpp;
	u8 type; /* 0 indexed, 1 RGB, FRAMEBUFFER_EGA_TEXT */
	u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

/* A copy: the information structure itself may be overwritten after parsing. */
struct boot_info {
	char cmdline[BOOT_CMDLINE_MAX]; /* Keel's own */
	u32 module_count;
	struct boot_module module[BOOT_MODULES_MAX];
	struct range_list memory; /* the memory map of tag 6 */
	struct boot_framebuffer framebuffer;
	u32 bios_device; /* of GRUB's root: the BIOS' number, BOOT_NO_DEVICE if unknown */
	u32 rsdp_len; /* copy of the RSDP of tag 15 or 14, 0 if none */
	u8 rsdp[64];
};

/*
 * Parses @size bytes at @mbi into @out. Every length is checked against @size and the tag. Returns
 * 0, or -EINVAL with *@why a clear constant sentence (no newline) that names what is wrong:
 * truncated, no memory map, too many modules or memory ranges (names the limit), string too long,
 * module end < start. Memory of a type the specification does not know is reserved.
 */
int multiboot2_parse(const void *mbi, size_t size, struct boot_info *out, const char **why);

/* Is the first word of the module's string @role? */
bool boot_module_is(const struct boot_module *module, const char *role);

/* The first module whose string's first word is @role, NULL if there is none. */
const struct boot_module *boot_module_find(const struct boot_info *info, const char *role);

/* The rest of a module's string after its first word and the blanks behind it. */
const char *boot_module_args(const struct boot_module *module);

#endif
