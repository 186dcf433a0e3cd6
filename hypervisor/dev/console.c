/* SPDX-License-Identifier: BSD-2-Clause */
#include "dev/console.h"

#include <generated/autoconf.h>
#include <keel/spinlock.h>

#include "cpu/regs.h"
#include "dev/log.h"
#include "dev/screen.h"
#include "dev/uart.h"
#include "lib/format.h"

#define LINE_MAX_LEN 256
/* Longer than a line takes on a slow port. */
#define LOCK_LOOKS   50000000

static struct spinlock console_lock;

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

/*
 * Lines of several CPUs one after the other. Whoever holds the lock is printing, which ends; but a
 * fault in the middle of it must not silence the panic.
 */
static bool lock_console(void)
{
	for (u32 i = 0; i < LOCK_LOOKS; i++) {
		if (spin_trylock(&console_lock))
			return true;
		cpu_relax();
	}
	return false;
}

void log_vline(enum log_level l, const char *fmt, va_list ap)
{
	char line[LINE_MAX_LEN];
	bool locked;

	if ((u32)l > level)
		return;
	keel_vsnprintf(line, sizeof(line), fmt, ap);
	locked = lock_console();
	for (const char *p = "keel: "; *p; p++)
		put(*p);
	for (const char *p = line; *p; p++) {
		put(*p);
		log_keep(*p);
	}
	put('\n');
	log_keep('\n');
	if (locked)
		spin_unlock(&console_lock);
}

void log_line(enum log_level l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(l, fmt, ap);
	va_end(ap);
}
