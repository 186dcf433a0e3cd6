/* SPDX-License-Identifier: BSD-2-Clause */
#include "acpi.h"

#include "cpu.h"

#define BP_ACPI_RSDP 0x70
#define FADT_DSDT 40
#define FADT_PM1A_CONTROL 64
#define FADT_FLAGS 112
#define FADT_RESET_REG 116
#define FADT_RESET_VALUE 128
#define RESET_REG_SUP BIT(10)
#define MADT_ENTRIES 44
#define MADT_LOCAL_APIC 0
#define MADT_LOCAL_X2APIC 9
#define MADT_USABLE 3 /* enabled, online capable */
#define SLP_EN BIT(13)
#define SLP_TYP_SHIFT 10

static u32 read32(u32 at)
{
	u32 v;

	memcpy(&v, (const void *)(unsigned long)at, 4);
	return v;
}

static u32 find_rsdp(void)
{
	u32 given = *(const u32 *)(boot_params + BP_ACPI_RSDP);

	if (given)
		return given;
	for (u32 at = 0xe0000; at < 0x100000; at += 16)
		if (!memcmp((const void *)(unsigned long)at, "RSD PTR ", 8))
			return at;
	return 0;
}

const u8 *acpi_find(const char *signature)
{
	u32 rsdp = find_rsdp(), rsdt = rsdp ? read32(rsdp + 16) : 0;

	if (!rsdt)
		return NULL;
	for (u32 at = rsdt + 36; at < rsdt + read32(rsdt + 4); at += 4)
		if (!memcmp((const void *)(unsigned long)read32(at), signature, 4))
			return (const u8 *)(unsigned long)read32(at);
	return NULL;
}

static u32 find_fadt(void)
{
	return (u32)(unsigned long)acpi_find("FACP");
}

u16 acpi_pm1a_control(void)
{
	u32 fadt = find_fadt();

	return fadt ? read32(fadt + FADT_PM1A_CONTROL) : 0;
}

/* The sleep type is the package's first element, a small constant. */
u16 acpi_sleep_bits(const char *name)
{
	u32 fadt = find_fadt(), dsdt = fadt ? read32(fadt + FADT_DSDT) : 0;
	u32 end = dsdt ? dsdt + read32(dsdt + 4) : 0;

	for (u32 at = dsdt + 36; at + 8 < end; at++) {
		const u8 *p = (const u8 *)(unsigned long)at;

		if (!memcmp(p, name, 4) && p[4] == 0x12)
			return SLP_EN | (p[7] == 0x0a ? p[8] : p[7]) << SLP_TYP_SHIFT;
	}
	return 0;
}

bool acpi_reset_register(struct acpi_reset *out)
{
	const u8 *fadt = acpi_find("FACP");

	if (!fadt || *(const u32 *)(fadt + 4) <= FADT_RESET_VALUE ||
	    !(*(const u32 *)(fadt + FADT_FLAGS) & RESET_REG_SUP))
		return false;
	out->space = fadt[FADT_RESET_REG];
	memcpy(&out->address, fadt + FADT_RESET_REG + 4, 8);
	out->value = fadt[FADT_RESET_VALUE];
	return true;
}

u32 acpi_cpus(u32 *ids, u32 max)
{
	const u8 *madt = acpi_find("APIC");
	u32 end = madt ? *(const u32 *)(madt + 4) : 0, n = 0;

	for (u32 at = MADT_ENTRIES; at + 1 < end && madt[at + 1] && n < max; at += madt[at + 1]) {
		const u8 *e = madt + at;

		if (e[0] == MADT_LOCAL_APIC && e[4] & MADT_USABLE)
			ids[n++] = e[3];
		else if (e[0] == MADT_LOCAL_X2APIC && e[8] & MADT_USABLE)
			ids[n++] = *(const u32 *)(e + 4);
	}
	return n;
}

void acpi_off(void)
{
	u16 port = acpi_pm1a_control(), bits = acpi_sleep_bits("_S5_");

	if (port && bits)
		outw(port, bits);
}
