/* SPDX-License-Identifier: BSD-2-Clause */
/* Every CPUID leaf, for the host to compare with the bare machine's; mirrors of CR4. */
#include "lib/cpu.h"
#include "lib/trap.h"

const char payload_name[] = "cpuid";

#define ECX_OSXSAVE BIT(27)
#define ECX_XSAVE BIT(26)
#define ECX7_OSPKE BIT(4)
#define ECX7_PKU BIT(3)
#define MAX_SUBLEAF 16

static void dump_leaf(u32 leaf, u32 sub)
{
	struct cpuid r = cpuid(leaf, sub);

	same(r.eax, "cpuid %08x.%u eax", leaf, sub);
	same(r.ebx, "cpuid %08x.%u ebx", leaf, sub);
	same(r.ecx, "cpuid %08x.%u ecx", leaf, sub);
	same(r.edx, "cpuid %08x.%u edx", leaf, sub);
}

static bool has_subleaves(u32 leaf)
{
	static const u32 leaves[] = { 0x4, 0x7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x1f, 0x8000001d };

	for (u32 i = 0; i < ARRAY_SIZE(leaves); i++)
		if (leaves[i] == leaf)
			return true;
	return false;
}

static void dump_range(u32 base)
{
	u32 last = cpuid(base, 0).eax;

	for (u32 leaf = base; leaf <= last && leaf - base < 0x100; leaf++)
		for (u32 sub = 0; sub < (has_subleaves(leaf) ? MAX_SUBLEAF : 1); sub++)
			dump_leaf(leaf, sub);
	dump_leaf(last + 1, 0);
}

/* CPUID must follow CR4 as it is in that moment, in both directions. */
static void check_mirrors(void)
{
	if (cpuid(1, 0).ecx & ECX_XSAVE) {
		for (u32 round = 0; round < 3; round++) {
			write_cr4(read_cr4() | CR4_OSXSAVE);
			check(cpuid(1, 0).ecx & ECX_OSXSAVE, "OSXSAVE set, round %u", round);
			write_cr4(read_cr4() & ~CR4_OSXSAVE);
			check(!(cpuid(1, 0).ecx & ECX_OSXSAVE), "OSXSAVE clear, round %u", round);
		}
	}
	if (cpuid(7, 0).ecx & ECX7_PKU) {
		write_cr4(read_cr4() | CR4_PKE);
		check(cpuid(7, 0).ecx & ECX7_OSPKE, "OSPKE set");
		write_cr4(read_cr4() & ~CR4_PKE);
		check(!(cpuid(7, 0).ecx & ECX7_OSPKE), "OSPKE clear");
	}
}

/* What writes to memory past EPT, or while Keel runs, is not there. */
static void check_tracing_hidden(void)
{
	struct cpuid r = cpuid(0x14, 0);

	check_eq(cpuid(1, 0).ecx & (BIT(2) | BIT(4)), 0, "DTES64 and DS_CPL are hidden");
	check_eq(cpuid(1, 0).edx & BIT(21), 0, "debug store is hidden");
	check_eq(cpuid(6, 0).eax & (BIT(19) | BIT(23)), 0, "hardware feedback is hidden");
	if (cpuid(0, 0).eax >= 7)
		check_eq(cpuid(7, 0).ebx & BIT(25), 0, "processor trace is hidden");
	if (cpuid(0, 0).eax >= 0x14)
		check_eq(r.eax | r.ebx | r.ecx | r.edx, 0, "processor trace's leaf is empty");
}

void payload(void)
{
	dump_range(0);
	dump_range(0x80000000);
	dump_range(0x40000000);
	check_mirrors();
	check(cpuid(0, 0).eax >= 1 && cpuid(0, 0).eax < 0x100, "leaf 0 is sane");
	check(!under_keel || !is_intel || !(cpuid(1, 0).ecx & BIT(5)), "VMX is hidden");
	check(!under_keel || !is_intel || !(cpuid(1, 0).ecx & BIT(6)), "SMX is hidden");
	check_eq(!(cpuid(0x80000001, 0).edx & BIT(29)), no_long_mode, "long mode is hidden");
	if (under_keel && is_intel)
		check_tracing_hidden();
}
