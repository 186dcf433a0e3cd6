/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp.h"

#include "acpi.h"
#include "apic.h"
#include "cpu.h"
#include "hypercall.h"
#include "trap.h"

#define STACK_SIZE 8192
#define PATIENCE 100000000u /* rounds, each a PAUSE: many seconds */
#define INIT_ROUNDS 2000u   /* between INIT and the first start-up interrupt */
#define SIPI_ROUNDS 20000u  /* until another one is sent */
#define SIPIS_PER_INIT 5
#define INITS_AGAIN 64 /* at odd distances: a CPU may be in a short loop */
#define SETTLE_ROUNDS 100000u
#define PAGE_FILL 0xf4 /* HLT: a start anywhere but at the page's first byte does not arrive */
#define PAGE_SIZE 4096
#define NO_CPU 0xffffffffu

struct cpu cpus[MAX_CPUS];
u32 nr_cpus, smp_resent, smp_inits_resent;
void (*smp_on_arrival)(struct cpu *self);

static u8 stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(16)));
static u32 arriving; /* index of the CPU that holds the lock */
static u8 *arriving_page;
static volatile bool spin;
static bool prepared[256]; /* pages, by the vector that names them */
static u32 seed = 0x2545f491;

extern const u8 smp_start_code[], smp_start_end[];
unsigned long smp_arrive(unsigned long page);
void smp_main(void);

/* xorshift32: the same numbers in every run. */
u32 smp_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

void smp_delay(u32 rounds)
{
	while (rounds--)
		cpu_pause();
}

void smp_settle(void)
{
	smp_delay(SETTLE_ROUNDS);
}

bool smp_reaches(const volatile u32 *v, u32 want)
{
	for (u32 i = 0; i < PATIENCE; i++) {
		if (*v >= want)
			return true;
		cpu_pause();
	}
	return false;
}

static void apic_ready(void)
{
	apic_look();
	if (option("x2apic") && !apic_is_x2())
		apic_to_x2();
	apic_init();
}

/* On the shared stack: who is it? Returns the top of its own stack. */
unsigned long smp_arrive(unsigned long page)
{
	u32 id = cpuid(1, 0).ebx >> 24, i = 0;

	while (i < nr_cpus && cpus[i].apic_id != id)
		i++;
	if (i == nr_cpus)
		for (;;)
			asm volatile("cli; hlt");
	arriving = i;
	arriving_page = (u8 *)page;
	memcpy(cpus[i].start, arriving_page + START_STATE, sizeof(cpus[i].start));
	return (unsigned long)(stacks[i] + STACK_SIZE);
}

/* An emulator's other CPUs get the host's time meanwhile. */
static void wait_for_job(struct cpu *self)
{
	if (spin) {
		cpu_pause();
		return;
	}
	irq_off();
	if (self->given == self->done)
		asm volatile("sti; hlt; cli" : : : "memory");
}

static void on_wake(struct frame *f)
{
	(void)f;
	apic_eoi();
}

void smp_main(void)
{
	struct cpu *self = &cpus[arriving];
	u8 *page = arriving_page;

	trap_cpu_init(arriving);
	*(volatile u32 *)(page + START_LOCK) = 1;
	apic_look();
	if (smp_on_arrival)
		smp_on_arrival(self);
	apic_ready();
	self->given = self->done = 0;
	self->starts++;
	for (;;) {
		while (self->given == self->done)
			wait_for_job(self);
		self->job(self->arg);
		self->done++;
	}
}

static void wake(u32 cpu)
{
	apic_send(cpus[cpu].apic_id, ICR_FIXED | ICR_ASSERT | VEC_WAKE);
}

void smp_spin(bool on)
{
	spin = on;
	for (u32 i = 1; on && i < nr_cpus; i++)
		wake(i);
}

void smp_give(u32 cpu, smp_job job, void *arg)
{
	cpus[cpu].job = job;
	cpus[cpu].arg = arg;
	cpus[cpu].given++;
	if (!spin)
		wake(cpu);
}

bool smp_wait(u32 cpu)
{
	return smp_reaches(&cpus[cpu].done, cpus[cpu].given);
}

bool smp_run(u32 cpu, smp_job job, void *arg)
{
	smp_give(cpu, job, arg);
	return smp_wait(cpu);
}

bool smp_run_all(smp_job job, void *arg)
{
	bool ok = true;

	for (u32 i = 1; i < nr_cpus; i++)
		smp_give(i, job, arg);
	for (u32 i = 1; i < nr_cpus; i++)
		ok &= smp_wait(i);
	return ok;
}

