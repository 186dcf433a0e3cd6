/* SPDX-License-Identifier: BSD-2-Clause */
/* CR0, CR4, EFER and XCR0: every bit, set and clear, does what the bare CPU does. */
#include "lib/cpu.h"
#include "lib/paging.h"
#include "lib/trap.h"

const char payload_name[] = "control";

/* Bits whose change would take the ground away from this code. */
#define CR0_KEEP (CR0_PE | CR0_PG)

static void try_cr0(const char *what, unsigned long v)
{
	unsigned long old = read_cr0(), got;
	u32 vector = try_write_cr0(v);

	got = read_cr0();
	write_cr0(old);
	same(vector, "%s cr0 %s vector", paging_on() ? "paged" : "flat", what);
	same(got, "%s cr0 %s value", paging_on() ? "paged" : "flat", what);
}

static void compare_cr0(void)
{
	char name[] = "bit 00";
	unsigned long cr0 = read_cr0();

	for (u32 bit = 0; bit < 32; bit++) {
		if (BIT(bit) & CR0_KEEP)
			continue;
		name[4] = '0' + bit / 10;
		name[5] = '0' + bit % 10;
		try_cr0(name, cr0 ^ BIT(bit));
	}
	try_cr0("CD and NW", cr0 | CR0_CD | CR0_NW);
	try_cr0("NW without CD", (cr0 & ~CR0_CD) | CR0_NW);
	if (!paging_on() && is_intel) /* QEMU's software CPU accepts it, and hangs */
		try_cr0("PG without PE", (cr0 & ~CR0_PE) | CR0_PG);
}

static void check_cr0(void)
{
	static const struct {
		const char *name;
		unsigned long bit;
	} bits[] = { { "MP", CR0_MP }, { "EM", CR0_EM }, { "TS", CR0_TS },
		     { "NE", CR0_NE }, { "WP", CR0_WP }, { "AM", CR0_AM } };
	unsigned long old = read_cr0();

	for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
		check_trap(try_write_cr0(old | bits[i].bit), NO_TRAP, "CR0.%s set", bits[i].name);
		check_eq(read_cr0(), old | bits[i].bit, "CR0.%s reads 1", bits[i].name);
		check_trap(try_write_cr0(old & ~bits[i].bit), NO_TRAP, "CR0.%s clear", bits[i].name);
		check_eq(read_cr0(), old & ~bits[i].bit, "CR0.%s reads 0", bits[i].name);
		cpuid(0, 0);
		check_eq(read_cr0(), old & ~bits[i].bit, "CR0.%s reads 0 after an exit",
			 bits[i].name);
		write_cr0(old);
	}
	write_cr0(old | CR0_TS);
	asm volatile("clts");
	check_eq(read_cr0() & CR0_TS, 0, "CLTS clears TS");
	asm volatile("smsw %%ax; orw $8, %%ax; lmsw %%ax" : : : "eax");
	check_eq(read_cr0() & CR0_TS, CR0_TS, "LMSW sets TS");
	write_cr0(old);
}

/*
 * QEMU's software CPU answers a reserved bit of CR4 with an exit that it takes even when no
 * hypervisor runs, and hangs in it: on AMD only the bits that CPUID shows are tried.
 */
static u32 cr4_bits_to_try(void)
{
	static const struct {
		u32 leaf, ecx, cpuid_bit, cr4_bit;
	} features[] = {
		{ 7, 1, 2, 11 },  { 7, 0, 0, 16 }, { 1, 1, 17, 17 }, { 1, 1, 26, 18 },
		{ 7, 0, 7, 20 }, { 7, 0, 20, 21 }, { 7, 1, 3, 22 },
	};
	u32 bits = 0x7ff;

	if (is_intel)
		return 0xffffffff;
	for (u32 i = 0; i < ARRAY_SIZE(features); i++) {
		struct cpuid r = cpuid(features[i].leaf, 0);

		if ((features[i].ecx ? r.ecx : r.ebx) & BIT(features[i].cpuid_bit))
			bits |= BIT(features[i].cr4_bit);
	}
	return bits;
}

static void compare_cr4(void)
{
	u32 bits = cr4_bits_to_try();
	unsigned long old = read_cr4();
	const char *where = paging_on() ? "paged" : "flat";

	for (u32 bit = 0; bit < 32; bit++) {
		unsigned long got;
		u32 vector;

		if (!(BIT(bit) & bits) || (paging_on() && (BIT(bit) & CR4_PAE)))
			continue;
		vector = try_write_cr4(old ^ BIT(bit));
		got = read_cr4();
		write_cr4(old);
		same(vector, "%s cr4 bit %u vector", where, bit);
		same(got, "%s cr4 bit %u value", where, bit);
		if (vector == NO_TRAP && !(is_intel && (BIT(bit) & CR4_VMXE)))
			check_eq(got, old ^ BIT(bit), "%s CR4 bit %u toggles", where, bit);
	}
	if (under_keel && is_intel) {
		check_trap(try_write_cr4(old | CR4_VMXE), VEC_GP, "CR4.VMXE cannot be set");
		check_eq(read_cr4(), old, "CR4.VMXE reads 0");
	}
	if (sizeof(long) == 8 && is_intel)
		check_trap(try_write_cr4(old & ~CR4_PAE), VEC_GP,
			   "CR4.PAE cannot be cleared in long mode");
}

