/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes the machine's other CPUs from the firmware (SDM volume 3, 9.4.4.1). */
#include <generated/autoconf.h>
#include <keel/console.h>
#include <keel/panic.h>

#include "boot/boot.h"
#include "cpu/regs.h"
#include "dev/apic.h"
#include "dev/pit.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/host_map.h"
#include "mode/desc.h"
#include "mode/trampoline.h"
#include "vmm/cpu_start.h"
#include "vmm/cpus.h"
#include "vmm/nested.h"

/* A SIPI names a page below 1 MiB; the first has the real-mode vectors. */
#define SIPI_PAGES_END	 0xa0000
#define SIPI_PAGES_MIN	 0x1000

#define XAPIC_BROADCAST	 0xff

#define INIT_DELAY_US	 10000
#define SIPI_DELAY_US	 200
#define START_LIMIT_US	 500000
/* On the safe side: that fast no TSC is, and what it measures is patience. */
#define TSC_PER_MS_GUESS 6000000
#define POLL_US		 100

/* What a CPU that starts reports in its percpu.startup, until the guest runs. */
enum { AP_ABSENT = 0, AP_READY = 1, AP_FAILED = 2, AP_PARKED = 3 };

static unsigned long trampoline_page;
static u8 trampoline_saved[PAGE_SIZE];
/* Why a CPU cannot be used. */
static const char *failure;
/* The guest is loaded: the CPUs may take on their first state. */
static u32 released;

static unsigned long find_trampoline_page(const struct boot_info *info)
{
	u64 place;

	if (range_find_high(&info->memory, RANGE_USABLE, PAGE_SIZE, PAGE_SIZE, SIPI_PAGES_MIN,
			    SIPI_PAGES_END, NULL, 0, &place))
		refuse("no free page below 640 KiB to start the other CPUs from");
	return (unsigned long)place;
}

static void place_trampoline(const struct boot_info *info)
{
	trampoline_page = find_trampoline_page(info);
	memcpy(trampoline_saved, (void *)trampoline_page, PAGE_SIZE);
	memcpy((void *)trampoline_page, trampoline_start,
	       (size_t)(trampoline_end - trampoline_start));
	if (host_map_executable(trampoline_page, true))
		panic("no memory for Keel's own page tables");
	write_cr3(read_cr3());
}

static void remove_trampoline(void)
{
	memcpy((void *)trampoline_page, trampoline_saved, PAGE_SIZE);
	if (host_map_executable(trampoline_page, false))
		panic("no memory for Keel's own page tables");
	write_cr3(read_cr3());
}

/*
 * A CPU beyond CONFIG_NR_CPUS. In VMX root operation no INIT reaches it; on SVM the ICR is trapped
 * while there is one.
 */
static _Noreturn void park_for_good(struct percpu *cpu)
{
	atomic_store(&cpu->startup, AP_PARKED);
	for (;;)
		backend->idle();
}

/* Where a CPU reaches C, on its own stack. */
static _Noreturn void ap_main(struct percpu *cpu)
{
	desc_load();
	cpu_enable_machine_checks();
	apic_find(cpu);
	if (backend->cpu_on(cpu, &failure)) {
		atomic_store(&cpu->startup, AP_FAILED);
		cpu_halt();
	}
	if (cpu->index >= CONFIG_NR_CPUS)
		park_for_good(cpu);
	atomic_store(&cpu->startup, AP_READY);
	while (!atomic_load(&released))
		cpu_relax();
	cpu_start_halted(cpu);
	cpu->guest_started = 1;
	backend->run(cpu);
}

static bool reports(const struct percpu *cpu, u32 us)
{
	for (u32 waited = 0; waited < us; waited += POLL_US) {
		if (atomic_load(&cpu->startup) != AP_ABSENT)
			return true;
		pit_wait_us(POLL_US);
	}
	return atomic_load(&cpu->startup) != AP_ABSENT;
}

static struct percpu *new_cpu(u32 index, u32 apic_id)
{
	struct cpu_area *area = frame_alloc_many(CPU_AREA_SIZE / PAGE_SIZE, CPU_AREA_SIZE);

	if (!area)
		refuse("Keel's memory is too small for this machine's CPUs");
	area->cpu.index = index;
	area->cpu.apic_id = apic_id;
	return &area->cpu;
}

