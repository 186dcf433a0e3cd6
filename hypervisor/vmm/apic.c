/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/apic.h"

#include <generated/autoconf.h>

#include "cpu/msr.h"
#include "dev/apic.h"
#include "mm/host_map.h"
#include "vmm/cpu_start.h"
#include "vmm/cpus.h"
#include "vmm/exit.h"
#include "vmm/kick.h"
#include "vmm/nested.h"
#include "vmm/x2apic_hint.h"

#define X2APIC_ICR	    X2APIC_MSR(APIC_REG_ICR_LOW)
/* Bits 13, 16, 17 and 31:20 (SDM figure 11-28). */
#define X2APIC_ICR_RESERVED 0xfff32000u
/* Delivery status, which this mode does not have: Intel ignores it, AMD says #GP. */
#define X2APIC_ICR_BUSY	    BIT(12)

/* The page that is trapped for this CPU; 0: none. By index. */
static gpa_t trapped_page[CONFIG_NR_CPUS];

static gpa_t page_to_trap(const struct percpu *cpu)
{
	if (!cpu_start_trapped() || !cpu->place.enabled || cpu->place.x2apic)
		return 0;
	return cpu->apic_base & APIC_BASE_ADDRESS;
}

static void move_trap(struct percpu *cpu, gpa_t to)
{
	gpa_t from = trapped_page[cpu->index];

	if (from == to)
		return;
	trapped_page[cpu->index] = to;
	if (to)
		nested_protect(this_cpu(), to);
	if (from)
		nested_unprotect(this_cpu(), from);
}

void apic_place_changed(struct percpu *cpu)
{
	bool was_enabled = cpu->place.enabled;

	apic_find(cpu);
	/* What was sent meanwhile is lost. */
	if (cpu->place.enabled && !was_enabled) {
		atomic_store(&cpu->kick_in_flight, 0);
		exit_again(cpu);
	}
	move_trap(cpu, page_to_trap(cpu));
}

void apic_trap(void)
{
	for (u32 i = 0; i < cpu_count; i++)
		move_trap(cpus[i], page_to_trap(cpus[i]));
}

void apic_untrap(void)
{
	backend->trap_msr(X2APIC_ICR, 0);
	for (u32 i = 0; i < cpu_count; i++)
		move_trap(cpus[i], 0);
}

/* A CPU that a test has left outside Keel gets what it is sent from the hardware. */
static bool leave_to_hardware(void)
{
#ifdef CONFIG_TEST_LOSE_CPU
	return true;
#else
	return false;
#endif
}

/*
 * As the other CPUs find it. INIT takes the logical address at once, not only when the CPU has got
 * round to it (SDM 11.4.7.3); in x2APIC mode that is made of the ID.
 */
static struct apic_place place_of(const struct percpu *cpu)
{
	struct apic_place place = cpu->place;

	if (!place.x2apic && startup_is_reset(atomic_load(&cpu->startup))) {
		place.ldr = 0;
		place.dfr = APIC_DFR_RESET;
	}
	return place;
}

bool apic_icr_written(struct percpu *cpu, const struct icr *icr)
{
	/* On VMX an NMI is no exit: the hardware's is the guest's. */
	bool nmi = icr->mode == ICR_NMI && backend->kick_mode == ICR_NMI;
	u32 hits = 0;

	if (!nmi && icr->mode != ICR_INIT && icr->mode != ICR_SIPI)
		return false;
	if (icr_is_init_deassert(icr))
		return true;
	x2apic_hint_end(cpu);
	for (u32 i = 0; i < cpu_count; i++) {
		struct percpu *to = cpus[i];
		struct apic_place place = place_of(to);

		if (!icr_hits(icr, &place, to == cpu))
			continue;
		hits++;
		if (nmi)
			kick_request(to, REQUEST_NMI);
		else if (icr->mode == ICR_INIT)
			cpu_send_init(to);
		else
			cpu_send_sipi(to, icr->vector);
	}
	return hits || !leave_to_hardware();
}

static bool write_x2apic_icr(struct percpu *cpu, u32 msr, u64 value)
{
	struct icr icr = icr_x2apic(value);

	if (!cpu->place.x2apic)
		return false;
	/* A last exit of the fast policy's, after the trap has gone. */
	if (!cpu_start_trapped())
		return wrmsr_safe(msr, value);
	/* Not left to the hardware: there are hypervisors below that let such values through. */
	if (value & X2APIC_ICR_RESERVED)
		return false;
	return apic_icr_written(cpu, &icr) || wrmsr_safe(msr, value & ~(u64)X2APIC_ICR_BUSY);
}

/* An APIC page laid over Keel's memory would take Keel's own accesses (SDM volume 3, 11.4.5). */
static bool write_apic_base(struct percpu *cpu, u32 msr, u64 value)
{
	u64 base = value & APIC_BASE_ADDRESS;

	/* Nor can Keel send a kick by one that it cannot reach (Keel i386, above 4 GiB). */
	if (base >= nested_limit() || !host_map_any(base, PAGE_SIZE))
		return false;
	if (!wrmsr_safe(msr, value))
		return false;
	apic_place_changed(cpu);
	if (cpu->place.x2apic)
		x2apic_hint_end(cpu);
	return true;
}

static const struct msr_rule rules[] = {
	{IA32_APIC_BASE, IA32_APIC_BASE, MSR_WRITE, NULL, write_apic_base},
	{X2APIC_ICR, X2APIC_ICR, MSR_WRITE, NULL, write_x2apic_icr},
};

void apic_pass_plain_icr(void)
{
	if (cpu_start_trapped() && backend->pass_wrmsr)
		backend->pass_wrmsr(X2APIC_ICR,
				    X2APIC_ICR_RESERVED | X2APIC_ICR_BUSY | ICR_MODE_SPECIAL);
}

const struct msr_rule *apic_msr_rules(u32 *count)
{
	*count = cpu_start_trapped() ? 2 : 1;
	return rules;
}
