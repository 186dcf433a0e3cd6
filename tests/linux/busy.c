/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a busy machine does: on each CPU a process that forks, touches new memory, is hit by a timer and
 * hops to the other CPUs; and one of many threads, whose unmapping and barriers interrupt all CPUs.
 */
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define PAGE 4096
#define CHUNK (64 * PAGE)

struct counts {
	atomic_ulong forks, faults, hops, timers, unmaps, barriers;
};

static struct counts *counts; /* shared by all processes */
static time_t end;
static cpu_set_t cpus;

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void on_timer(int signal)
{
	(void)signal;
	counts->timers++;
}

static void touch_new_memory(void)
{
	char *memory = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("FAIL mmap: %m");
	for (int at = 0; at < CHUNK; at += PAGE)
		memory[at] = 1;
	counts->faults += CHUNK / PAGE;
	munmap(memory, CHUNK);
}

static void fork_once(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(7);
	while (waitpid(pid, &status, 0) < 0)
		;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
		die("FAIL fork: status %x", (unsigned)status);
	counts->forks++;
}

static void work(void)
{
	const struct itimerval often = { { 0, 2000 }, { 0, 2000 } };
	struct sigaction action = { .sa_handler = on_timer, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	while (now() < end) {
		for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
			if (!CPU_ISSET(cpu, &cpus))
				continue;
			pin(cpu);
			counts->hops++;
			touch_new_memory();
		}
		fork_once();
	}
	_exit(0);
}

static void *spin(void *unused)
{
	while (now() < end)
		for (volatile int i = 0; i < 100000; i++)
			;
	return unused;
}

/* Each munmap must reach the TLB of every CPU that one of its threads runs on. */
static void threads(void)
{
	pthread_t thread;

	for (int i = 1; i < CPU_COUNT(&cpus); i++)
		if (pthread_create(&thread, NULL, spin, NULL))
			die("FAIL pthread_create: %m");
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0);
	while (now() < end) {
		touch_new_memory();
		counts->unmaps++;
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0))
			die("FAIL membarrier: %m");
		counts->barriers++;
	}
	_exit(0);
}

/* Linux sends each other CPU an NMI, and waits until all have answered. */
static void send_nmis(int fd)
{
	if (write(fd, "l", 1) != 1)
		die("FAIL sysrq: %m");
	usleep(10000);
}

void be_busy(int seconds, int nmis)
{
	int status, failed = 0, sysrq = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	online_cpus(&cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	end = now() + seconds;
	for (int i = 0; i <= CPU_COUNT(&cpus); i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("FAIL fork: %m");
		if (!pid && i)
			work();
		if (!pid)
			threads();
	}
	for (int sent = 1; sent <= nmis; sent++) {
		send_nmis(sysrq);
		if (sent % 10 == 0)
			say("NMIS %d", sent);
	}
	while (now() < end) {
		sleep(5);
		say("BUSY forks %lu", counts->forks);
	}
	while (wait(&status) > 0)
		failed += status != 0;
	say("BUSY forks %lu faults %lu hops %lu timers %lu unmaps %lu barriers %lu", counts->forks,
	    counts->faults, counts->hops, counts->timers, counts->unmaps, counts->barriers);
	if (failed)
		die("FAIL %d busy processes", failed);
}
