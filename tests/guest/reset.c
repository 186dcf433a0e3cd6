/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a run, by the method on the command line; the host looks what becomes of it. */
#include "lib/acpi.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/trap.h"

const char payload_name[] = "reset";

static void by_triple_fault(void)
{
	struct {
		u16 limit;
		unsigned long base;
	} __attribute__((packed)) none = { 0, 0 };

	asm volatile("lidt %0; ud2" : : "m"(none));
}

static void by_cf9(void)
{
	outb(0xcf9, 0x02);
	outb(0xcf9, 0x06);
}

static void by_keyboard(void)
{
	while (inb(0x64) & 2)
		;
	outb(0x64, 0xfe);
}

static void by_port92(void)
{
	u8 v = inb(0x92) & ~1;

	outb(0x92, v);
	outb(0x92, v | 1);
}

/* Keel puts its own in the FADT, in its hidden memory. */
static void by_register(void)
{
	struct acpi_reset reg;
	u64 start;
	u32 size;

	if (!check(acpi_reset_register(&reg), "the FADT names a reset register"))
		return;
	if (under_keel) {
		size = keel_region(&start);
		check_eq(reg.space, ACPI_SPACE_MEMORY, "the reset register is in memory");
		check(reg.address >= start && reg.address < start + size,
		      "the reset register is Keel's");
		check(!option("reboot=triple"), "the command line leaves the way to reset to ACPI");
	}
	if (reg.space == ACPI_SPACE_MEMORY)
		*(volatile u8 *)(unsigned long)reg.address = reg.value;
	else if (check_eq(reg.space, ACPI_SPACE_IO, "the reset register is a port"))
		outb(reg.address, reg.value);
}

/* Reads the page with the reset register: that is no reset, and what follows still is. */
static void touch_last_page(void)
{
	u64 start;
	u32 size;

	if (!under_keel)
		return;
	size = keel_region(&start);
	(void)*(volatile u8 *)(unsigned long)(start + size - 4096);
	check(keel_answers(), "the guest goes on after it read Keel's last page");
}

static const struct {
	const char *name;
	void (*run)(void);
} methods[] = {
	{ "triple", by_triple_fault },
	{ "cf9", by_cf9 },
	{ "keyboard", by_keyboard },
	{ "acpi", acpi_off },
	{ "port92", by_port92 },
	{ "register", by_register },
};

void payload(void)
{
	if (option("touched"))
		touch_last_page();
	for (u32 i = 0; i < ARRAY_SIZE(methods); i++) {
		if (!option(methods[i].name))
			continue;
		printf("ENDING by %s\n", methods[i].name);
		console_flush();
		methods[i].run();
		for (u32 n = 0; n < 10000000; n++)
			asm volatile("pause");
		check(false, "%s ends the run", methods[i].name);
		return;
	}
	check(false, "a method is on the command line");
}
