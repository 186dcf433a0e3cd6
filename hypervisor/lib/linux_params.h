/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout of a Linux kernel's setup header and zero page (Documentation/x86/boot.rst, "Details
 * of Header Fields", and zero-page.rst), as far as Keel uses them.
 */
#ifndef KEEL_LIB_LINUX_PARAMS_H
#define KEEL_LIB_LINUX_PARAMS_H

#include <keel/types.h>

/* The setup header's offset, in the file and in the zero page. */
#define SETUP_HEADER	       0x1f1u
/* It ends where the byte at 0x201, the offset operand of a short jump at 0x200, leads to. */
#define SETUP_HEADER_JUMP      0x201u
#define SETUP_HEADER_JUMP_FROM 0x202u
/* The zero page's next field that is not part of it. */
#define SETUP_HEADER_END_MAX   0x290u

#define LOADFLAGS_LOADED_HIGH  0x01
#define XLOADFLAGS_KERNEL_64   0x01

/* Up to protocol 2.10's last field. */
struct setup_header {
	u8 setup_sects; /* 0x1f1 */
	u16 root_flags;
	u32 syssize; /* of the protected-mode part, in units of 16 bytes */
	u16 ram_size;
	u16 vid_mode;
	u16 root_dev;
	u16 boot_flag;
	u16 jump; /* 0x200 */
	char header[4];
	u16 version;
	u32 realmode_swtch;
	u16 start_sys_seg;
	u16 kernel_version;
	u8 type_of_loader; /* 0x210 */
	u8 loadflags;
	u16 setup_move_size;
	u32 code32_start;
	u32 ramdisk_image;
	u32 ramdisk_size;
	u32 bootsect_kludge; /* 0x220 */
	u16 heap_end_ptr;
	u8 ext_loader_ver;
	u8 ext_loader_type;
	u32 cmd_line_ptr;
	u32 initrd_addr_max;
	u32 kernel_alignment; /* 0x230 */
	u8 relocatable_kernel;
	u8 min_alignment;
	u16 xloadflags;
	u32 cmdline_size;
	u32 hardware_subarch;
	u64 hardware_subarch_data; /* 0x240 */
	u32 payload_offset;	   /* in the protected-mode part */
	u32 payload_length;
	u64 setup_data; /* 0x250 */
	u64 pref_address;
	u32 init_size; /* 0x260 */
} __attribute__((packed));

_Static_assert(SETUP_HEADER + offsetof(struct setup_header, header) == 0x202, "boot.rst");
_Static_assert(SETUP_HEADER + offsetof(struct setup_header, cmd_line_ptr) == 0x228, "boot.rst");
_Static_assert(SETUP_HEADER + offsetof(struct setup_header, pref_address) == 0x258, "boot.rst");
_Static_assert(SETUP_HEADER + sizeof(struct setup_header) == 0x264, "boot.rst");

/* Linux include/uapi/linux/screen_info.h describes the fields; the first 64 bytes of the page. */
struct screen_info {
	u8 orig_x;
	u8 orig_y;
	u16 ext_mem_k; /* not about the screen: KiB above 1 MiB, at most 0xffff */
	u16 orig_video_page;
	u8 orig_video_mode;
	u8 orig_video_cols;
	u8 flags;
	u8 unused1;
	u16 orig_video_ega_bx;
	u16 unused2;
	u8 orig_video_lines;
	u8 orig_video_is_vga;
	u16 orig_video_points; /* 0x10 */
	u16 lfb_width;
	u16 lfb_height;
	u16 lfb_depth;
	u32 lfb_base;
	u32 lfb_size; /* in units of 64 KiB */
	u16 cl_magic; /* 0x20 */
	u16 cl_offset;
	u16 lfb_linelength;
	u8 red_size, red_pos;
	u8 green_size, green_pos;
	u8 blue_size, blue_pos;
	u8 rsvd_size, rsvd_pos;
	u16 vesapm_seg;
	u16 vesapm_off; /* 0x30 */
	u16 pages;
	u16 vesa_attributes;
	u32 capabilities;
	u32 ext_lfb_base;
	u8 reserved[2];
} __attribute__((packed));

#define VIDEO_TYPE_VGA_TEXT	    1
#define VIDEO_TYPE_VLFB		    0x23
#define VIDEO_CAPABILITY_64BIT_BASE 0x02

struct e820_entry {
	u64 addr;
	u64 size;
	u32 type;
} __attribute__((packed));

#define E820_ENTRIES_MAX 128u

struct zero_page {
	struct screen_info screen; /* 0x000 */
	u8 skipped1[48];
	u64 acpi_rsdp_addr; /* 0x070 */
	u8 skipped2[360];
	u32 alt_mem_k; /* 0x1e0 */
	u8 skipped3[4];
	u8 e820_entries; /* 0x1e8 */
	u8 skipped4[8];
	struct setup_header hdr; /* 0x1f1 */
	u8 skipped5[108];
	struct e820_entry e820[E820_ENTRIES_MAX]; /* 0x2d0 */
	u8 skipped6[816];
} __attribute__((packed));

_Static_assert(sizeof(struct screen_info) == 64, "zero-page.rst");
_Static_assert(offsetof(struct screen_info, lfb_linelength) == 0x24, "screen_info.h");
_Static_assert(offsetof(struct screen_info, ext_lfb_base) == 0x3a, "screen_info.h");
_Static_assert(offsetof(struct zero_page, acpi_rsdp_addr) == 0x70, "zero-page.rst");
_Static_assert(offsetof(struct zero_page, alt_mem_k) == 0x1e0, "zero-page.rst");
_Static_assert(offsetof(struct zero_page, e820_entries) == 0x1e8, "zero-page.rst");
_Static_assert(offsetof(struct zero_page, hdr) == SETUP_HEADER, "zero-page.rst");
_Static_assert(offsetof(struct zero_page, e820) == 0x2d0, "zero-page.rst");
_Static_assert(sizeof(struct zero_page) == 4096, "zero-page.rst");

#endif
