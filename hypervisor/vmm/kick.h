/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pulling other CPUs into Keel. A kick is an INIT (VMX) or an NMI (SVM): it stays pending while its
 * target is in Keel and makes the next entry exit at once, so no exit pays for it with a look. One
 * is in flight to a CPU at most, which tells it from an INIT or NMI of another origin.
 */
#ifndef KEEL_VMM_KICK_H
#define KEEL_VMM_KICK_H

#include <keel/percpu.h>

/* What a kicked CPU is to do, beside obeying a stop. */
enum {
	REQUEST_STARTUP = 1, /* look at cpu->startup */
	REQUEST_NMI = 2,     /* the guest sent it an NMI */
};

/* Asks @to for @request, and kicks it. Any CPU may be asked, this one as well. */
void kick_request(struct percpu *to, u32 request);

/* At an exit by an event of the kick's kind: was it a kick? */
bool kick_arrived(struct percpu *cpu);

/* After kick_arrived(), when the exit may change all of the guest's state. */
void kick_serve(struct percpu *cpu);

/*
 * Whoever waits in Keel for another CPU calls this in its loop: obeys a stop, or a panic elsewhere.
 */
void kick_poll(struct percpu *cpu);

/*
 * Stops all other CPUs that run guest code, in Keel, until kick_resume_others(): then they forget
 * what came from the nested table and go on. False if one cannot be stopped (its APIC is disabled),
 * which a line says; the resume is due all the same. *@count (may be NULL): how many were stopped.
 */
bool kick_stop_others(struct percpu *cpu, u32 *count);
void kick_resume_others(void);

/*
 * A panic on this CPU: kicks the others, which wait in Keel for their turn to print their state. Does
 * not return if another CPU's panic came first; does if this is a panic within the first.
 */
void kick_begin_panic(struct percpu *cpu);

/* Gives each other CPU its turn; they are stopped for good then. */
void kick_stop_for_panic(struct percpu *cpu);

#endif