static void check_efer(void)
{
	u64 old = rdmsr(MSR_EFER);

	for (u32 i = 0; i < 3; i++) {
		check_trap(try_wrmsr(MSR_EFER, old ^ EFER_SCE), NO_TRAP, "EFER.SCE toggles");
		check_eq(rdmsr(MSR_EFER), old ^ EFER_SCE, "EFER.SCE reads back");
		check_trap(try_wrmsr(MSR_EFER, old ^ EFER_NXE), NO_TRAP, "EFER.NXE toggles");
		check_eq(rdmsr(MSR_EFER), old ^ EFER_NXE, "EFER.NXE reads back");
		wrmsr(MSR_EFER, old);
	}
	for (u32 bit = 0; bit < 64; bit++) {
		u32 vector;
		u64 got;

		if (BIT(bit) & (EFER_LME | EFER_SVME))
			continue;
		vector = try_wrmsr(MSR_EFER, old ^ BIT(bit));
		got = rdmsr(MSR_EFER);
		wrmsr(MSR_EFER, old);
		same(vector, "efer bit %u vector", bit);
		same(got, "efer bit %u value", bit);
	}
	if (sizeof(long) == 8) {
		same(try_wrmsr(MSR_EFER, old & ~EFER_LME), "efer clear LME while active vector");
		check_eq(old & (EFER_LME | EFER_LMA), EFER_LME | EFER_LMA, "EFER shows long mode");
	} else if (no_long_mode) {
		check_trap(try_wrmsr(MSR_EFER, old | EFER_LME), VEC_GP, "EFER.LME set, without long mode");
		check_eq(rdmsr(MSR_EFER), old, "EFER.LME stays clear");
	} else {
		check_trap(try_wrmsr(MSR_EFER, old | EFER_LME), NO_TRAP, "EFER.LME set, unpaged");
		check_eq(rdmsr(MSR_EFER), old | EFER_LME, "EFER.LME reads back, LMA is clear");
		wrmsr(MSR_EFER, old);
	}
}

static u64 xgetbv(void)
{
	u32 lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (u64)hi << 32 | lo;
}

static void check_xcr0(void)
{
	static const u64 illegal[] = { 0, 2, 4, 5, 0x8, 0x10, BIT(63), BIT(40) | 1 };
	u64 supported, old;

	if (!(cpuid(1, 0).ecx & BIT(26)))
		return;
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	check_trap(try_xsetbv(0, 1), VEC_UD, "XSETBV without OSXSAVE");
	write_cr4(read_cr4() | CR4_OSXSAVE);
	supported = cpuid(0xd, 0).eax;
	old = xgetbv();
	for (u64 v = 1; v <= 7; v++) {
		if ((v & ~supported) || !(v & 1) || (v & 6) == 4)
			continue;
		check_trap(try_xsetbv(0, v), NO_TRAP, "XCR0 0x%llx", v);
		check_eq(xgetbv(), v, "XCR0 0x%llx reads back", v);
	}
	try_xsetbv(0, old);
	for (u32 i = 0; i < ARRAY_SIZE(illegal); i++) {
		u32 vector = try_xsetbv(0, illegal[i]);

		check_trap(vector, VEC_GP, "XCR0 0x%llx is illegal", illegal[i]);
		check_eq(xgetbv(), old, "XCR0 is unchanged by 0x%llx", illegal[i]);
	}
	check_trap(try_xsetbv(1, 1), VEC_GP, "XCR1 does not exist");
	check_trap(try_xsetbv(0xffffffff, 1), VEC_GP, "XCR 0xffffffff does not exist");
	check_trap(try_xsetbv(0, BIT(32) | 1), VEC_GP, "the upper half of XCR0 counts");
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
}

/* CR8 is the task priority: its round trip must not touch Keel. */
static void check_cr8(void)
{
#ifdef __x86_64__
	unsigned long v;

	for (unsigned long i = 0; i < 16; i++) {
		asm volatile("mov %1, %%cr8; mov %%cr8, %0" : "=r"(v) : "r"(i));
		check_eq(v, i, "CR8 keeps %u", (u32)i);
	}
	asm volatile("mov %0, %%cr8" : : "r"(0UL));
#endif
}

void payload(void)
{
	check_cr0();
	compare_cr0();
	compare_cr4();
	check_efer();
	check_xcr0();
	check_cr8();
	if (sizeof(long) == 4) {
		for (u32 i = 0; i < 10; i++) {
			pae_on();
			check(paging_on() && cpuid(0, 0).eax, "PAE paging on, round %u", i);
			pae_off();
			check(!paging_on() && cpuid(0, 0).eax, "PAE paging off, round %u", i);
		}
		pae_on();
		check_cr0();
		compare_cr0();
		compare_cr4();
		pae_off();
	}
}
