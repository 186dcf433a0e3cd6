/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/cpu_start.h"

#include <generated/autoconf.h>
#include <keel/abi.h>
#include <keel/console.h>
#include <keel/panic.h>

#include "cpu/regs.h"
#include "dev/apic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "vmm/apic.h"
#include "vmm/below.h"
#include "vmm/cpus.h"
#include "vmm/handlers.h"
#include "vmm/kick.h"
#include "vmm/nested.h"
#include "vmm/power.h"
#include "vmm/x2apic_hint.h"

static u32 policy;
static const char *text;
/* Until the fast policy has seen every CPU start. */
static u32 not_yet_started;

#ifdef CONFIG_START_FAST
static const bool prefer_fast = true;
#else
static const bool prefer_fast = false;
#endif

#ifdef CONFIG_WAIT_FOR_SIPI
static const bool prefer_wait = true;
#else
static const bool prefer_wait = false;
#endif

#ifdef CONFIG_SINGLE_CPU
static const bool free_alone = true;
#else
static const bool free_alone = false;
#endif

static bool asked_for(const char *asked, const char *word)
{
	return asked && !strncmp(asked, word, strlen(word) + 1);
}

/* Why the hardware's wait-for-SIPI cannot be used; NULL if it can. */
static const char *no_wait_for_sipi(bool below, bool all_parked)
{
	if (!backend->has_wait_for_sipi)
		return "SVM has no wait-for-SIPI";
	if (!backend->has_wait_for_sipi())
		return "this CPU has no wait-for-SIPI";
	if (below)
		return "a hypervisor lies below";
	if (!all_parked)
		return "a CPU did not start and cannot be parked";
	return NULL;
}

/* Untrapped, an INIT must find every CPU where it can do no harm. */
static const char *no_fast(bool all_parked)
{
	if (!all_parked)
		return "a CPU did not start";
	if (cpus_parked && backend->kick_mode != ICR_INIT)
		return "CPUs are parked, and SVM does not hold an INIT up";
	return NULL;
}

static void choose(const char *asked, const char *no_wait, bool all_parked)
{
	static char line[128];
	bool fast = prefer_fast;
	const char *why = no_wait;

	if (asked_for(asked, "safe") || asked_for(asked, "fast")) {
		fast = asked_for(asked, "fast");
		why = "asked for by apic=";
	} else if (!no_wait && (prefer_wait || asked)) {
		policy = KEEL_START_WAIT;
		text = "started by hardware wait-for-SIPI, the local APIC is not trapped";
		return;
	} else if (!no_wait) {
		why = "CONFIG_WAIT_FOR_SIPI is off";
	}
	if (fast && no_fast(all_parked)) {
		fast = false;
		why = no_fast(all_parked);
	}
	policy = fast ? KEEL_START_FAST : KEEL_START_SAFE;
	keel_snprintf(line, sizeof(line), "started by trapped INIT and SIPI (%s): %s",
		      fast ? "fast" : "safe", why);
	text = line;
}

void cpu_start_init(const char *asked, bool below, bool all_parked)
{
	const char *no_wait = no_wait_for_sipi(below, all_parked);

	if (asked && !asked_for(asked, "safe") && !asked_for(asked, "fast") &&
	    !asked_for(asked, "wait"))
		refuse("apic=%s is unknown: use safe, fast or wait", asked);
	if (asked_for(asked, "wait") && no_wait)
		refuse("apic=wait is impossible: %s; use apic=safe", no_wait);
	not_yet_started = cpu_count - 1;
	if (free_alone && cpu_count + cpus_parked == 1 && all_parked) {
		policy = KEEL_START_SINGLE;
		text = "nothing to start";
	} else {
		choose(asked, no_wait, all_parked);
	}
}

u32 cpu_start_policy(void)
{
	return policy;
}

const char *cpu_start_text(void)
{
	return text;
}

bool cpu_start_trapped(void)
{
	return policy == KEEL_START_SAFE || (policy == KEEL_START_FAST && not_yet_started);
}

void cpu_start_halted(struct percpu *cpu)
{
	backend->reset_state(cpu, nested_root());
	backend->park(cpu);
	atomic_store(&cpu->startup, STARTUP_WORD_HALTED);
}

void cpu_send_init(struct percpu *to)
{
	u32 word;

	do {
		word = atomic_load(&to->startup);
	} while (!atomic_replace(&to->startup, word, startup_send_init(word)));
	kick_request(to, REQUEST_STARTUP);
}

