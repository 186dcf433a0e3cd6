/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In a Keel built with CONFIG_TEST_HOOKS: one CPU makes Keel panic or hang while the others run
 * guest code, exit, and write to the console. Ends by Keel's panic, which the host looks at.
 */
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/smp.h"

const char payload_name[] = "hooks";

#define NR_CPUS_WANTED 4
#define EXITING 1
#define VICTIM 2
#define COMPUTING 3
#define LINES 1000
#define LINE_ROUNDS 100000

static volatile bool go;

static void exit_for_ever(void *arg)
{
	(void)arg;
	for (;;) {
		cpuid(0, 0);
		keel_answers();
	}
}

static void compute_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		cpu_pause();
}

static void ask(void *arg)
{
	struct hypercall r;

	while (!go)
		cpu_pause();
	hypercall(KEEL_HC_TEST, *(u32 *)arg, &r);
}

/* Pulls the others in, so that Keel must notice who does not come. */
static void notice(u32 line)
{
	struct hypercall r;

	if (option("hang") && line > 2)
		hypercall(KEEL_HC_SYNC, 0, &r);
}

void payload(void)
{
	u32 what = option("hang") ? KEEL_TEST_HANG : KEEL_TEST_PANIC;

	if (!smp_start_all(NR_CPUS_WANTED))
		return;
	printf("ENDING by %s on CPU %u\n", option("hang") ? "a hang" : "a panic", VICTIM);
	smp_give(EXITING, exit_for_ever, NULL);
	smp_give(COMPUTING, compute_for_ever, NULL);
	smp_give(VICTIM, ask, &what);
	for (u32 i = 0; i < LINES; i++) {
		printf("INFO line %u of the guest\n", i);
		go = i > 0;
		smp_delay(LINE_ROUNDS);
		notice(i);
	}
	check(false, "Keel stops the machine");
}
