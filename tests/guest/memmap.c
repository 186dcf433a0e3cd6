/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map: sane, without Keel's memory, and all of its RAM works. */
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/paging.h"

const char payload_name[] = "memmap";

static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static void check_table(void)
{
	const struct e820 *e = e820_table();
	u32 n = e820_count();
	bool sorted = true, apart = true, whole = true;

	check(n > 2 && n <= 128, "e820 has entries");
	for (u32 i = 0; i < n; i++) {
		printf("E820 %llx %llx %u\n", e[i].start, e[i].size, e[i].type);
		if (!e[i].size || e[i].start + e[i].size < e[i].start)
			whole = false;
		if (i && e[i].start < e[i - 1].start)
			sorted = false;
		for (u32 k = 0; k < i; k++)
			if (overlap(e[i].start, e[i].size, e[k].start, e[k].size))
				apart = false;
	}
	check(whole, "no entry is empty or wraps");
	check(sorted, "entries are sorted");
	check(apart, "entries do not overlap");
}

static void check_region(void)
{
	const struct e820 *e = e820_table();
	u64 start;
	u32 size;
	bool clear = true;

	if (!under_keel)
		return;
	size = keel_region(&start);
	printf("REGION %llx %x\n", start, size);
	check(size > 0 && size <= 4 << 20, "Keel takes at most 4 MiB");
	check((start & 4095) == 0 && (size & 4095) == 0, "Keel takes whole pages");
	for (u32 i = 0; i < e820_count(); i++)
		if (e[i].type == E820_RAM && overlap(e[i].start, e[i].size, start, size))
			clear = false;
	check(clear, "Keel's memory is not in e820's RAM");
}

/* Writes, reads and restores one word; what is ours stays whole that way. */
static bool word_works(u64 pa)
{
	volatile u32 *p = map_high(pa);
	u32 old = *p;
	bool ok;

	*p = 0x5aa50ff0 ^ (u32)pa;
	wbinvd();
	ok = *p == (0x5aa50ff0 ^ (u32)pa);
	*p = old;
	return ok && *p == old;
}

static void check_ram(const struct e820 *e)
{
	u64 start = (e->start + 4095) & ~4095ULL, end = (e->start + e->size) & ~4095ULL;
	/* Bochs keeps the better part of much RAM in a file: touch less of it. */
	u64 step = e->size > BIT(29) ? 0x1000000 : sizeof(long) == 8 ? 0x10000 : 0x100000;
	u32 bad = 0;

	for (u64 pa = start; pa < end; pa += step)
		bad += !word_works(pa);
	bad += !word_works(end - 4);
	check_eq(bad, 0, "bad words in the RAM at 0x%llx", e->start);
}

/* RAM above 4 GiB is its own, not an alias of what lies below. */
static void check_alias(const struct e820 *e)
{
	volatile u32 *p;

	*(volatile u32 *)0x3000000 = 1;
	p = map_high(BIT(32) + 0x3000000);
	if (e->start + e->size <= BIT(32) + 0x3000004)
		return;
	*p = 2;
	check_eq(*(volatile u32 *)0x3000000, 1, "RAM above 4 GiB is no alias");
	check_eq(*p, 2, "RAM above 4 GiB keeps its content");
}

void payload(void)
{
	const struct e820 *e = e820_table();
	bool high = false;

	check_table();
	check_region();
	if (!paging_on())
		pae_on();
	for (u32 i = 0; i < e820_count(); i++) {
		if (e[i].type != E820_RAM)
			continue;
		check_ram(&e[i]);
		if (e[i].start >= BIT(32)) {
			check_alias(&e[i]);
			high = true;
		}
	}
	check_eq(high, option("high"), "RAM above 4 GiB is there");
	if (option("cut"))
		check_eq(cpuid(0x80000008, 0).eax & 0xff, 32, "CPUID's bits of physical address");
}
