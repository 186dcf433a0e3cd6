/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of the memory types, which Keel must follow under VMX: memory keeps its content. */
#include "lib/cpu.h"
#include "lib/paging.h"
#include "lib/trap.h"

const char payload_name[] = "mtrr";

#define DEF_ENABLE BIT(11)
#define DEF_FIXED BIT(10)
#define TEST_AT 0x4000000u /* 64 MiB */
#define TEST_SIZE 0x200000u

static unsigned long cr0;

static u64 begin_update(void)
{
	u64 def = rdmsr(MSR_MTRR_DEF_TYPE);

	cr0 = read_cr0();
	write_cr0((cr0 | CR0_CD) & ~CR0_NW);
	wbinvd();
	wrmsr(MSR_MTRR_DEF_TYPE, def & ~DEF_ENABLE);
	return def;
}

static void end_update(u64 def)
{
	wrmsr(MSR_MTRR_DEF_TYPE, def);
	wbinvd();
	write_cr0(cr0);
}

static void fill(u32 seed)
{
	for (u32 at = TEST_AT; at < TEST_AT + TEST_SIZE; at += 4096)
		*(volatile u32 *)(unsigned long)at = at ^ seed;
}

static bool filled(u32 seed)
{
	for (u32 at = TEST_AT; at < TEST_AT + TEST_SIZE; at += 4096)
		if (*(volatile u32 *)(unsigned long)at != (at ^ seed))
			return false;
	return true;
}

static void check_variable(u32 last)
{
	static const u8 types[] = { 0, 1, 4, 5, 6 };
	u32 base_msr = MSR_MTRR_BASE0 + 2 * last, mask_msr = base_msr + 1;
	u64 old_base = rdmsr(base_msr), old_mask = rdmsr(mask_msr), def;
	u64 mask = ((BIT(36) - 1) & ~(u64)(TEST_SIZE - 1)) | BIT(11);

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		fill(types[i]);
		def = begin_update();
		wrmsr(base_msr, TEST_AT | types[i]);
		wrmsr(mask_msr, mask);
		end_update(def);
		check(filled(types[i]), "memory is kept when it becomes type %u", types[i]);
		fill(types[i] + 100);
		check(filled(types[i] + 100), "memory of type %u works", types[i]);
		check_eq(rdmsr(base_msr), TEST_AT | types[i], "base of type %u reads back", types[i]);
		check_eq(rdmsr(mask_msr), mask, "mask of type %u reads back", types[i]);
	}
	def = begin_update();
	wrmsr(mask_msr, old_mask);
	wrmsr(base_msr, old_base);
	end_update(def);
	check(filled(106), "memory is kept when the register is restored");
}

static void check_fixed(void)
{
	volatile u32 *at = (u32 *)0x70000;
	u32 old_word = *at;
	u64 old = rdmsr(0x250), def;

	*at = 0xfeedbeef;
	def = begin_update();
	wrmsr(0x250, 0);
	end_update(def | DEF_FIXED);
	check_eq(rdmsr(0x250), 0, "fixed register reads back");
	check_eq(*at, 0xfeedbeef, "low memory is kept when it becomes uncached");
	def = begin_update();
	wrmsr(0x250, old);
	end_update(def);
	check_eq(*at, 0xfeedbeef, "low memory is kept when it is cached again");
	*at = old_word;
}

static void check_default(void)
{
	static const u8 types[] = { 0, 1, 4, 5, 6 };
	u64 old = rdmsr(MSR_MTRR_DEF_TYPE);

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		u64 def = (old & ~0xffULL) | DEF_ENABLE | types[i];

		fill(types[i]);
		begin_update();
		end_update(def);
		check_eq(rdmsr(MSR_MTRR_DEF_TYPE), def, "default type %u reads back", types[i]);
		check(filled(types[i]), "memory is kept under default type %u", types[i]);
	}
	begin_update();
	check(filled(6), "memory is kept while MTRRs are off");
	end_update(old);
	check_eq(rdmsr(MSR_MTRR_DEF_TYPE), old, "default type is restored");
}

/* Not only at E 0 to 1: a guest may write a register while MTRRs are on. */
static void check_without_disable(u32 last)
{
	u32 mask_msr = MSR_MTRR_BASE0 + 2 * last + 1;
	u64 old = rdmsr(mask_msr);

	fill(7);
	for (u32 i = 0; i < 20; i++) {
		wrmsr(mask_msr, 0);
		wrmsr(mask_msr, old);
	}
	check(filled(7), "memory is kept over writes with MTRRs on");
}

void payload(void)
{
	u32 count = rdmsr(MSR_MTRRCAP) & 0xff;

	if (!check(count > 0, "the CPU has variable MTRRs"))
		return;
	check_variable(count - 1);
	check_fixed();
	check_default();
	check_without_disable(count - 1);
}
