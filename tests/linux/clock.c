/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does time go forward for all CPUs as one? On each a process reads the clock in turn with the others, so every
 * reading is later than the last one, whichever CPU's that was. On KVM the clock is made of a page for each CPU.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define SOURCE	   "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define PER_SEC	   1000000000ull
#define READS_TURN 100

struct shared {
	atomic_flag lock;
	unsigned long long last, start; /* nanoseconds */
	unsigned long reads, switches, backwards;
	int cpu;    /* of the last reading */
	bool alone; /* only one CPU reads */
};

static unsigned long long read_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * PER_SEC + (unsigned long long)t.tv_nsec;
}

/* Nobody reads twice in a row: on a busy host the lock would have one owner for a long time. */
static void read_in_turn(struct shared *shared, int cpu)
{
	while (atomic_flag_test_and_set(&shared->lock))
		__builtin_ia32_pause();
	if (shared->cpu == cpu && !shared->alone) {
		atomic_flag_clear(&shared->lock);
		return;
	}
	for (int i = 0; i < READS_TURN; i++) {
		unsigned long long now = read_clock();

		shared->backwards += now < shared->last;
		shared->last = now;
	}
	shared->reads += READS_TURN;
	shared->switches += shared->cpu != cpu;
	shared->cpu = cpu;
	atomic_flag_clear(&shared->lock);
}

static void read_on(struct shared *shared, int cpu, int seconds)
{
	pin(cpu);
	while (read_clock() - shared->start < (unsigned long long)seconds * PER_SEC) {
		read_in_turn(shared, cpu);
		sched_yield();
	}
	_exit(0);
}

void watch_clock(int seconds)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t cpus;
	char source[40] = "";

	if (shared == MAP_FAILED)
		die("FAIL mmap: %m");
	shared->last = shared->start = read_clock();
	shared->cpu = -1;
	online_cpus(&cpus);
	shared->alone = CPU_COUNT(&cpus) == 1;
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (CPU_ISSET(cpu, &cpus) && !fork())
			read_on(shared, cpu, seconds);
	while (wait(NULL) > 0)
		;
	strncpy(source, contents(SOURCE), sizeof(source) - 1);
	source[strcspn(source, "\n")] = '\0';
	say("CLOCK %s: %lu reads, %lu times another CPU, %lu backwards", source, shared->reads,
	    shared->switches, shared->backwards);
}
