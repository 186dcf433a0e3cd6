/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The init of a small guest that looks at its CPUs. Linux hands it the words of the command line that it
 * does not know itself, in the environment:
 *
 *   offline=N   each CPU but the first goes offline and comes back N times
 *   busy=S      S seconds of timers, interrupts between CPUs, processes and page faults
 *   nmi=N       while busy, N times an NMI to each other CPU
 *   clocks=S    S seconds of reading the clock on all CPUs in turn
 *   keelctl=1   run keelctl's commands; offcpu=N: also while that CPU is offline
 *   modules=1   load the modules of the initramfs
 *   bench=NAME:ROUNDS,...  workloads that are measured (bench.c)
 *   kexec=N     start the same kernel again, N times in a row; the last word
 *   end=reboot  instead of power-off
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static int log_fd = -1;

static void say_list(const char *format, va_list list)
{
	char line[900] = "<1>";
	int size = 3 + vsnprintf(line + 3, sizeof(line) - 4, format, list);

	line[size++] = '\n';
	if (write(log_fd, line, (size_t)size) < 0)
		_exit(1);
}

void say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say_list(format, list);
	va_end(list);
}

void die(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say_list(format, list);
	va_end(list);
	reboot(RB_POWER_OFF);
	_exit(1);
}

int number(const char *name)
{
	const char *value = getenv(name);

	return value ? atoi(value) : 0;
}

const char *contents(const char *path)
{
	static char text[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got, size = 0;

	while (fd >= 0 && (got = read(fd, text + size, sizeof(text) - 1 - (size_t)size)) > 0)
		size += got;
	close(fd);
	text[size] = '\0';
	return text;
}

static void prepare(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	log_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (log_fd < 0)
		_exit(1);
}

unsigned long interrupts(const char *name)
{
	const char *at = strstr(contents("/proc/interrupts"), name);
	unsigned long sum = 0, value;
	char *end;

	for (at = at ? at + strlen(name) : ""; value = strtoul(at, &end, 10), end != at; at = end)
		sum += value;
	return sum;
}

static void report_interrupts(void)
{
	static const char *const names[] = { "NMI:", "LOC:", "RES:", "CAL:", "TLB:" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		say("INTERRUPTS %s %lu", names[i], interrupts(names[i]));
}

int main(void)
{
	const char *end;

	if (getpid() != 1)
		return 0; /* started by the benchmark */
	prepare();
	say("SMALL GUEST kexecs to go: %d", number("kexec"));
	/* Instructions since power-on, where the TSC counts those (Bochs). */
	say("TICKS %llu", (unsigned long long)__builtin_ia32_rdtsc());
	report_cpus();
	if (number("offline"))
		cycle_cpus(number("offline"));
	if (number("keelctl"))
		run_keelctl(number("offcpu"));
	if (number("modules"))
		load_modules();
	if (number("busy"))
		be_busy(number("busy"), number("nmi"));
	if (number("clocks"))
		watch_clock(number("clocks"));
	if (getenv("bench"))
		run_benchmark(getenv("bench"));
	report_interrupts();
	if (number("kexec"))
		kexec_again(number("kexec") - 1);
	end = getenv("end");
	say("END");
	reboot(end && !strcmp(end, "reboot") ? RB_AUTOBOOT : RB_POWER_OFF);
	return 1;
}
