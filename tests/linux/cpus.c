/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPUs there are, and whether each is under Keel. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init.h"
#include "ping.h"

static sigjmp_buf illegal;

static void on_sigill(int signal)
{
	siglongjmp(illegal, signal);
}

/* Linux writes a list such as 0-2,5. */
void online_cpus(cpu_set_t *set)
{
	const char *at = contents("/sys/devices/system/cpu/online");
	char *next;

	CPU_ZERO(set);
	for (;; at = next + 1) {
		long first = strtol(at, &next, 10), last = first;

		if (next == at)
			return;
		if (*next == '-')
			last = strtol(next + 1, &next, 10);
		for (; first <= last && first < MAX_CPUS; first++)
			CPU_SET(first, set);
		if (*next != ',')
			return;
	}
}

void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) || sched_getcpu() != cpu)
		die("FAIL cannot run on CPU %d", cpu);
}

int keel_index(int cpu)
{
	struct pong p;

	pin(cpu);
	signal(SIGILL, on_sigill);
	if (sigsetjmp(illegal, 1))
		return -1;
	p = ping();
	if (sched_getcpu() != cpu)
		die("FAIL moved from CPU %d", cpu);
	return p.answer == KEEL_HC_ANSWER ? (int)p.index : -1;
}

void report_cpus(void)
{
	cpu_set_t set;

	online_cpus(&set);
	say("UP %d", CPU_COUNT(&set));
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		int index;

		if (!CPU_ISSET(cpu, &set))
			continue;
		index = keel_index(cpu);
		if (index < 0)
			say("CPU %d bare", cpu);
		else
			say("CPU %d keel index %d", cpu, index);
	}
	pin(0);
}

static void set_online(int cpu, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, 1) != 1)
		die("FAIL CPU %d: %m at writing %s to %s", cpu, value, path);
	close(fd);
}

void cycle_cpus(int times)
{
	cpu_set_t set, now;
	int index[MAX_CPUS];

	online_cpus(&set);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		index[cpu] = CPU_ISSET(cpu, &set) ? keel_index(cpu) : -1;
	pin(0);
	for (int time = 1; time <= times; time++) {
		for (int cpu = 1; cpu < MAX_CPUS; cpu++) {
			int got;

			if (!CPU_ISSET(cpu, &set))
				continue;
			set_online(cpu, "0");
			online_cpus(&now);
			if (CPU_ISSET(cpu, &now))
				die("FAIL CPU %d stays online", cpu);
			set_online(cpu, "1");
			got = keel_index(cpu);
			pin(0);
			if (got != index[cpu])
				die("FAIL CPU %d had index %d, has %d", cpu, index[cpu], got);
		}
		online_cpus(&now);
		if (!CPU_EQUAL(&set, &now))
			die("FAIL %d CPUs of %d are back", CPU_COUNT(&now), CPU_COUNT(&set));
		say("OFFLINE %d", time);
	}
}
