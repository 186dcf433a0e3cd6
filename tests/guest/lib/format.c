/* SPDX-License-Identifier: BSD-2-Clause */
/* printf's formats, as many as the payloads use: %s %c %u %x %llx, zero-padded width. */
#include "format.h"
#include "guest.h"

typedef void (*put_fn)(char c, void *ctx);

static void put_number(put_fn put, void *ctx, u64 v, bool hex, int width)
{
	char digits[20];
	int n = 0;
	u32 low = (u32)v; /* decimal is for 32 bits: no 64-bit division here */

	do {
		digits[n++] = "0123456789abcdef"[hex ? v & 15 : low % 10];
		v = hex ? v >> 4 : (low /= 10);
	} while (v && n < (int)sizeof(digits));
	for (; width > n; width--)
		put('0', ctx);
	while (n)
		put(digits[--n], ctx);
}

static void put_string(put_fn put, void *ctx, const char *s)
{
	while (*s)
		put(*s++, ctx);
}

void format(put_fn put, void *ctx, const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		int width = 0, longs = 0;

		if (*fmt != '%') {
			put(*fmt, ctx);
			continue;
		}
		for (fmt++; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + *fmt - '0';
		for (; *fmt == 'l'; fmt++)
			longs++;
		switch (*fmt) {
		case 's':
			put_string(put, ctx, va_arg(ap, const char *));
			break;
		case 'c':
			put((char)va_arg(ap, int), ctx);
			break;
		case 'u':
			put_number(put, ctx, va_arg(ap, u32), false, width);
			break;
		case 'x':
			put_number(put, ctx, longs == 2 ? va_arg(ap, u64) : va_arg(ap, u32), true,
				   width);
			break;
		default:
			put('?', ctx);
		}
	}
}

struct buffer {
	char *at, *end;
};

static void put_buffer(char c, void *ctx)
{
	struct buffer *b = ctx;

	if (b->at < b->end)
		*b->at++ = c;
}

void format_to(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct buffer b = { buf, buf + size - 1 };

	format(put_buffer, &b, fmt, ap);
	*b.at = '\0';
}
