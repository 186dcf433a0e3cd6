/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine of two CPUs: Keel runs one, so the guest must not find the other. */
#include "lib/acpi.h"

const char payload_name[] = "cpus";

#define MADT_ENTRIES 44
#define LOCAL_APIC 0
#define LOCAL_X2APIC 9
#define USABLE 3 /* enabled, online capable */

static u32 usable_cpus(void)
{
	const u8 *madt = acpi_find("APIC");
	u32 size = madt ? *(const u32 *)(madt + 4) : 0, n = 0;
	u8 sum = 0;

	for (u32 i = 0; i < size; i++)
		sum += madt[i];
	check_eq(sum, 0, "the MADT's checksum");
	for (u32 at = MADT_ENTRIES; at + 1 < size && madt[at + 1]; at += madt[at + 1])
		n += (madt[at] == LOCAL_APIC && madt[at + 4] & USABLE) ||
		     (madt[at] == LOCAL_X2APIC && madt[at + 8] & USABLE);
	return n;
}

void payload(void)
{
	check_eq(usable_cpus(), under_keel ? 1 : 2, "usable CPUs in the MADT");
	check_eq(option("nr_cpus=1"), under_keel, "the command line tells Linux to use one CPU");
}
