/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills a Linux kernel's zero page (Documentation/x86/boot.rst and zero-page.rst). */
#include <keel/bits.h>

#include "linux_boot.h"
#include "linux_params.h"
#include "string.h"

_Static_assert(sizeof(struct zero_page) == BOOT_PARAMS_SIZE, "the zero page is one page");

/* boot.rst, "type_of_loader": a loader without a number of its own. */
#define LOADER_UNKNOWN 0xff

/* boot.rst, "32-bit boot protocol": the header is copied as far as its own jump says it goes. */
static void copy_header(struct zero_page *params, const u8 *file)
{
	u32 end = SETUP_HEADER_JUMP_FROM + file[SETUP_HEADER_JUMP];

	if (end > SETUP_HEADER_END_MAX)
		end = SETUP_HEADER_END_MAX;
	memcpy((u8 *)params + SETUP_HEADER, file + SETUP_HEADER, end - SETUP_HEADER);
}

static void fill_header(struct setup_header *hdr, const struct linux_handover *handover)
{
	const struct linux_layout *layout = handover->layout;

	hdr->type_of_loader = LOADER_UNKNOWN;
	hdr->code32_start = (u32)layout->kernel;
	hdr->ramdisk_image = (u32)layout->initrd;
	hdr->ramdisk_size = layout->initrd ? (u32)handover->initrd_size : 0;
	hdr->cmd_line_ptr = (u32)layout->cmdline;
}

static void fill_e820(struct zero_page *params, const struct range_list *ram)
{
	u32 count = ram->count < E820_ENTRIES_MAX ? ram->count : E820_ENTRIES_MAX;

	for (u32 i = 0; i < count; i++) {
		const struct range *r = &ram->at[i];

		params->e820[i] = (struct e820_entry){r->start, r->end - r->start, r->type};
	}
	params->e820_entries = (u8)count;
}

/* What old interfaces said of the memory from 1 MiB up to the first hole. */
static void fill_sizes(struct zero_page *params, const struct range_list *ram)
{
	u64 kib = 0;

	for (u32 i = 0; i < ram->count; i++) {
		const struct range *r = &ram->at[i];

		if (r->type == RANGE_USABLE && r->start <= MIB(1) && r->end > MIB(1))
			kib = (r->end - MIB(1)) >> 10;
	}
	params->alt_mem_k = (u32)min_u64(kib, UINT32_MAX);
	params->screen.ext_mem_k = (u16)min_u64(kib, UINT16_MAX);
}

/* The cursor is on the last line, so that what Keel wrote scrolls away only as the guest writes. */
static void fill_text(struct screen_info *screen, const struct boot_framebuffer *fb)
{
	bool told = fb->present && fb->type == FRAMEBUFFER_EGA_TEXT && fb->width &&
		    fb->width <= UINT8_MAX && fb->height && fb->height <= UINT8_MAX;

	screen->orig_video_mode = 3;
	screen->orig_video_cols = told ? (u8)fb->width : 80;
	screen->orig_video_lines = told ? (u8)fb->height : 25;
	screen->orig_y = (u8)(screen->orig_video_lines - 1);
	screen->orig_video_points = 16;
	screen->orig_video_is_vga = VIDEO_TYPE_VGA_TEXT;
}

static void fill_graphics(struct screen_info *screen, const struct boot_framebuffer *fb)
{
	u64 bytes = (u64)fb->pitch * fb->height;
	u32 colours = (u32)fb->red_size + fb->green_size + fb->blue_size;

	screen->orig_video_is_vga = VIDEO_TYPE_VLFB;
	screen->lfb_width = (u16)fb->width;
	screen->lfb_height = (u16)fb->height;
	screen->lfb_depth = fb->bpp;
	screen->lfb_linelength = (u16)fb->pitch;
	screen->lfb_size = (u32)((bytes + 0xffff) >> 16);
	screen->lfb_base = (u32)fb->addr;
	screen->ext_lfb_base = (u32)(fb->addr >> 32);
	if (screen->ext_lfb_base)
		screen->capabilities = VIDEO_CAPABILITY_64BIT_BASE;
	screen->red_size = fb->red_size;
	screen->red_pos = fb->red_pos;
	screen->green_size = fb->green_size;
	screen->green_pos = fb->green_pos;
	screen->blue_size = fb->blue_size;
	screen->blue_pos = fb->blue_pos;
	/*
	 * Linux tells pixel formats by this, which Multiboot2 leaves out: what remains is on top.
	 */
	if (fb->bpp == 32 && colours < 32) {
		screen->rsvd_size = (u8)(32 - colours);
		screen->rsvd_pos = (u8)colours;
	}
}

void linux_fill_boot_params(void *params, const void *file, const struct linux_handover *handover)
{
	const struct boot_framebuffer *fb = handover->framebuffer;
	struct zero_page *page = params;

	copy_header(page, file);
	fill_header(&page->hdr, handover);
	fill_e820(page, handover->ram);
	fill_sizes(page, handover->ram);
	page->acpi_rsdp_addr = handover->rsdp;
	if (fb->present && fb->type != FRAMEBUFFER_EGA_TEXT)
		fill_graphics(&page->screen, fb);
	else
		fill_text(&page->screen, fb);
}
