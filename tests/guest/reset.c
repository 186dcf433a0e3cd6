/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a run, by the method on the command line; the host looks what becomes of it. */
#include "lib/acpi.h"
#include "lib/cpu.h"
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

static const struct {
	const char *name;
	void (*run)(void);
} methods[] = {
	{ "triple", by_triple_fault },
	{ "cf9", by_cf9 },
	{ "keyboard", by_keyboard },
	{ "acpi", acpi_off },
};

void payload(void)
{
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
