/* SPDX-License-Identifier: BSD-2-Clause */
/* Results, and the end of a run. */
#include "cpu.h"
#include "format.h"

static u32 passed, failed;

static void verdict(bool ok, const char *fmt, va_list ap)
{
	printf(ok ? "PASS " : "FAIL ");
	vprintf(fmt, ap);
	if (ok)
		passed++;
	else
		failed++;
}

bool check(bool ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verdict(ok, fmt, ap);
	va_end(ap);
	printf(ok ? "\n" : ": got no want yes\n");
	return ok;
}

bool check_eq(u64 got, u64 want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verdict(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf(": got 0x%llx want 0x%llx", got, want);
	printf("\n");
	return got == want;
}

void same(u64 value, const char *fmt, ...)
{
	va_list ap;

	printf("SAME ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(": %llx\n", value);
}

void finish(void)
{
	static const char bochs_off[] = "Shutdown";

	printf("DONE %u %u\n", passed, failed);
	console_flush();
	outb(0xf4, failed ? 3 : 1); /* QEMU's isa-debug-exit */
	for (const char *p = bochs_off; *p; p++)
		outb(0x8900, *p);
	for (;;)
		asm volatile("cli; hlt");
}
