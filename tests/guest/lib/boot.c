/* SPDX-License-Identifier: BSD-2-Clause */
/* From the entry point to the payload: what the boot loader handed over. */
#include "cpu.h"
#include "hypercall.h"
#include "trap.h"

#define BP_E820_COUNT 0x1e8
#define BP_CMD_LINE 0x228
#define BP_E820_TABLE 0x2d0

const u8 *boot_params;
char command_line[256];
bool under_keel, is_intel, no_long_mode;

u32 e820_count(void)
{
	return boot_params[BP_E820_COUNT];
}

const struct e820 *e820_table(void)
{
	return (const struct e820 *)(boot_params + BP_E820_TABLE);
}

static void read_command_line(void)
{
	u32 at = *(const u32 *)(boot_params + BP_CMD_LINE);
	const char *from = (const char *)(unsigned long)at;
	size_t n = at ? strlen(from) : 0;

	if (n >= sizeof(command_line))
		n = sizeof(command_line) - 1;
	memcpy(command_line, from, n);
	command_line[n] = '\0';
}

bool option(const char *word)
{
	size_t n = strlen(word);
	const char *p = command_line;

	while (*p) {
		size_t len = 0;

		while (p[len] && p[len] != ' ')
			len++;
		if (len == n && !memcmp(p, word, n))
			return true;
		p += len;
		while (*p == ' ')
			p++;
	}
	return false;
}

/* No interrupt comes but those that a payload asks the local APIC for. */
static void mask_pics(void)
{
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

void guest_main(void);
void guest_main(void)
{
	console_init();
	mask_pics();
	trap_init();
	read_command_line();
	is_intel = cpuid(0, 0).ecx == 0x6c65746e; /* "ntel" */
	under_keel = option("keel");
	no_long_mode = option("ia32");
	printf("BEGIN %s %s\n", payload_name, command_line);
	check_eq(keel_answers(), under_keel, "forced exit answers only under Keel");
	payload();
	finish();
}
