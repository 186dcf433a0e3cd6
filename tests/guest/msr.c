/* SPDX-License-Identifier: BSD-2-Clause */
/* MSRs: those of the guest keep what is written, those of Keel are hidden, the others do as bare. */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/trap.h"

const char payload_name[] = "msr";

#define CANONICAL 0xffff812345678000ULL
#define LOW 0x12345000ULL

struct round_trip {
	const char *name;
	u32 msr;
	u64 value;
};

static const struct round_trip round_trips[] = {
	{ "SYSENTER_CS", 0x174, 0x10 },
	{ "SYSENTER_ESP", 0x175, LOW },
	{ "SYSENTER_EIP", 0x176, LOW + 1 },
	{ "PAT", MSR_PAT, 0x0007010600070106ULL },
	{ "STAR", 0xc0000081, 0x0023001000000000ULL },
	{ "LSTAR", 0xc0000082, CANONICAL },
	{ "CSTAR", 0xc0000083, CANONICAL + 1 },
	{ "SFMASK", 0xc0000084, 0x47700 },
	{ "FS_BASE", MSR_FS_BASE, LOW },
	{ "GS_BASE", 0xc0000101, CANONICAL },
	{ "KERNEL_GS_BASE", MSR_KERNEL_GS_BASE, CANONICAL + 2 },
};

static void check_round_trips(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(round_trips); i++) {
		const struct round_trip *t = &round_trips[i];
		u64 old, got;

		if (!check_trap(try_rdmsr(t->msr, &old), NO_TRAP, "%s reads", t->name))
			continue;
		check_trap(try_wrmsr(t->msr, t->value), NO_TRAP, "%s writes", t->name);
		try_rdmsr(t->msr, &got);
		check_eq(got, t->value, "%s keeps its value", t->name);
		cpuid(0, 0);
		try_rdmsr(t->msr, &got);
		check_eq(got, t->value, "%s keeps its value over an exit", t->name);
		wrmsr(t->msr, old);
	}
}

/* SWAPGS uses KERNEL_GS_BASE itself, not a copy that Keel might keep. */
static void check_swapgs(void)
{
#ifdef __x86_64__
	wrmsr(0xc0000101, LOW);
	wrmsr(MSR_KERNEL_GS_BASE, LOW + 0x1000);
	asm volatile("swapgs" : : : "memory");
	check_eq(rdmsr(0xc0000101), LOW + 0x1000, "SWAPGS loads GS_BASE");
	check_eq(rdmsr(MSR_KERNEL_GS_BASE), LOW, "SWAPGS saves GS_BASE");
#endif
}

static void check_tsc(void)
{
	u64 before = rdtsc(), by_msr = rdmsr(MSR_TSC), after = rdtsc();

	/* QEMU's software CPU has a TSC that its MSR neither reads nor writes. */
	same(before <= by_msr && by_msr <= after, "RDMSR of the TSC agrees with RDTSC");
	check_trap(try_wrmsr(MSR_TSC, BIT(40)), NO_TRAP, "the TSC can be written");
	same(rdtsc() >= BIT(40), "a write of the TSC is seen");
}

