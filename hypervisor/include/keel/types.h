/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixed-width integers and the names of the address spaces. */
#ifndef KEEL_TYPES_H
#define KEEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

/* Host-physical and guest-physical addresses are 64 bits wide on every subarch. */
typedef u64 hpa_t;
typedef u64 gpa_t;
/* A guest-linear address. */
typedef u64 gva_t;

#endif
