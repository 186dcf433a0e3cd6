/* SPDX-License-Identifier: BSD-2-Clause */
/* Text to COM1, 115200 baud. */
#include <stdarg.h>

#include "cpu.h"
#include "format.h"

#define COM1 0x3f8
#define LSR_ROOM 0x20
#define LSR_EMPTY 0x40

static void wait_for(u8 bit)
{
	while (!(inb(COM1 + 5) & bit))
		;
}

static void put_serial(char c, void *unused)
{
	(void)unused;
	if (c == '\n')
		put_serial('\r', NULL);
	wait_for(LSR_ROOM);
	outb(COM1, c);
}

void console_init(void)
{
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 0x80);
	outb(COM1 + 0, 1);
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 3);
	outb(COM1 + 2, 7);
	outb(COM1 + 4, 3);
}

void console_flush(void)
{
	wait_for(LSR_EMPTY);
}

void vprintf(const char *fmt, va_list ap)
{
	format(put_serial, NULL, fmt, ap);
}

void printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}
