/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/account.h"

#include <generated/autoconf.h>
#include <keel/console.h>
#include <keel/errno.h>

#include "cpu/regs.h"
#include "dev/log.h"
#include "lib/acpi_add.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/tally.h"
#include "mm/frame.h"
#include "mm/host_map.h"
#include "mode/mode.h"
#include "vmm/backend.h"
#include "vmm/below.h"
#include "vmm/build.h"
#include "vmm/cpu_start.h"
#include "vmm/cpus.h"
#include "vmm/nested.h"
#include "vmm/trace.h"

/* For the copies of RSDT and XSDT: some 300 tables. */
#define ROOTS_SIZE	(2 * PAGE_SIZE)
#define ALIGN		64u /* no cache line has two writers */
#define CREATOR_VERSION 1

static const struct keel_tally_place tallies[KEEL_TALLIES_MAX] = {
	[KEEL_TALLY_RAW] = {"raw", ACCOUNT_RAW_FIRST, BIT(ACCOUNT_RAW_BITS)},
	[KEEL_TALLY_MSR] = {"msrs", ACCOUNT_MSR_FIRST, BIT(ACCOUNT_MSR_BITS)},
	[KEEL_TALLY_CPUID] = {"cpuid", ACCOUNT_CPUID_FIRST, BIT(ACCOUNT_CPUID_BITS)},
	[KEEL_TALLY_PORT] = {"ports", 112, 16},
	[KEEL_TALLY_PAGE] = {"pages", ACCOUNT_PAGE_FIRST, BIT(ACCOUNT_PAGE_BITS)},
	[KEEL_TALLY_HYPERCALL] = {"hypercalls", 160, 16},
};

static const char event_names[KEEL_EVENTS_MAX][KEEL_NAME_MAX] = {
	[KEEL_EVENT_INJECTED] = "injected",
	[KEEL_EVENT_REDELIVERED] = "redelivered",
	[KEEL_EVENT_NMI] = "nmi",
	[KEEL_EVENT_FLUSH] = "flush",
	[KEEL_EVENT_KICK_SENT] = "kick-sent",
	[KEEL_EVENT_KICK_TAKEN] = "kick-taken",
};

_Static_assert(EXIT_REASONS <= KEEL_REASONS_MAX, "each reason has a counter");

#define CPU_BYTES  ((u32)sizeof(struct keel_cpu) + TRACE_BYTES)
#define CPU_OFFSET ((u32)align_up(sizeof(struct keel_table), ALIGN))
#define CPU_STRIDE ((u32)align_up(CPU_BYTES, ALIGN))

#ifdef CONFIG_ACPI_TABLE
static const bool wanted = true;
#else
static const bool wanted = false;
#endif

static struct keel_table *table;
static u32 table_bytes; /* with ROOTS_SIZE, in whole pages */
static gpa_t shown_at;

static u32 log_offset(void)
{
	return CPU_OFFSET + cpu_count * CPU_STRIDE;
}

static struct keel_cpu *block_of(u32 index)
{
	return (struct keel_cpu *)((u8 *)table + CPU_OFFSET + index * CPU_STRIDE);
}

/* Everything behind the first two words is a struct keel_live or made of some. */
static void init_block(struct percpu *cpu)
{
	struct keel_cpu *block = block_of(cpu->index);
	struct keel_live *end = (struct keel_live *)((u8 *)block + CPU_BYTES);

	block->index = cpu->index;
	block->apic_id = cpu->apic_id;
	live_set(&block->traced, 0);
	for (struct keel_live *live = block->exits; live < end; live++)
		live_set(live, 0);
	cpu->counts = block;
}

int account_init(void)
{
	u64 bytes = align_up(log_offset() + LOG_SIZE, PAGE_SIZE) + ROOTS_SIZE;

	table = frame_alloc_many((u32)(bytes / PAGE_SIZE), PAGE_SIZE);
	if (!table)
		return -ENOMEM;
	table_bytes = (u32)bytes;
	for (u32 i = 0; i < cpu_count; i++)
		init_block(cpus[i]);
	log_move((struct keel_log *)((u8 *)table + log_offset()));
	return 0;
}

