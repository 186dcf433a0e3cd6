/* SPDX-License-Identifier: BSD-2-Clause */
#include "dev/console.h"

#include <generated/autoconf.h>

#include "dev/screen.h"
#include "dev/uart.h"
#include "lib/format.h"

#define LINE_MAX_LEN 256

/* Data, not BSS: set before the image is moved and the same afterwards. */
static u32 level = CONFIG_LOG_LEVEL;

static void put(char c)
{
	if (c == '\n')
		uart_putc('\r');
	uart_putc(c);
	screen_putc(c);
}

void console_init(void)
{
#ifdef CONFIG_SERIAL
	uart_init(CONFIG_SERIAL_PORT, CONFIG_SERIAL_BAUD);
#endif
}

void console_use_screen(void)
{
#ifdef CONFIG_SCREEN
	screen_init();
#endif
}

void console_set_level(u32 l)
{
	level = l;
}

void console_guest_starts(void)
{
	screen_give_up();
}

void console_take_back(void)
{
	console_init();
	screen_take_back();
}

void log_vline(enum log_level l, const char *fmt, va_list ap)
{
	char line[LINE_MAX_LEN];

	if ((u32)l > level)
		return;
	keel_vsnprintf(line, sizeof(line), fmt, ap);
	for (const char *p = "keel: "; *p; p++)
		put(*p);
	for (const char *p = line; *p; p++)
		put(*p);
	put('\n');
}

void log_line(enum log_level l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(l, fmt, ap);
	va_end(ap);
}