/* What the machine does with a read, and with writing back what was read: as bare. */
static void compare_reads(void)
{
	static const struct {
		u32 from, to;
	} ranges[] = {
		{ 0x0, 0x1 }, { 0x17, 0x17 }, { 0x1b, 0x1b }, { 0x2a, 0x2a }, { 0x79, 0x79 },
		{ 0x8b, 0x8b }, { 0xce, 0xce }, { 0xe7, 0xe8 }, { 0xfe, 0xfe }, { 0x119, 0x11e },
		{ 0x174, 0x17b }, { 0x186, 0x187 }, { 0x198, 0x1a2 }, { 0x1c8, 0x1c9 },
		{ 0x1d9, 0x1d9 }, { 0x200, 0x210 }, { 0x250, 0x250 }, { 0x258, 0x259 },
		{ 0x268, 0x26f }, { 0x277, 0x277 }, { 0x2ff, 0x2ff }, { 0x345, 0x345 },
		{ 0x38d, 0x390 }, { 0x400, 0x404 }, { 0x4e0, 0x4e0 }, { 0x570, 0x571 },
		{ 0x600, 0x600 }, { 0x606, 0x606 }, { 0x611, 0x611 }, { 0x802, 0x803 },
		{ 0xd90, 0xd90 }, { 0xda0, 0xda0 }, { 0x1234, 0x1235 }, { 0x1fff, 0x2000 },
		{ 0x12345678, 0x12345678 }, { 0x3fffffff, 0x40000000 }, { 0x4b564d00, 0x4b564d04 },
		{ 0x7fffffff, 0x80000000 }, { 0xbfffffff, 0xbfffffff }, { 0xc0000103, 0xc0000104 },
		{ 0xc0001234, 0xc0001234 }, { 0xc0001fff, 0xc0002000 }, { 0xc0010000, 0xc0010007 },
		{ 0xc0010010, 0xc0010010 }, { 0xc0010015, 0xc001001f }, { 0xc001001a, 0xc001001d },
		{ 0xc0010055, 0xc0010055 }, { 0xc0010062, 0xc0010064 }, { 0xc0010111, 0xc0010113 }, { 0xc0010140, 0xc0010141 },
		{ 0xc0011004, 0xc0011005 }, { 0xc0011020, 0xc001102a }, { 0xc0011fff, 0xc0012000 },
		{ 0xffffffff, 0xffffffff },
	};
	u64 value;

	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (u32 msr = ranges[i].from;; msr++) {
			u32 vector = try_rdmsr(msr, &value);

			same(vector, "rdmsr %08x vector", msr);
			if (vector == NO_TRAP && msr != MSR_TSC)
				same(value, "rdmsr %08x value", msr);
			if (msr == ranges[i].to)
				break;
		}
	}
}

static void compare_writes(void)
{
	static const struct {
		u32 msr;
		u64 value;
	} writes[] = {
		{ 0x1234, 0 }, { 0x1fff, 1 }, { 0x2000, 0 }, { 0x12345678, 0 }, { 0x40000000, 1 },
		{ 0xc0001234, 0 }, { 0xc0002000, 1 }, { 0xffffffff, 0 }, { MSR_MTRRCAP, 0 },
		{ MSR_PAT, 0x0202020202020202ULL }, { MSR_MTRR_DEF_TYPE, 0xc02 },
		{ MSR_MTRR_BASE0, 0x7 }, { 0xc0000082, 0x8000000000000000ULL },
		{ MSR_FS_BASE, 0x0000800000000000ULL }, { 0x570, 1 }, { 0x4b564d01, 1 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(writes); i++) {
		u64 old = 0;
		u32 readable = try_rdmsr(writes[i].msr, &old);
		u32 vector = try_wrmsr(writes[i].msr, writes[i].value);

		same(vector, "wrmsr %08x %llx vector", writes[i].msr, writes[i].value);
		if (readable == NO_TRAP && vector == NO_TRAP)
			try_wrmsr(writes[i].msr, old);
	}
}

/* An update would reach Keel's own CPU. Three times, and the host looks for one line. */
static void check_microcode(void)
{
	for (u32 i = 0; i < 3; i++)
		check_trap(try_wrmsr(is_intel ? 0x79 : 0xc0010020, LOW + 48), NO_TRAP,
			   "microcode update %u is ignored", i);
}

/* The APIC's page would hide Keel's memory from Keel. */
static void check_apic_base(void)
{
	u64 old = rdmsr(MSR_APIC_BASE), start;
	u32 size = keel_region(&start);

	check_trap(try_wrmsr(MSR_APIC_BASE, old), NO_TRAP, "APIC_BASE keeps its place");
	check_trap(try_wrmsr(MSR_APIC_BASE, start | (old & 0xfff)), VEC_GP,
		   "APIC_BASE on Keel's first page");
	check_trap(try_wrmsr(MSR_APIC_BASE, (start + size - 4096) | (old & 0xfff)), VEC_GP,
		   "APIC_BASE on Keel's last page");
	if (option("nohigh"))
		check_trap(try_wrmsr(MSR_APIC_BASE, (1ULL << 32) | (old & 0xfff)), VEC_GP,
			   "APIC_BASE beyond Keel's reach");
	check_eq(rdmsr(MSR_APIC_BASE), old, "APIC_BASE is unchanged after that");
}

/* What writes to memory past the nested table, or while Keel runs. */
static void check_tracing(void)
{
	static const u32 msrs[] = { 0x3f1, 0x560, 0x561, 0x570, 0x571, 0x58f, 0x600, 0x17d0, 0x17d1 };
	u64 value;

	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++) {
		check_trap(try_rdmsr(msrs[i], &value), VEC_GP, "tracing MSR 0x%x read", msrs[i]);
		check_trap(try_wrmsr(msrs[i], 0), VEC_GP, "tracing MSR 0x%x write", msrs[i]);
	}
}

