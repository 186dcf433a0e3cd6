/* SPDX-License-Identifier: BSD-2-Clause */
/* The few memory and string functions of the C library that Keel uses, with C11's meaning. */
#ifndef KEEL_LIB_STRING_H
#define KEEL_LIB_STRING_H

#include <keel/types.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strncmp(const char *a, const char *b, size_t n);

#endif
