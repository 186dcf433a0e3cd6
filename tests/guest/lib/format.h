/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdarg.h>
#include <stddef.h>

void format(void (*put)(char c, void *ctx), void *ctx, const char *fmt, va_list ap);
void format_to(char *buf, size_t size, const char *fmt, va_list ap);
void vprintf(const char *fmt, va_list ap);

#endif