/* What says where RAM and SMM's memory are: reads as bare (compare_reads), stays as it is. */
static void check_ram_ranges(void)
{
	static const u32 msrs[] = { 0xc0010016, 0xc0010017, 0xc0010018, 0xc0010019, 0xc001001a,
				    0xc001001d, 0xc0010111, 0xc0010112, 0xc0010113 };

	/* Bochs has none of them. */
	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++) {
		u64 value = 0;

		try_rdmsr(msrs[i], &value);
		check_trap(try_wrmsr(msrs[i], value), VEC_GP, "MSR 0x%x write", msrs[i]);
	}
}

static void check_hidden_vmx(void)
{
	u64 value;

	check_tracing();

	check_trap(try_rdmsr(MSR_FEATURE_CONTROL, &value), NO_TRAP, "FEATURE_CONTROL reads");
	check_eq(value & 7, 1, "FEATURE_CONTROL is locked with VMX off");
	check_trap(try_wrmsr(MSR_FEATURE_CONTROL, 5), VEC_GP, "FEATURE_CONTROL is read-only");
	for (u32 msr = 0x480; msr <= 0x493; msr++) {
		check_trap(try_rdmsr(msr, &value), VEC_GP, "VMX capability 0x%x read", msr);
		check_trap(try_wrmsr(msr, 0), VEC_GP, "VMX capability 0x%x write", msr);
	}
}

static void check_hidden_svm(void)
{
	u64 value;

	check_ram_ranges();

	check_trap(try_rdmsr(MSR_VM_CR, &value), NO_TRAP, "VM_CR reads");
	check_eq(value & 0x18, 0x18, "VM_CR is SVMDIS and LOCK");
	check_trap(try_rdmsr(MSR_VM_HSAVE_PA, &value), NO_TRAP, "VM_HSAVE_PA read");
	check_eq(value, 0, "VM_HSAVE_PA");
	/* Linux clears it at a reboot. */
	check_trap(try_wrmsr(MSR_VM_HSAVE_PA, 0), NO_TRAP, "VM_HSAVE_PA cleared");
	check_trap(try_wrmsr(MSR_VM_HSAVE_PA, 0x1000), VEC_GP, "VM_HSAVE_PA write");
	check_trap(try_rdmsr(MSR_EFER, &value), NO_TRAP, "EFER reads");
	check_eq(value & EFER_SVME, 0, "EFER.SVME is hidden");
	check_trap(try_wrmsr(MSR_EFER, value | EFER_SVME), VEC_GP, "EFER.SVME cannot be set");
	check_eq(rdmsr(MSR_EFER), value, "EFER is unchanged after that");
}

static volatile u32 timer_irqs;

static void on_timer(struct frame *f)
{
	(void)f;
	timer_irqs++;
	apic_write(APIC_EOI, 0);
}

static void check_tsc_deadline(void)
{
	u64 value, start;

	if (!(cpuid(1, 0).ecx & BIT(24)))
		return;
	apic_init();
	trap_hook_set(VEC_IRQ, on_timer);
	apic_write(APIC_LVT_TIMER, 0x40000 | VEC_IRQ);
	check_trap(try_wrmsr(MSR_TSC_DEADLINE, 0), NO_TRAP, "TSC_DEADLINE can be disarmed");
	try_rdmsr(MSR_TSC_DEADLINE, &value);
	check_eq(value, 0, "TSC_DEADLINE reads 0 when disarmed");
	start = rdtsc();
	wrmsr(MSR_TSC_DEADLINE, start + 100000);
	asm volatile("sti");
	while (!timer_irqs && rdtsc() < start + 100000000)
		asm volatile("pause");
	asm volatile("cli");
	check_eq(timer_irqs, 1, "TSC_DEADLINE fires once");
	check(rdtsc() >= start + 100000, "TSC_DEADLINE does not fire early");
}

void payload(void)
{
	check_round_trips();
	check_swapgs();
	compare_reads();
	compare_writes();
	check_tsc_deadline();
	check_tsc();
	if (!under_keel)
		return;
	check_microcode();
	check_apic_base();
	if (is_intel)
		check_hidden_vmx();
	else
		check_hidden_svm();
}