void cpu_send_sipi(struct percpu *to, u8 vector)
{
	u32 word, after;

	do {
		word = atomic_load(&to->startup);
		after = startup_send_sipi(word, vector);
		if (after == word)
			return; /* lost, as it would be on the hardware */
	} while (!atomic_replace(&to->startup, word, after));
	kick_request(to, REQUEST_STARTUP);
}

/* The boot CPU would begin at the reset vector (SDM 9.4.2): the machine starts anew, with Keel. */
static void reset_by_init(struct percpu *cpu)
{
	if (is_boot_cpu(cpu))
		power_reset("reset: INIT");
	/* Else an NMI that waits would pass for a kick below. */
	cpu->nmi_pending = 0;
	below_reset_cpu();
	apic_reset(backend->drop_interrupts);
	apic_place_changed(cpu);
	/* A kick by NMI may have been taken meanwhile. */
	if (backend->kick_mode == ICR_NMI && cpu->nmi_pending && kick_arrived(cpu))
		kick_poll(cpu);
	backend->reset_state(cpu, nested_root());
}

static void start_at(struct percpu *cpu, u8 vector)
{
	backend->start_sipi(cpu, vector);
	/* It did not obey a stop while it waited. */
	kick_poll(cpu);
	backend->flush(cpu);
	if (policy == KEEL_START_FAST && !cpu->was_started) {
		cpu->was_started = 1;
		if (atomic_add(&not_yet_started, -1u) == 1)
			apic_untrap();
	}
}

void cpu_startup_serve(struct percpu *cpu)
{
	for (;;) {
		u32 word = atomic_load(&cpu->startup);
		u32 after;
		u8 vector;
		enum startup_action action = startup_take(word, &after, &vector);

		if (action == STARTUP_NOTHING)
			return;
		if (!atomic_replace(&cpu->startup, word, after))
			continue;
		if (action == STARTUP_START) {
			start_at(cpu, vector);
		} else {
			reset_by_init(cpu);
			backend->park(cpu);
		}
	}
}

/* What KVM of Linux 5.4 does, for a test. */
static void init_again(const struct percpu *cpu)
{
#ifdef CONFIG_TEST_INIT_REPEATS
	apic_send(cpu->place.id, (u32)ICR_INIT << ICR_MODE_SHIFT);
#else
	(void)cpu;
#endif
}

/* How long after it was given up a kick may still come. */
#define STRAY_MS 1

/* Is this INIT a kick, be it one that has been taken for lost? */
static bool is_kick(struct percpu *cpu, const struct exit_info *info)
{
	if (backend->kick_mode != ICR_INIT)
		return false;
	if (info->init.lost)
		cpu->stray_kick_until =
			max_u64(cpu->stray_kick_until, rdtsc() + STRAY_MS * tsc_per_ms);
	return kick_arrived(cpu) || rdtsc() < cpu->stray_kick_until;
}

/*
 * A kick, or an INIT that nobody under Keel sent: the guest's, where the ICR is not trapped, or the
 * chipset's soft reset (port 0x92, keyboard controller).
 */
void exit_init(struct percpu *cpu, const struct exit_info *info)
{
	init_again(cpu);
	if (is_kick(cpu, info)) {
		kick_serve(cpu);
	} else if (is_boot_cpu(cpu) || policy == KEEL_START_SINGLE || cpu_start_trapped()) {
		power_reset("reset: INIT");
	} else if (policy == KEEL_START_WAIT) {
		/*
		 * At once, and the rest at the SIPI, which is lost if it comes too early. But no
		 * logical destination may hit the CPU any more.
		 */
		backend->wait_for_sipi(cpu);
		if (!cpu->place.x2apic)
			apic_write(APIC_REG_LDR, 0);
		atomic_store(&cpu->startup, STARTUP_WORD_WAIT);
	} else {
		/* Fast: the SIPI is lost, but the CPU does not get away. */
		reset_by_init(cpu);
		backend->park(cpu);
		atomic_store(&cpu->startup, STARTUP_WORD_WAIT);
	}
}

void exit_sipi(struct percpu *cpu, const struct exit_info *info)
{
	reset_by_init(cpu);
	atomic_store(&cpu->startup, STARTUP_WORD_RUN);
	start_at(cpu, info->sipi.vector);
}
