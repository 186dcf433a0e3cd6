/* SPDX-License-Identifier: BSD-2-Clause */
/* What every payload guest can use; see docs/testing.md. */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1ULL << (n))

/* Each payload supplies these two. */
extern const char payload_name[];
void payload(void);

/* Console: COM1. Knows %s %c %u %x and %llx, with a zero-padded width. */
void printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void console_init(void);
void console_flush(void);

/* Results. The name of a check is a format. */
bool check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool check_eq(u64 got, u64 want, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A line "SAME key: value": the host compares it with the bare run's line of the same key. */
void same(u64 value, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
__attribute__((noreturn)) void finish(void);

/* Boot. */
extern const u8 *boot_params;
extern char command_line[];
extern bool under_keel; /* the command line says so, and the first check proves it */
extern bool is_intel;
/* Keel is 32-bit code: its guests have no long mode. The command line says so. */
extern bool no_long_mode;
bool option(const char *word);

struct e820 {
	u64 start, size;
	u32 type;
} __attribute__((packed));
#define E820_RAM 1
u32 e820_count(void);
const struct e820 *e820_table(void);

/* Strings. */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

#endif