void smp_prepare(u8 vector)
{
	u8 *page = (u8 *)((unsigned long)vector * PAGE_SIZE);

	if (!prepared[vector]) {
		memset(page, PAGE_FILL, PAGE_SIZE);
		memcpy(page, smp_start_code, smp_start_end - smp_start_code);
		prepared[vector] = true;
	}
	*(volatile u32 *)(page + START_LOCK) = 1;
}

void smp_init_ipi(u32 cpu)
{
	apic_send(cpus[cpu].apic_id, ICR_INIT | ICR_ASSERT);
}

void smp_sipi(u32 cpu, u8 vector)
{
	apic_send(cpus[cpu].apic_id, ICR_STARTUP | ICR_ASSERT | vector);
}

bool smp_started(u32 cpu, u32 before)
{
	return smp_reaches(&cpus[cpu].starts, before + 1);
}

/* Bochs drops an INIT that finds a CPU in VMX root mode; hardware keeps it. So it is sent again. */
static void init_again(u32 cpu)
{
	if (!is_intel || !under_keel || keel_policy() != KEEL_START_WAIT)
		return;
	for (u32 i = 0; i < INITS_AGAIN; i++) {
		smp_inits_resent++;
		smp_init_ipi(cpu);
		smp_delay(smp_random() % INITS_AGAIN);
	}
	smp_delay(INIT_ROUNDS);
}

/* An emulator may be slow to act on INIT and lose the start-up interrupt: they are sent again. */
bool smp_start(u32 cpu, u8 vector)
{
	u32 before = cpus[cpu].starts;

	smp_prepare(vector);
	smp_init_ipi(cpu);
	smp_delay(INIT_ROUNDS);
	for (u32 sent = 0; sent < PATIENCE / SIPI_ROUNDS; sent++) {
		smp_resent += sent >= 2;
		if (sent >= SIPIS_PER_INIT && sent % SIPIS_PER_INIT == 0)
			init_again(cpu);
		smp_sipi(cpu, vector);
		for (u32 i = 0; i < SIPI_ROUNDS; i++) {
			if (cpus[cpu].starts != before)
				return true;
			cpu_pause();
		}
	}
	return false;
}

bool smp_init(u32 want)
{
	u32 ids[MAX_CPUS], self;

	trap_hook_set(VEC_WAKE, on_wake);
	apic_ready();
	self = apic_id();
	cpus[0].apic_id = self;
	nr_cpus = acpi_cpus(ids, MAX_CPUS);
	for (u32 i = 0, n = 1; i < nr_cpus; i++)
		if (ids[i] != self && n < nr_cpus)
			cpus[n++].apic_id = ids[i];
	return check_eq(nr_cpus, want, "CPUs in the MADT");
}

struct answer {
	u32 vector, eax, index;
};

static void ping(void *arg)
{
	struct answer *a = (struct answer *)arg + cpu_index();
	struct hypercall r;

	a->vector = hypercall(KEEL_HC_PING, 0, &r);
	a->eax = r.eax;
	a->index = a->vector == NO_TRAP ? r.ecx : NO_CPU;
}

static bool check_answers(void)
{
	static struct answer first[MAX_CPUS], again[MAX_CPUS];
	u32 seen = 0;
	bool ok = true;

	smp_run_all(ping, first);
	smp_run_all(ping, again);
	ping(first);
	ping(again);
	for (u32 i = 0; i < nr_cpus; i++) {
		bool answers = first[i].vector == NO_TRAP && first[i].eax == KEEL_HC_ANSWER;

		ok &= check_eq(answers, under_keel,
			       "forced exit answers on CPU %u only under Keel", i);
		if (!under_keel)
			continue;
		ok &= check(first[i].index < 32 && !(seen & BIT(first[i].index)),
			    "CPU %u has an index of its own", i);
		cpus[i].keel_index = first[i].index;
		ok &= check_eq(again[i].index, first[i].index, "CPU %u keeps its index", i);
		if (first[i].index < 32)
			seen |= BIT(first[i].index);
	}
	return ok;
}

bool smp_start_all(u32 want)
{
	bool ok = smp_init(want);

	for (u32 i = 1; i < nr_cpus && ok; i++)
		ok = check(smp_start(i, SMP_VECTOR), "CPU %u starts", i);
	return ok && check_answers();
}
