/* SPDX-License-Identifier: BSD-2-Clause */
/* A triple fault on a CPU that the payload started resets the machine, not only that CPU. */
#include "lib/cpu.h"
#include "lib/smp.h"

const char payload_name[] = "apfault";

#define NR_CPUS_WANTED 4
#define VICTIM 2

static void triple_fault(void *arg)
{
	struct {
		u16 limit;
		unsigned long base;
	} __attribute__((packed)) none = { 0, 0 };

	(void)arg;
	asm volatile("lidt %0; ud2" : : "m"(none));
}

void payload(void)
{
	if (!smp_start_all(NR_CPUS_WANTED))
		return;
	printf("ENDING by a triple fault on CPU %u\n", VICTIM);
	console_flush();
	check(!smp_run(VICTIM, triple_fault, NULL), "a CPU that faults thrice does not come back");
	check(false, "a triple fault on CPU %u ends the run", VICTIM);
}
