/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and string functions. Bulk work is left to the string instructions (SDM volume 1, 7.3.9.3:
 * fast-string operation), in words, so that moving an initrd costs what the memory costs.
 *
 * Freestanding, no compiler turns the loops here into calls of what they implement; a test looks.
 * The direction flag is never set: an NMI may arrive at any instruction, and its handler is C.
 */
#include "string.h"

/* One machine word, at any address. */
typedef unsigned long word_t __attribute__((may_alias, aligned(1)));

#define WORD	  sizeof(word_t)

/* Below this distance a backward move by blocks would be slower than one by words. */
#define BLOCK_MIN 256u

static void copy_up(unsigned char *d, const unsigned char *s, size_t n)
{
	size_t words = n / WORD;

	__asm__ volatile(".if %c[width] == 8\n\trep movsq\n\t.else\n\trep movsl\n\t.endif"
			 : "+D"(d), "+S"(s), "+c"(words)
			 : [width] "i"(WORD)
			 : "memory");
	for (n %= WORD; n; n--)
		*d++ = *s++;
}

/* For a destination at most @n bytes above the source: from the top down. */
static void copy_down(unsigned char *d, const unsigned char *s, size_t n, size_t distance)
{
	/* Blocks no longer than the distance do not overlap themselves. */
	while (distance >= BLOCK_MIN && n >= distance) {
		n -= distance;
		copy_up(d + n, s + n, distance);
	}
	if (distance >= BLOCK_MIN) {
		copy_up(d, s, n);
		return;
	}
	while (n >= WORD) {
		n -= WORD;
		*(word_t *)(d + n) = *(const word_t *)(s + n);
	}
	while (n--)
		d[n] = s[n];
}

void *memcpy(void *dst, const void *src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	size_t distance = (uintptr_t)dst - (uintptr_t)src;

	/* Below the source this wraps to a large number: moving up is right there. */
	if (distance < n && distance)
		copy_down(dst, src, n, distance);
	else
		copy_up(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	unsigned char *d = dst;
	unsigned long fill = (unsigned char)c * (~0ul / 0xff);
	size_t words = n / WORD;

	__asm__ volatile(".if %c[width] == 8\n\trep stosq\n\t.else\n\trep stosl\n\t.endif"
			 : "+D"(d), "+c"(words)
			 : "a"(fill), [width] "i"(WORD)
			 : "memory");
	for (n %= WORD; n; n--)
		*d++ = (unsigned char)c;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	}
	return 0;
}
