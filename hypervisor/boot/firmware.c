/* SPDX-License-Identifier: BSD-2-Clause */
/* What Keel reads from, and changes in, the firmware's tables. */
#include "boot/boot.h"
#include "lib/acpi.h"
#include "lib/string.h"
#include "mm/host_map.h"

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

struct hide {
	u32 keep;
	u32 hidden;
};

/* Clears Enabled and Online Capable of every other CPU (ACPI 6.4, table 5.22). */
static void hide_cpu(u32 apic_id, u32 *flags, void *arg)
{
	struct hide *h = arg;

	if (apic_id == h->keep)
		return;
	*flags = 0;
	h->hidden++;
}

u32 firmware_hide_cpus(u64 rsdp, u32 apic_id)
{
	struct hide h = {.keep = apic_id};
	struct acpi_header *madt = rsdp ? acpi_find(rsdp, "APIC", host_map_foreign) : NULL;

	if (madt) {
		acpi_for_each_cpu(madt, hide_cpu, &h);
		acpi_fix_checksum(madt);
	}
	return h.hidden;
}
