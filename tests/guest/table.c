/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI table KEEL: found as an operating system finds it, live, never wrong, never changed. */
#include "lib/acpi.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/trap.h"

const char payload_name[] = "table";

#define ROUNDS 1000
#define REASON_HYPERCALL 6

static const struct keel_table *table;

static u32 length(const void *acpi_table)
{
	u32 v;

	memcpy(&v, (const u8 *)acpi_table + 4, 4);
	return v;
}

static u8 sum(const void *p, u32 bytes)
{
	const volatile u8 *byte = p;
	u8 all = 0;

	while (bytes--)
		all += *byte++;
	return all;
}

static const struct keel_cpu *block(void)
{
	return (const void *)((const u8 *)table + table->cpu_offset);
}

static u64 calls(void)
{
	return *(const volatile keel_u64 *)&block()->exits[REASON_HYPERCALL].value;
}

static u32 mismatches(void)
{
	const struct keel_live *live = block()->exits;
	const struct keel_live *end = (const void *)((const u8 *)block() + sizeof(struct keel_cpu));
	u32 n = 0;

	for (; live < end; live++)
		n += live->value != ~live->inverse;
	return n;
}

static void check_place(void)
{
	struct hypercall r;
	u64 start;
	u32 size = keel_region(&start);

	hypercall(KEEL_HC_TABLE, 0, &r);
	check_eq((u64)r.ebx << 32 | r.eax, (unsigned long)table, "Keel says where the table is");
	check((unsigned long)table >= start && (unsigned long)table + r.ecx <= start + size,
	      "the table lies in the hidden memory");
	check(r.ecx >= length(table), "all of the table is shown");
}

static void check_contents(void)
{
	check_eq(table->layout, KEEL_TABLE_LAYOUT, "layout");
	check_eq(table->backend, is_intel ? KEEL_BACKEND_VMX : KEEL_BACKEND_SVM, "backend");
	check_eq(table->cpus, 1, "CPUs");
	check(!memcmp(table->reason[REASON_HYPERCALL], "hypercall", 10), "name of a reason");
	check(table->cpu_offset + table->cpu_stride <= length(table), "the block is in the table");
	check(table->log_offset + 2 * table->log_bytes <= length(table), "the log is in the table");
}

/* Exits change the counts and never the checksum, which an operating system checks any time. */
static void check_live(void)
{
	u64 before = calls(), said;
	u32 wrong = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		keel_answers();
		if (i % 100 == 0)
			wrong += sum(table, length(table)) != 0;
	}
	check_eq(calls() - before, ROUNDS, "calls counted in the table");
	said = keel_exits(REASON_HYPERCALL);
	check_eq(said, calls(), "as Keel says itself");
	check_eq(wrong, 0, "wrong checksums while counts change");
	check_eq(mismatches(), 0, "numbers that do not match their inverse");
}

/* Many different keys: the table of MSRs overflows, and says so. */
static void check_overflow(void)
{
	const struct keel_tally_place *place = &table->tally[KEEL_TALLY_MSR];
	u64 v, sum_of_all = 0;
	u32 missing = 0x40000000; /* MSRs that no bitmap covers: they exit */

	for (u32 i = 0; i < 2 * place->slots; i++)
		try_rdmsr(missing + i, &v);
	for (u32 i = 0; i < place->slots; i++)
		sum_of_all += block()->tally[place->first + i].count.value;
	check(block()->lost[KEEL_TALLY_MSR].value >= place->slots, "MSRs beyond the table are counted");
	check_eq(sum_of_all + block()->lost[KEEL_TALLY_MSR].value, keel_exits(1) + keel_exits(2),
		 "each RDMSR and WRMSR is counted once");
	check_eq(sum(table, length(table)), 0, "checksum with full tables");
}

static void check_writes(void)
{
	volatile u32 *word = (volatile u32 *)(unsigned long)table;
	struct hypercall r;
	u32 changed = 0, silent = 0;

	hypercall(KEEL_HC_TABLE, 0, &r);
	for (u32 at = 0; at < r.ecx / 4; at += 1024) {
		u32 old = word[at];

		silent += TRY("movl %1, %0", : "=m"(word[at]) : "r"(~old) : "memory") != VEC_GP;
		changed += word[at] != old;
	}
	check_eq(changed, 0, "pages of the table that a write changes");
	check_eq(silent, 0, "writes to the table that are not #GP");
	check_eq(sum(table, length(table)), 0, "checksum after writes");
}

void payload(void)
{
	table = (const void *)acpi_find(KEEL_TABLE_SIGNATURE);
	check_eq(!!table, under_keel, "ACPI has the table under Keel only");
	check(acpi_find("FACP") && acpi_find("APIC"), "the firmware's own tables are found");
	if (!table)
		return;
	check_eq(sum(table, length(table)), 0, "checksum");
	check_place();
	check_contents();
	check_live();
	check_overflow();
	check_writes();
	check(keel_answers(), "Keel answers after that");
}