static void send_init(u32 apic_id)
{
	apic_send(apic_id, (u32)ICR_INIT << ICR_MODE_SHIFT);
}

/* INIT has been sent. False if the CPU does not come. */
static bool start_cpu(struct percpu *cpu)
{
	struct trampoline *data =
		(void *)(trampoline_page + (unsigned long)(trampoline_data - trampoline_start));
	u32 sipi = (u32)ICR_SIPI << ICR_MODE_SHIFT | (u32)(trampoline_page >> PAGE_SHIFT);

	*data = (struct trampoline){read_cr3(), (uintptr_t)cpu, (uintptr_t)ap_main};
	apic_send(cpu->apic_id, sipi);
	if (reports(cpu, SIPI_DELAY_US))
		return true;
	apic_send(cpu->apic_id, sipi);
	if (reports(cpu, START_LIMIT_US))
		return true;
	/* It must not come later, when the page is something else. */
	send_init(cpu->apic_id);
	log_error("the CPU with APIC ID %u does not start: the guest does not get it",
		  cpu->apic_id);
	return false;
}

/* A CPU that does not start leaves no hole: the next one gets its index. */
static bool take_cpu(u32 apic_id)
{
	bool surplus = cpu_count == CONFIG_NR_CPUS;
	struct percpu *cpu = new_cpu(surplus ? CONFIG_NR_CPUS : cpu_count, apic_id);

	if (!start_cpu(cpu))
		return false;
	if (atomic_load(&cpu->startup) == AP_FAILED)
		refuse("%s on the CPU with APIC ID %u: %s", backend->name, apic_id, failure);
	if (surplus)
		cpus_parked++;
	else
		cpus[cpu_count++] = cpu;
	return true;
}

/* Also the time that the CPUs have to take the INIT. */
static void measure_tsc(void)
{
	u64 start = rdtsc();
	bool timed = pit_wait_us(INIT_DELAY_US);

	if (timed)
		tsc_per_ms = max_u64((u32)min_u64(rdtsc() - start, UINT32_MAX) /
					     (INIT_DELAY_US / 1000), 1);
	else
		tsc_per_ms = TSC_PER_MS_GUESS;
}

/* The one that a test leaves outside Keel. */
bool smp_is_lost(const struct cpu_ids *ids, u32 apic_id)
{
#ifdef CONFIG_TEST_LOSE_CPU
	return ids->count > 1 && apic_id == ids->id[1];
#else
	(void)ids;
	(void)apic_id;
	return false;
#endif
}

/* In xAPIC mode an ID of more than 8 bits cannot be named; 255 means all. */
static bool is_to_start(const struct cpu_ids *ids, u32 i, const struct percpu *boot)
{
	bool reachable = boot->place.x2apic || ids->id[i] < XAPIC_BROADCAST;

	return reachable && ids->id[i] != boot->apic_id && !smp_is_lost(ids, ids->id[i]);
}

bool smp_start(const struct boot_info *info, const struct cpu_ids *ids, struct percpu *boot)
{
	u32 started = 0;

	cpus[0] = boot;
	cpu_count = 1;
	atomic_store(&boot->startup, STARTUP_WORD_RUN);
	for (u32 i = 0; i < ids->count; i++) {
		if (is_to_start(ids, i, boot))
			send_init(ids->id[i]);
	}
	measure_tsc();
	if (ids->count > 1) {
		place_trampoline(info);
		for (u32 i = 0; i < ids->count; i++) {
			if (is_to_start(ids, i, boot))
				started += take_cpu(ids->id[i]);
		}
		remove_trampoline();
	}
	for (u32 i = 0; i < cpu_count; i++)
		cpus[i]->next = cpus[(i + 1) % cpu_count];
	return started + 1 >= ids->count && !ids->incomplete;
}

void smp_release(void)
{
	for (u32 i = 1; i < cpu_count; i++)
		atomic_store(&cpus[i]->startup, STARTUP_WORD_RUN);
	atomic_store(&released, 1);
	for (u32 i = 1; i < cpu_count; i++) {
		while (cpu_runs(cpus[i]))
			cpu_relax();
	}
}
