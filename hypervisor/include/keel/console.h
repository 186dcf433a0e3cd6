/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text out to the serial port and, until the guest owns it, the screen. Every line begins "keel: ".
 */
#ifndef KEEL_CONSOLE_H
#define KEEL_CONSOLE_H

#include <stdarg.h>

#include <keel/types.h>

enum log_level {
	LOG_PANIC,
	LOG_ERROR,
	LOG_NOTICE, /* banner, warnings, the counts at power-off */
	LOG_INFO,
	LOG_DEBUG,
};

/* Prints one line if @level is at most the level in force; the newline is added. Any context. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_vline(enum log_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

#define log_error(...)	log_line(LOG_ERROR, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_DEBUG, __VA_ARGS__)

#endif
