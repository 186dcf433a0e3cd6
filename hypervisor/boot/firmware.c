/* SPDX-License-Identifier: BSD-2-Clause */
/* What Keel reads from, and changes in, the firmware's tables. */
#include "boot/boot.h"
#include "lib/acpi.h"
#include "lib/string.h"
#include "mm/host_map.h"
#include "vmm/cpus.h"

/* BIOS data area: segment of the extended BIOS data area. */
#define BDA_EBDA_SEGMENT 0x40e
#define EBDA_SCAN	 1024
#define BIOS_START	 0xe0000
#define BIOS_SIZE	 0x20000

u64 firmware_find_rsdp(void)
{
	u16 segment;
	u64 rsdp = 0;

	memcpy(&segment, host_map_foreign(BDA_EBDA_SEGMENT, sizeof(segment)), sizeof(segment));
	if (segment)
		rsdp = acpi_scan_rsdp((u64)segment << 4, EBDA_SCAN, host_map_foreign);
	return rsdp ? rsdp : acpi_scan_rsdp(BIOS_START, BIOS_SIZE, host_map_foreign);
}

#define MADT_ENABLED BIT(0)

static void list_cpu(u32 apic_id, u32 *flags, void *arg)
{
	struct cpu_ids *ids = arg;

	if (!(*flags & MADT_ENABLED))
		return;
	/* One CPU may have an entry of either type. */
	for (u32 i = 0; i < ids->count; i++) {
		if (ids->id[i] == apic_id)
			return;
	}
	if (ids->count == BOOT_CPUS_MAX)
		ids->incomplete = true;
	else
		ids->id[ids->count++] = apic_id;
}

void firmware_list_cpus(u64 rsdp, u32 boot_id, struct cpu_ids *ids)
{
	struct acpi_header *madt = rsdp ? acpi_find(rsdp, "APIC", host_map_foreign) : NULL;

	ids->id[0] = boot_id;
	ids->count = 1;
	ids->incomplete = !madt || !acpi_madt_is_whole(madt);
	if (madt)
		acpi_for_each_cpu(madt, list_cpu, ids);
}

struct hide {
	const struct cpu_ids *ids;
	u32 hidden;
};

/* Clears Enabled and Online Capable of a CPU that is not Keel's (ACPI 6.4, table 5.22). */
static void hide_cpu(u32 apic_id, u32 *flags, void *arg)
{
	struct hide *h = arg;

	if (smp_is_lost(h->ids, apic_id))
		return;
	for (u32 i = 0; i < cpu_count; i++) {
		if (cpus[i]->apic_id == apic_id)
			return;
	}
	*flags = 0;
	h->hidden++;
}

u32 firmware_hide_cpus(u64 rsdp, const struct cpu_ids *ids)
{
	struct acpi_header *madt = rsdp ? acpi_find(rsdp, "APIC", host_map_foreign) : NULL;
	struct hide h = {.ids = ids};

	if (madt) {
		acpi_for_each_cpu(madt, hide_cpu, &h);
		acpi_fix_checksum(madt);
	}
	return h.hidden;
}
