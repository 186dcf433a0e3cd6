/* SPDX-License-Identifier: BSD-2-Clause */
/* Suspend to RAM would end outside Keel: it is not offered, and refused to who asks all the same. */
#include "lib/acpi.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/trap.h"

const char payload_name[] = "power";

#define SCI_EN BIT(0)

/* Keel must only take out the writes that suspend. */
static void check_passes(u16 port)
{
	u16 old = inw(port);

	outw(port, old | SCI_EN);
	check_eq(inw(port) & SCI_EN, SCI_EN, "SCI_EN reaches the hardware by a word");
	outb(port, old & ~SCI_EN);
	check_eq(inw(port) & SCI_EN, 0, "SCI_EN reaches the hardware by a byte");
	outl(port, old | SCI_EN);
	same(inw(port) & SCI_EN, "SCI_EN after a long word");
	outw(port, old);
}

void payload(void)
{
	u16 port = acpi_pm1a_control(), suspend, old;
	const u16 *from = &suspend;
	struct acpi_reset reg;

	/* Linux's other ways to reset do not pass Keel, which is to print its counts. */
	check_eq(option("reboot=triple"), under_keel && !acpi_reset_register(&reg),
		 "the command line says reboot=triple where there is no reset register");
	check(acpi_sleep_bits("_S5_"), "ACPI offers power-off");
	if (!check(port, "ACPI names PM1a control"))
		return;
	check_passes(port);
	if (!under_keel) {
		check(acpi_sleep_bits("_S3_"), "ACPI offers suspend to RAM");
		return;
	}
	check_eq(acpi_sleep_bits("_S3_"), 0, "ACPI does not offer suspend to RAM");
	suspend = acpi_sleep_bits("KS3_");
	if (!check(suspend, "the package is still there by Keel's name"))
		return;
	old = inw(port);
	outw(port, suspend);
	check(true, "suspend by a word is refused");
	outb(port + 1, suspend >> 8);
	check(true, "suspend by the upper byte is refused");
	outl(port, suspend);
	check(true, "suspend by a long word is refused");
	outl(port - 2, (u32)suspend << 16);
	check(true, "suspend by a long word from below is refused");
	check_trap(TRY("outsw", : "+S"(from) : "d"(port) : "memory"), VEC_GP,
		   "suspend by a string instruction");
	check_eq(inw(port), old, "PM1 control is as before");
	check(keel_answers(), "Keel answers after that");
}
