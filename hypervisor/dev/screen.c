/* SPDX-License-Identifier: BSD-2-Clause */
#include "dev/screen.h"

#include <keel/types.h>

#include "cpu/port.h"
#include "lib/string.h"
#include "mm/host_map.h"

#define TEXT_BASE	 0xb8000ul
#define COLUMNS		 80u
#define ROWS		 25u
#define ATTR_GREY	 0x0700u

/* BIOS data area: column and row of page 0's cursor. */
#define BDA_CURSOR	 0x450

/* CRT controller (IBM VGA technical reference): index and data port, cursor location. */
#define CRTC_INDEX	 0x3d4
#define CRTC_DATA	 0x3d5
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW	 0x0f

static volatile u16 *text;
static u32 at; /* cell to write next */
static bool usable;

static u8 crtc(u8 index)
{
	outb(CRTC_INDEX, index);
	return inb(CRTC_DATA);
}

void screen_init(void)
{
	usable = true;
	text = (volatile u16 *)TEXT_BASE;
	at = (u32)crtc(CRTC_CURSOR_HIGH) << 8 | crtc(CRTC_CURSOR_LOW);
	if (at >= COLUMNS * ROWS)
		at = 0;
	at -= at % COLUMNS;
}

void screen_give_up(void)
{
	u16 cursor = (u16)(at / COLUMNS << 8 | at % COLUMNS);

	if (!text)
		return;
	outb(CRTC_INDEX, CRTC_CURSOR_HIGH);
	outb(CRTC_DATA, (u8)(at >> 8));
	outb(CRTC_INDEX, CRTC_CURSOR_LOW);
	outb(CRTC_DATA, (u8)at);
	memcpy(host_map_foreign(BDA_CURSOR, sizeof(cursor)), &cursor, sizeof(cursor));
	text = NULL;
}

void screen_take_back(void)
{
	if (usable && !text)
		screen_init();
}

static void scroll(void)
{
	for (u32 i = 0; i < COLUMNS * (ROWS - 1); i++)
		text[i] = text[i + COLUMNS];
	for (u32 i = COLUMNS * (ROWS - 1); i < COLUMNS * ROWS; i++)
		text[i] = ATTR_GREY | ' ';
	at -= COLUMNS;
}

void screen_putc(char c)
{
	if (!text)
		return;
	if (c == '\n')
		at += COLUMNS - at % COLUMNS;
	else
		text[at++] = ATTR_GREY | (u8)c;
	if (at >= COLUMNS * ROWS)
		scroll();
}
