/* SPDX-License-Identifier: BSD-2-Clause */
/* Keel's own command line: words "key" and "key=value", separated by blanks. */
#ifndef KEEL_LIB_CMDLINE_H
#define KEEL_LIB_CMDLINE_H

#include <keel/types.h>

/*
 * Copies the value of @key (empty for a bare key) into @value of @size bytes; false if absent or
 * too long. Where a key is given twice the last one counts.
 */
bool cmdline_get(const char *line, const char *key, char *value, size_t size);

/*
 * The value of @key as an unsigned number, decimal or 0x hexadecimal; false if absent, malformed or
 * above 64 bits.
 */
bool cmdline_get_u64(const char *line, const char *key, u64 *value);

#endif
