/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other CPUs: started by INIT and start-up interrupts, each with a stack and a TSS of its own,
 * so that TRY() and handlers work on all. CPU 0 is the one that the firmware started; the payload
 * gives the orders there. Only CPU 0 prints and checks.
 */
#ifndef SMP_H
#define SMP_H

#include "guest.h"
#include "limits.h"
#include "smp_start.h"

typedef void (*smp_job)(void *arg);

struct cpu {
	u32 apic_id;
	u32 keel_index; /* as smp_start_all() found it */
	volatile u32 starts; /* how often it reached C */
	volatile u32 given, done;
	smp_job volatile job;
	void *volatile arg;
	u32 start[START_WORDS]; /* what it found at its last start */
};
extern struct cpu cpus[MAX_CPUS];
extern u32 nr_cpus;
extern u32 smp_resent; /* start-up interrupts beyond the usual two that smp_start() sent */
extern u32 smp_inits_resent;

/* Idle CPUs spin, instead of waiting in HLT for an interrupt with VEC_WAKE; or do so again. */
void smp_spin(bool on);
/* Runs on a CPU that has just reached C, before its APIC is touched. */
extern void (*smp_on_arrival)(struct cpu *self);

/* Where CPUs are started. */
#define SMP_VECTOR 0x10

/*
 * Finds the CPUs and makes the APIC of this one work, with the option "x2apic" in that mode, as
 * later the others'; false if there are not so many.
 */
bool smp_init(u32 want);
/* Starts all and checks each: runs code, is or is not under Keel, has an index of its own. */
bool smp_start_all(u32 want);
/* INIT, start-up interrupts; waits until the CPU runs C, with its APIC enabled. */
bool smp_start(u32 cpu, u8 vector);
/* The parts: makes the page ready; waits for starts to become more than before. */
void smp_prepare(u8 vector);
bool smp_started(u32 cpu, u32 before);
void smp_init_ipi(u32 cpu);
void smp_sipi(u32 cpu, u8 vector);
/* Lets a CPU run a job; smp_wait() is false if it does not come back. */
void smp_give(u32 cpu, smp_job job, void *arg);
bool smp_wait(u32 cpu);
bool smp_run(u32 cpu, smp_job job, void *arg);
/* On all others. */
bool smp_run_all(smp_job job, void *arg);

/* Waits until *v is at least want; false when it takes far too long. */
bool smp_reaches(const volatile u32 *v, u32 want);
/* Long enough for what is going to happen to happen. */
void smp_settle(void);
void smp_delay(u32 rounds);
u32 smp_random(void);

#endif
