/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which VMCS fields the exits that come often touch, exactly: for a Keel with CONFIG_COUNT_VMCS. Above KVM an
 * access that is not shadowed costs an exit of its own.
 */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/trap.h"

const char payload_name[] = "vmcs";

#define ROUNDS 100

/* Encodings (SDM volume 3, appendix B): width at 13, type at 10, index at 1. */
#define WIDTHS 4
#define TYPES 4
#define INDICES 32
#define FIELD(n) ((n) / (TYPES * INDICES) << 13 | (n) / INDICES % TYPES << 10 | (n) % INDICES << 1)
#define FIELDS (WIDTHS * TYPES * INDICES)

#define GUEST_INTERRUPTIBILITY 0x4824
#define EXIT_REASON 0x4402
#define EXIT_INSTRUCTION_LENGTH 0x440c
#define GUEST_CR4 0x6804
#define GUEST_RIP 0x681e
#define GUEST_RFLAGS 0x6820

static const u32 skip[] = { EXIT_REASON, EXIT_INSTRUCTION_LENGTH, GUEST_RIP, GUEST_RFLAGS,
			    GUEST_INTERRUPTIBILITY };

static u32 before[2][FIELDS], own[2][FIELDS], after[2][FIELDS];

static void do_nothing(void) { }
static void do_cpuid(void) { cpuid(0, 0); }
static void do_cpuid_mirror(void) { cpuid(1, 0); }
static void do_ipi(void) { apic_write(APIC_ICR, ICR_SELF | ICR_ASSERT | VEC_IRQ); }

static void look(u32 counts[2][FIELDS])
{
	struct hypercall r;

	for (u32 write = 0; write < 2; write++) {
		for (u32 n = 0; n < FIELDS; n++) {
			hypercall(KEEL_HC_VMCS, FIELD(n) | (write ? KEEL_VMCS_WRITES : 0), &r);
			counts[write][n] = r.eax;
		}
	}
}

/* The accesses between two looks, without those of the looks themselves. */
static void count(void (*run)(void), u32 counts[2][FIELDS])
{
	/* The first of its kind goes the long way, as its counter is new. */
	run();
	look(before);
	for (u32 i = 0; i < ROUNDS; i++)
		run();
	look(counts);
	for (u32 i = 0; i < 2 * FIELDS; i++)
		(&counts[0][0])[i] -= (&before[0][0])[i] + (run == do_nothing ? 0 : (&own[0][0])[i]);
}

static u32 expected(u32 field, u32 extra)
{
	for (u32 i = 0; i < ARRAY_SIZE(skip); i++) {
		if (skip[i] == field)
			return ROUNDS;
	}
	return extra && field == extra ? ROUNDS : 0;
}

static void check_path(const char *name, void (*run)(void), u32 extra_read)
{
	u32 reads = 0, writes = 0, wrong = 0;

	count(run, after);
	for (u32 n = 0; n < FIELDS; n++) {
		u32 field = FIELD(n);

		reads += after[0][n];
		writes += after[1][n];
		if (after[0][n] != expected(field, extra_read) ||
		    after[1][n] != (field == GUEST_RIP ? ROUNDS : 0)) {
			printf("INFO %s: field 0x%x read %u times, written %u times\n", name, field,
			       after[0][n], after[1][n]);
			wrong++;
		}
	}
	printf("INFO %s: %u VMREADs, %u VMWRITEs in %u rounds\n", name, reads, writes, ROUNDS);
	check_eq(reads, (5 + (extra_read ? 1 : 0)) * ROUNDS, "VMREADs of %u times %s", ROUNDS, name);
	check_eq(writes, ROUNDS, "VMWRITEs of %u times %s", ROUNDS, name);
	check_eq(wrong, 0, "fields of %s that are touched otherwise than expected", name);
}

void payload(void)
{
	count(do_nothing, own);
	check_path("CPUID", do_cpuid, 0);
	check_path("a leaf that shows CR4", do_cpuid_mirror, GUEST_CR4);
	if (!option("x2apic"))
		return;
	apic_init();
	apic_to_x2();
	apic_init();
	check_path("an interrupt to itself", do_ipi, 0);
}
