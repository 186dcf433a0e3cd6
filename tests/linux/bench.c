/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark's workloads, by the words bench=NAME:ROUNDS,... in that order. Around each: a line, one
 * reading of the exits and of the TSC before and after, and a line with what lies between them.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bench/exits.h"
#include "init.h"

#define TABLE "/sys/firmware/acpi/tables/KEEL"
#define PAGE 4096UL
#define MIB (1UL << 20)
#define PIECE (64 * 1024)
#define FILE_MIB 32UL

static union {
	struct keel_table table;
	char bytes[512 * 1024];
} keel;

/* All 0 on a machine without Keel. */
static void take(struct exits *e)
{
	memset(e, 0, sizeof(*e));
	for (int try = 0; try < 1000; try++) {
		int fd = open(TABLE, O_RDONLY | O_CLOEXEC);
		size_t size = 0;
		ssize_t got;

		if (fd < 0)
			return;
		while ((got = read(fd, keel.bytes + size, sizeof(keel) - size)) > 0)
			size += (size_t)got;
		close(fd);
		if (size < keel.table.cpu_offset + keel.table.cpus * keel.table.cpu_stride)
			die("FAIL the table KEEL is cut off");
		if (read_exits(&keel.table, e))
			return;
	}
	die("FAIL the counts are never whole");
}

static void report(const char *name, unsigned long rounds, unsigned long long ticks,
		   const struct exits *from, const struct exits *to)
{
	char text[700] = "";
	int size = 0;

	for (unsigned i = 0; i < KEEL_REASONS_MAX; i++)
		if (to->by[i] != from->by[i])
			size += snprintf(text + size, sizeof(text) - (size_t)size, " %.*s=%llu", KEEL_NAME_MAX,
					 keel.table.reason[i], to->by[i] - from->by[i]);
	say("BENCH end %s rounds=%lu ticks=%llu exits%s", name, rounds, ticks, text);
}

/* A process that starts another program, which ends at once: this one, which is not process 1 then. */
static unsigned long fork_and_exec(unsigned long rounds)
{
	char *const argv[] = { "/init", NULL };
	int status;

	for (unsigned long i = 0; i < rounds; i++) {
		pid_t pid = fork();

		if (!pid) {
			execv(argv[0], argv);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			die("FAIL fork: status %x", (unsigned)status);
	}
	return rounds;
}

static unsigned long walk(unsigned long pages)
{
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("FAIL mmap: %m");
	madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
	for (unsigned long i = 0; i < pages; i++)
		memory[i * PAGE] = 1;
	munmap(memory, pages * PAGE);
	return pages;
}

static unsigned long copy_once(void)
{
	static char piece[PIECE];
	int from = open("/from", O_RDONLY | O_CLOEXEC), to = open("/to", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	unsigned long copied = 0;
	ssize_t got;

	while ((got = read(from, piece, PIECE)) > 0 && write(to, piece, (size_t)got) == got)
		copied += (unsigned long)got;
	if (copied != FILE_MIB * MIB)
		die("FAIL %lu bytes are copied", copied);
	close(from);
	close(to);
	return FILE_MIB;
}

/* A file in memory, again and again: the small guest has no driver of a disk. */
static unsigned long copy(unsigned long mib)
{
	unsigned long done = 0;

	while (done < mib)
		done += copy_once();
	return done;
}

static void make_file(unsigned long unused)
{
	static char piece[PIECE];
	int fd = open("/from", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	(void)unused;
	for (unsigned long i = 0; i < FILE_MIB * MIB / PIECE; i++) {
		memset(piece, (int)i, PIECE);
		if (write(fd, piece, PIECE) != PIECE)
			die("FAIL writing /from: %m");
	}
	close(fd);
}

static atomic_int ready;

static void *spin(void *unused)
{
	pin(1);
	ready = 1;
	for (;;)
		__builtin_ia32_pause();
	return unused;
}

/* A thread keeps CPU 1 busy: each barrier is an interrupt to it, which it ends and answers. */
static void start_spinning(unsigned long unused)
{
	pthread_t thread;

	(void)unused;
	pin(0);
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) ||
	    pthread_create(&thread, NULL, spin, NULL))
		die("FAIL there is no second CPU to interrupt");
	while (!ready)
		__builtin_ia32_pause();
}

/* None is sent while the other CPU does something else. */
static unsigned long ping_pong(unsigned long rounds)
{
	unsigned long before = interrupts("CAL:");

	while (rounds--)
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0))
			die("FAIL membarrier: %m");
	return interrupts("CAL:") - before;
}

static const struct {
	const char *name;
	void (*prepare)(unsigned long rounds);
	unsigned long (*run)(unsigned long rounds); /* how many there were */
} workloads[] = {
	{ "fork", NULL, fork_and_exec },
	{ "faults", NULL, walk },
	{ "copy", make_file, copy },
	{ "ipi", start_spinning, ping_pong },
};

static void run(const char *name, unsigned long rounds)
{
	unsigned long long start, ticks;
	struct exits from, to;

	for (unsigned i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (strcmp(workloads[i].name, name))
			continue;
		if (workloads[i].prepare)
			workloads[i].prepare(rounds);
		say("BENCH start %s", name);
		take(&from);
		start = read_ticks();
		rounds = workloads[i].run(rounds);
		ticks = read_ticks() - start;
		take(&to);
		report(name, rounds, ticks, &from, &to);
		return;
	}
	die("FAIL there is no workload %s", name);
}

void run_benchmark(const char *words)
{
	static const struct exits zero;
	struct exits now;
	char text[200];

	/* All since the machine was switched on. */
	take(&now);
	report("boot", 1, read_ticks(), &zero, &now);
	snprintf(text, sizeof(text), "%s", words);
	for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
		char *colon = strchr(word, ':');

		if (!colon)
			die("FAIL bench=%s has no number of rounds", word);
		*colon = '\0';
		run(word, strtoul(colon + 1, NULL, 10));
	}
}
