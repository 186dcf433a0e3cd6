/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses that no memory map names, so many that Keel cannot keep a table for each. */
#include "lib/cpu.h"
#include "lib/paging.h"

const char payload_name[] = "demand";

#define GIB_SHIFT 30
#define FIRST 8u /* above the RAM */
#define TOUCHES 600u
#define EPT_BITS 48

/* In the middle of the RAM above 4 GiB and, with another value, in the RAM below. */
#define HIGH_RAM (BIT(32) + 0x4000000)
#define LOW_RAM 0x4000000u
#define VALUE 0x5aa50ff0u

static u32 lost;

static void look(void)
{
	lost += *(volatile u32 *)LOW_RAM != ~VALUE;
	if (option("high"))
		lost += *(volatile u32 *)map_high(HIGH_RAM) != VALUE;
}

void payload(void)
{
	u32 bits = cpuid(0x80000008, 0).eax & 0xff, touched = 0;
	u64 limit = BIT((bits < EPT_BITS ? bits : EPT_BITS) - GIB_SHIFT);

	if (!paging_on())
		pae_on();
	*(volatile u32 *)LOW_RAM = ~VALUE;
	if (option("high"))
		*(volatile u32 *)map_high(HIGH_RAM) = VALUE;
	for (u64 gib = FIRST; gib < limit && touched < TOUCHES; gib++) {
		volatile u32 *p = map_high((gib << GIB_SHIFT) + 0x1000 * (touched % 64));

		if (touched % 2)
			*p = touched;
		else
			(void)*p;
		touched++;
		look();
	}
	printf("touched %u GiB of %llx\n", touched, limit);
	check(touched >= 500, "the CPU has addresses enough");
	check_eq(lost, 0, "times that RAM lost its content");
}
