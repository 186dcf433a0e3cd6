/* SPDX-License-Identifier: BSD-2-Clause */
#include "acpi.h"

#include "cpu.h"

#define BP_ACPI_RSDP 0x70
#define FADT_DSDT 40
#define FADT_PM1A_CONTROL 64
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

static u32 find_fadt(void)
{
	u32 rsdp = find_rsdp(), rsdt = rsdp ? read32(rsdp + 16) : 0;

	if (!rsdt)
		return 0;
	for (u32 at = rsdt + 36; at < rsdt + read32(rsdt + 4); at += 4)
		if (!memcmp((const void *)(unsigned long)read32(at), "FACP", 4))
			return read32(at);
	return 0;
}

u16 acpi_pm1a_control(void)
{
	u32 fadt = find_fadt();

	return fadt ? read32(fadt + FADT_PM1A_CONTROL) : 0;
}

/* The sleep type of S5: the first element of the DSDT's package _S5_, a small constant. */
static u8 s5_type(u32 fadt)
{
	u32 dsdt = read32(fadt + FADT_DSDT), end = dsdt + read32(dsdt + 4);

	for (u32 at = dsdt + 36; at + 8 < end; at++) {
		const u8 *p = (const u8 *)(unsigned long)at;

		if (!memcmp(p, "_S5_", 4) && p[4] == 0x12)
			return p[7] == 0x0a ? p[8] : 0;
	}
	return 0;
}

void acpi_off(void)
{
	u32 fadt = find_fadt();
	u16 port = acpi_pm1a_control();

	if (port)
		outw(port, SLP_EN | s5_type(fadt) << SLP_TYP_SHIFT);
}
