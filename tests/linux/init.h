/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef INIT_H
#define INIT_H

#include <sched.h>

#define MAX_CPUS 256

/* One line to the kernel's log, whole even when the kernel itself talks. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
/* The same, then the machine is switched off. */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);
/* The number behind "name=" on the kernel's command line, 0 without one. */
int number(const char *name);
/* The first bytes of a file as text; "" if there is none. */
const char *contents(const char *path);

/* How many interrupts of a kind, as /proc/interrupts names it, all CPUs have had. */
unsigned long interrupts(const char *name);

void online_cpus(cpu_set_t *set);
void pin(int cpu);
/* Keel's index of a CPU; -1 if it is not under Keel. */
int keel_index(int cpu);
void report_cpus(void);
void cycle_cpus(int times);

/* The commands of keelctl; then with that CPU offline, and while it comes and goes, unless it is 0. */
void run_keelctl(int offline);

/* Those that /modules lists, in its order. */
void load_modules(void);
/* The benchmark's workloads, by "NAME:ROUNDS,...". */
void run_benchmark(const char *words);

void be_busy(int seconds, int nmis);
/* Looks whether any CPU's clock ever goes back behind another's. */
void watch_clock(int seconds);

/* Makes that kernel the next one, with these files and that command line. */
void kexec_load(const char *kernel, const char *initramfs, const char *line);
/* Starts /vmlinuz with this initramfs again, one less to go. */
__attribute__((noreturn)) void kexec_again(int left);

#endif
