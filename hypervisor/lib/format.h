/* SPDX-License-Identifier: BSD-2-Clause */
/* printf-style formatting without allocation. */
#ifndef KEEL_LIB_FORMAT_H
#define KEEL_LIB_FORMAT_H

#include <stdarg.h>

#include <keel/types.h>

/*
 * Formats into @buf of @size bytes, always terminated when @size > 0. Returns the length the
 * whole text has (as snprintf). Knows %% %c %s %d %i %u %x %p with the flags 0 and -, a width, a
 * precision (also .*), and the lengths l, ll, z. An unknown conversion is copied as it stands.
 */
int keel_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
int keel_snprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