static void fill_table(const char *below)
{
	table->layout = KEEL_TABLE_LAYOUT;
	table->hidden_start = keel_region.start;
	table->hidden_bytes = keel_region.end - keel_region.start;
	table->tsc_per_ms = tsc_per_ms;
	table->cpu_offset = CPU_OFFSET;
	table->cpu_stride = CPU_STRIDE;
	table->cpus = cpu_count;
	table->parked = cpus_parked;
	table->backend = backend->abi_id;
	table->start_policy = cpu_start_policy();
	trace_describe(table);
	table->log_offset = log_offset();
	table->log_bytes = LOG_BYTES;
	keel_snprintf(table->version, sizeof(table->version), "%s", KEEL_VERSION);
	keel_snprintf(table->build_id, sizeof(table->build_id), "%s", build_id);
	keel_snprintf(table->subarch, sizeof(table->subarch), "%s", SUBARCH_NAME);
	keel_snprintf(table->below, sizeof(table->below), "%s", below ? below : "");
	below_describe(table->features, sizeof(table->features));
	memcpy(table->tally, tallies, sizeof(tallies));
	memcpy(table->event, event_names, sizeof(event_names));
	keel_snprintf(table->options, sizeof(table->options), "%s", build_options);
	for (u32 i = 0; i < EXIT_REASONS; i++)
		keel_snprintf(table->reason[i], KEEL_NAME_MAX, "%s", exit_reason_names[i]);
}

/*
 * Writes the RSDP. Where the firmware has protected its memory from being written, the guest gets a copy
 * of these pages instead, which it may write: nothing exits.
 */
static int place_rsdp(u64 pa, const struct acpi_rsdp *rsdp)
{
	size_t len = acpi_rsdp_bytes(rsdp);
	u8 *there = host_map_foreign(pa, len);
	u64 first = align_down(pa, PAGE_SIZE);
	u64 size = align_up(pa + len, PAGE_SIZE) - first;
	u8 *copy;

	memcpy(there, rsdp, len);
	wbinvd(); /* else this asks the cache, which may take what the memory does not */
	if (!memcmp(there, rsdp, len))
		return 0;
	copy = frame_alloc_many((u32)(size / PAGE_SIZE), PAGE_SIZE);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, host_map_foreign(first, size), size);
	memcpy(copy + (pa - first), rsdp, len);
	return nested_show(first, (hpa_t)(unsigned long)copy, size, true);
}

static int show(u64 rsdp)
{
	u32 used = table_bytes - ROOTS_SIZE;
	u64 at = (u64)(unsigned long)table;
	struct acpi_room room = {(u8 *)table + used, at + used, ROOTS_SIZE};
	struct acpi_rsdp changed;
	int err = acpi_add_table(rsdp, at, room, host_map_foreign, &changed);

	if (err)
		return err;
	acpi_make_header((struct acpi_header *)table, KEEL_TABLE_SIGNATURE,
			 (u32)(log_offset() + LOG_SIZE), CREATOR_VERSION);
	err = nested_show(at, at, table_bytes, false);
	if (!err)
		err = place_rsdp(rsdp, &changed);
	if (!err)
		shown_at = at;
	return err;
}

void account_publish(u64 rsdp, const char *below)
{
	int err;

	fill_table(below);
	err = wanted ? show(rsdp) : 0;
	if (err)
		log_notice("the guest gets no table KEEL: %s",
			   err == -ENOENT ? "the firmware has no valid ACPI tables"
					  : "too little memory, or too many ACPI tables");
}

gpa_t account_shown(u32 *bytes)
{
	*bytes = shown_at ? table_bytes : 0;
	return shown_at;
}

void account_key(struct keel_cpu *counts, enum keel_tally_kind kind, u64 key)
{
	const struct keel_tally_place *place = &tallies[kind];

	tally_count(&counts->tally[place->first], place->slots, key, &counts->lost[kind]);
}
