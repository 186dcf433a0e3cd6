/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/kick.h"

#include <keel/account.h>
#include <keel/atomic.h>
#include <keel/console.h>
#include <keel/panic.h>
#include <keel/spinlock.h>

#include "cpu/regs.h"
#include "dev/apic.h"
#include "vmm/backend.h"
#include "vmm/cpu_start.h"
#include "vmm/cpus.h"
#include "vmm/exit.h"
#include "vmm/panic_dump.h"
#include "vmm/watchdog.h"

#define STOP_PATIENCE_MS  20000
#define PANIC_PATIENCE_MS 1000
#define NOBODY		  0

/* The stop in force: an odd number, which each CPU that obeys copies to cpu->held. */
static struct spinlock stop_lock;
static u32 stop_number;
static u32 stop_owner; /* index */

/* Index + 1 of the CPU that panics, and of the one whose turn it is to print its state. */
static u32 panic_cpu;
static u32 panic_turn;

static void kick(struct percpu *to)
{
	u32 mode = (u32)backend->kick_mode << ICR_MODE_SHIFT;
	u32 mine = this_cpu()->index + 1;

	/* It would not come, nor has the place an ID that is its own. */
	if (!to->place.enabled)
		return;
	if (!atomic_replace(&to->kick_in_flight, 0, mine))
		return;
	atomic_store(&to->kick_coming, 1);
	/* If it has arrived already, the word is 0 again or another sender's. */
	account_event(this_cpu(), KEEL_EVENT_KICK_SENT);
	if (apic_send(to->place.id, mode))
		atomic_replace(&to->kick_in_flight, mine, mine | KICK_SENT);
	else
		atomic_replace(&to->kick_in_flight, mine, 0);
}

void kick_request(struct percpu *to, u32 request)
{
	atomic_or(&to->requests, request);
	kick(to);
}

void exit_again(struct percpu *cpu)
{
	kick(cpu);
}

bool kick_arrived(struct percpu *cpu)
{
	bool arrived = atomic_exchange(&cpu->kick_in_flight, 0);

	if (arrived)
		account_event(cpu, KEEL_EVENT_KICK_TAKEN);
	return arrived;
}

static _Noreturn void obey_panic(struct percpu *cpu)
{
	while (atomic_load(&panic_turn) != cpu->index + 1)
		cpu_relax();
	panic_dump_stopped(cpu);
	atomic_store(&cpu->stopped, 1);
	cpu_halt();
}

static void obey_stop(struct percpu *cpu)
{
	u32 number = atomic_load(&stop_number);

	if (!(number & 1) || stop_owner == cpu->index)
		return;
	atomic_store(&cpu->held, number);
	while (atomic_load(&stop_number) == number && !atomic_load(&panic_cpu))
		cpu_relax();
	backend->flush(cpu);
}

void kick_poll(struct percpu *cpu)
{
	cpu_relax();
	obey_stop(cpu);
	if (atomic_load(&panic_cpu) != NOBODY && atomic_load(&panic_cpu) != cpu->index + 1)
		obey_panic(cpu);
}

void kick_serve(struct percpu *cpu)
{
	u32 requests = atomic_exchange(&cpu->requests, 0);

	kick_poll(cpu);
	if (requests & REQUEST_NMI)
		cpu->nmi_pending++;
	if (requests & REQUEST_STARTUP)
		cpu_startup_serve(cpu);
}

/* False if @other can never come. A CPU that does not run needs no stop: it looks before it does. */
static bool wait_for(struct percpu *other, u32 number)
{
	struct patience patience = patience_ms(STOP_PATIENCE_MS);

	while (cpu_runs(other) && atomic_load(&other->held) != number) {
		if (!other->place.enabled) {
			log_error("CPU %u cannot be stopped: the guest has disabled its local APIC",
				  other->index);
			return false;
		}
		if (patience_ends(&patience))
			watchdog_bark(other);
	}
	return true;
}

/* Without its APIC this CPU can call nobody. */
static bool can_kick(const struct percpu *cpu)
{
	if (cpu->place.enabled || cpu_count == 1)
		return true;
	log_error("CPU %u cannot stop the others: the guest has disabled its local APIC",
		  cpu->index);
	return false;
}

bool kick_stop_others(struct percpu *cpu, u32 *count)
{
	bool all = can_kick(cpu);
	u32 n = 0;
	u32 number;

	while (!spin_trylock(&stop_lock))
		kick_poll(cpu);
	stop_owner = cpu->index;
	number = atomic_add(&stop_number, 1) + 1;
	for (u32 i = 0; i < cpu_count; i++) {
		if (cpus[i] != cpu && cpu_runs(cpus[i]))
			kick(cpus[i]);
	}
	for (u32 i = 0; i < cpu_count && all; i++) {
		if (cpus[i] == cpu)
			continue;
		all = wait_for(cpus[i], number);
		n += atomic_load(&cpus[i]->held) == number;
	}
	if (count)
		*count = n;
	return all;
}

void kick_resume_others(void)
{
	atomic_add(&stop_number, 1);
	spin_unlock(&stop_lock);
}

void kick_begin_panic(struct percpu *cpu)
{
	if (atomic_load(&panic_cpu) == cpu->index + 1)
		return;
	if (!atomic_replace(&panic_cpu, NOBODY, cpu->index + 1))
		obey_panic(cpu);
	for (u32 i = 0; i < cpu_count; i++) {
		if (cpus[i] != cpu)
			kick(cpus[i]);
	}
}

void kick_stop_for_panic(struct percpu *cpu)
{
	for (u32 i = 0; i < cpu_count; i++) {
		struct patience patience = patience_ms(PANIC_PATIENCE_MS);

		if (cpus[i] == cpu)
			continue;
		atomic_store(&panic_turn, i + 1);
		while (!atomic_load(&cpus[i]->stopped) && !patience_ends(&patience))
			;
		if (!atomic_load(&cpus[i]->stopped))
			panic_dump_silent(cpus[i]);
	}
}
